"""The running instances of a journey, as Temporal's visibility shows them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

from temporalio.client import Client, WorkflowExecution

from sojourn.contract import names
from sojourn.routing.instance_gateway import bounded
from sojourn.temporal.connection import RPC_DEADLINE

PAGE = 500

_TIMEOUT = timedelta(seconds=RPC_DEADLINE)


def running(journey: str, *, search_attributes: bool) -> str:
    """Return the visibility query for the running instances of a journey, whatever their workflow type.

    Args:
        journey: The journey's name.
        search_attributes: Instances have search attributes, see `Settings.search_attributes`. Without them, workflows
            of others whose ids begin like an instance's are found as well.
    """
    which = (
        f"{names.SEARCH_JOURNEY} = '{journey}'"
        if search_attributes
        else f"WorkflowId STARTS_WITH '{journey}:'"
    )
    return f"{which} AND ExecutionStatus = 'Running'"


async def instances_of(
    client: Client, journey: str, *, search_attributes: bool
) -> AsyncIterator[WorkflowExecution]:
    """Yield the running instances of a journey. What happened in the last second or so may be missing.

    Raises:
        Unreachable: Temporal cannot be reached.
    """
    found = client.list_workflows(
        running(journey, search_attributes=search_attributes), page_size=PAGE, rpc_timeout=_TIMEOUT
    )
    while True:
        await bounded(found.fetch_next_page())
        for execution in found.current_page or ():
            if search_attributes or await execution.memo_value(names.MEMO_ENTRY_EVENT, None) is not None:
                yield execution
        if not found.next_page_token:
            return
