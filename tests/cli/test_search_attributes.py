"""Sojourn's search attributes in a namespace: added, found, or in the way."""

from __future__ import annotations

import asyncio

import pytest
from google.protobuf.duration_pb2 import Duration
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, RegisterNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError

from sojourn.cli.search_attributes import SearchAttributeError, ensure_search_attributes
from sojourn.contract import names


async def new_namespace(client: Client, name: str) -> Client:
    """A client of a namespace that is made for the test."""
    await client.workflow_service.register_namespace(
        RegisterNamespaceRequest(
            namespace=name, workflow_execution_retention_period=Duration(seconds=24 * 3600)
        )
    )
    made = Client(client.service_client, namespace=name)
    async with asyncio.timeout(30):
        while True:
            try:
                await made.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=name))
                return made
            except RPCError:
                await asyncio.sleep(0.1)


async def patiently(client: Client) -> list[str]:
    """Ensure the attributes; a namespace is known to all parts of the server only after a while."""
    async with asyncio.timeout(30):
        while True:
            try:
                return await ensure_search_attributes(client)
            except RPCError:
                await asyncio.sleep(0.2)


async def test_missing_attributes_are_added_once(client: Client, unique: str) -> None:
    """A new namespace gets all four; the second time there is nothing to add."""
    made = await new_namespace(client, f"fresh-{unique}")
    assert set(await patiently(made)) == {
        names.SEARCH_JOURNEY,
        names.SEARCH_VERSION,
        names.SEARCH_PROFILE,
        names.SEARCH_STEP,
    }
    assert await patiently(made) == []


async def test_attribute_of_another_type_is_reported(client: Client, unique: str) -> None:
    """The server would accept it silently; here the name and the type that is needed are said."""
    made = await new_namespace(client, f"odd-{unique}")
    request = AddSearchAttributesRequest(
        namespace=made.namespace,
        search_attributes={names.SEARCH_VERSION: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD},
    )
    async with asyncio.timeout(30):
        while True:
            try:
                await made.operator_service.add_search_attributes(request)
                break
            except RPCError:
                await asyncio.sleep(0.2)
    with pytest.raises(
        SearchAttributeError, match=r"JourneyVersion has another type than Sojourn needs \(Int\)"
    ):
        await patiently(made)
