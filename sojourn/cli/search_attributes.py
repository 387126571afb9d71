"""Sojourn's search attributes in a Temporal namespace: added where missing, checked where they exist."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from sojourn.contract import names

if TYPE_CHECKING:
    from temporalio.client import Client


class SearchAttributeError(Exception):
    """The namespace cannot hold Sojourn's search attributes; the message says what to do."""


async def ensure_search_attributes(client: Client) -> list[str]:
    """Add the search attributes that the client's namespace lacks.

    Args:
        client: Connected to the namespace.

    Returns:
        The names of those that were added.

    Raises:
        SearchAttributeError: One exists with another type, or this client may not add them.
        RPCError: Temporal cannot be reached.
    """
    from temporalio.api.enums.v1 import IndexedValueType
    from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
    from temporalio.service import RPCError, RPCStatusCode

    wanted: dict[str, IndexedValueType.ValueType] = {
        names.SEARCH_JOURNEY: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
        names.SEARCH_VERSION: IndexedValueType.INDEXED_VALUE_TYPE_INT,
        names.SEARCH_PROFILE: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
        names.SEARCH_STEP: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    }
    try:
        listed = await client.operator_service.list_search_attributes(
            ListSearchAttributesRequest(namespace=client.namespace)
        )
        present = dict(listed.custom_attributes)
        # Adding one again with another type is answered with success and changes nothing, so compare first.
        wrong = [name for name, kind in wanted.items() if present.get(name, kind) != kind]
        if wrong:
            raise SearchAttributeError(
                f"in namespace {client.namespace!r} the search attribute {wrong[0]} has another type "
                f"than Sojourn needs ({_kind(wanted[wrong[0]])}): remove it, or set "
                "SOJOURN_SEARCH_ATTRIBUTES=false"
            )
        missing = {name: kind for name, kind in wanted.items() if name not in present}
        if missing:
            await client.operator_service.add_search_attributes(
                AddSearchAttributesRequest(namespace=client.namespace, search_attributes=missing)
            )
        return list(missing)
    except RPCError as error:
        if error.status in {
            RPCStatusCode.PERMISSION_DENIED,
            RPCStatusCode.UNIMPLEMENTED,
            RPCStatusCode.INVALID_ARGUMENT,
            RPCStatusCode.UNAUTHENTICATED,
        }:
            listing = ", ".join(f"{name} ({_kind(kind)})" for name, kind in wanted.items())
            raise SearchAttributeError(
                f"the search attributes of namespace {client.namespace!r} cannot be checked or added from "
                f"here ({error.message}): add {listing} by hand, or set SOJOURN_SEARCH_ATTRIBUTES=false"
            ) from error
        raise


async def prepare_search_attributes(client: Client, log: logging.Logger) -> None:
    """Add what is missing, and log what was added or why it cannot be: neither keeps a process from starting.

    Args:
        client: Connected to the namespace.
        log: The log of the process that starts.
    """
    from temporalio.service import RPCError

    try:
        added = await ensure_search_attributes(client)
    except SearchAttributeError as error:
        log.warning("%s", error)
    except RPCError as error:
        log.warning("the search attributes could not be checked: %s", error.message)
    else:
        if added:
            log.info("search attributes added to namespace %s: %s", client.namespace, ", ".join(added))


def _kind(value: int) -> str:
    from temporalio.api.enums.v1 import IndexedValueType

    return IndexedValueType.Name(value).removeprefix("INDEXED_VALUE_TYPE_").title()  # type: ignore[arg-type]
