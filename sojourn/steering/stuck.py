"""Why an instance does not go on although workers run: its code fails, or does not do again what it has done."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType, WorkflowTaskFailedCause
from temporalio.api.failure.v1 import Failure
from temporalio.api.workflowservice.v1 import GetWorkflowExecutionHistoryReverseRequest
from temporalio.client import Client, WorkflowExecutionDescription

from sojourn.routing.instance_gateway import bounded
from sojourn.temporal.connection import RPC_DEADLINE

CODE_ERROR = "code_error"
"""An exception in the code of a journey in Python."""

NONDETERMINISM = "nondeterminism"
"""The code, replayed, does something else than the instance did."""

_LATEST = 20
_LONGEST = 300


async def why_stuck(client: Client, found: WorkflowExecutionDescription) -> dict[str, Any] | None:
    """Return with what the code of a running instance fails, as instances tell errors; None where it does not.

    Args:
        client: A client of Temporal.
        found: The instance, as Temporal describes it.

    Raises:
        Unreachable: Temporal does not answer.
        temporalio.service.RPCError: It does not tell.
    """
    if found.raw_description.pending_workflow_task.attempt < 2:
        return None
    request = GetWorkflowExecutionHistoryReverseRequest(
        namespace=client.namespace,
        execution=WorkflowExecution(workflow_id=found.id, run_id=found.run_id or ""),
        maximum_page_size=_LATEST,
    )
    call = client.workflow_service.get_workflow_execution_history_reverse(
        request, timeout=timedelta(seconds=RPC_DEADLINE)
    )
    for event in (await bounded(call)).history.events:
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
            return None
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED:
            failed = event.workflow_task_failed_event_attributes
            differs = (
                failed.cause == WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR
            )
            return {
                "step": None,
                "code": NONDETERMINISM if differs else CODE_ERROR,
                "status": None,
                "message": message_of(failed.failure),
            }
    return None


def message_of(failure: Failure) -> str:
    """Return the exception's type, where it has one, and its text, of at most 300 characters."""
    kind = failure.application_failure_info.type
    return " ".join(filter(None, (f"{kind}:" if kind else "", failure.message)))[:_LONGEST]
