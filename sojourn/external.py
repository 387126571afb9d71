"""Journeys for workflows of your own: send events, signal and steer instances, wait for their ends.

    from sojourn import journeys

    await journeys.send("order.placed", {"customerId": "c-17"})
    outcome = await journeys.result("cart-abandonment", "c-17")

These functions work in workflow code only; elsewhere use `sojourn.client.JourneyClient`. Each is durable, and costs
history as it is: `send` a child workflow, `result` an activity, the others a signal. They have no query for `state`:
workflows cannot ask others.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, NoReturn

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    ChildWorkflowError,
    WorkflowAlreadyStartedError,
)

from sojourn._client_messages import event_message, id_of, instance_of
from sojourn.contract import names
from sojourn.contract.instance_state import NoInstance, Outcome, Sent, read_outcome, read_sent
from sojourn.workflows.authoring.events import Event

__all__ = ["NoInstance", "Outcome", "Sent", "exit", "pause", "result", "resume", "send", "signal"]

_LOOK = timedelta(seconds=60)
_FOR_EVER = RetryPolicy(maximum_interval=timedelta(seconds=60))


async def send(
    event: Event | str,
    data: Any = None,
    *,
    id: str | None = None,  # noqa: A002
    time: datetime | None = None,
    task_queue: str = names.TASK_QUEUE,
) -> Sent:
    """Send an event: it starts and reaches instances as over the API.

    The child workflow outlives this one: an event that is under way is routed, even where this workflow is cancelled.

    Args:
        event: An instance of an event class, or a name.
        data: The data that belongs to a name.
        id: The event's id, which makes sending it again harmless; a new one, the same on replay, if left out.
        time: When it happened; now if left out.
        task_queue: The task queue of the journeys.

    Raises:
        temporalio.exceptions.ApplicationError: It is no event (`sojourn.BadInput`).
    """
    identity = id_of(event, id) or str(workflow.uuid4())
    message = event_message(event, data, event_id=identity, time=workflow.now(), given=time)
    try:
        try:
            return await _sent(message, identity, task_queue)
        except WorkflowAlreadyStartedError:
            # It is under way already, or the id is another workflow's. Routing counts an event's id once in any case.
            return await _sent(message, f"{identity}:{workflow.uuid4()}", task_queue)
    except ChildWorkflowError as error:
        _raise_plain(error)


async def _sent(message: dict[str, Any], identity: str, task_queue: str) -> Sent:
    answer: dict[str, Any] = await workflow.execute_child_workflow(
        names.WORKFLOW_EVENT,
        message,
        id=identity,
        task_queue=task_queue,
        parent_close_policy=workflow.ParentClosePolicy.ABANDON,
        cancellation_type=workflow.ChildWorkflowCancellationType.ABANDON,
        result_type=dict,
    )
    return read_sent(answer)


async def signal(
    journey: str | type,
    key: str,
    event: Event | str,
    data: Any = None,
    *,
    per: str | None = None,
    id: str | None = None,  # noqa: A002
    time: datetime | None = None,
    private_keys: bool = False,
) -> None:
    """Deliver an event to one running instance, and to nothing else: no rule and no schema is looked at.

    Args:
        journey: The journey's name, or its class.
        key: The profile key.
        event: An instance of an event class, or a name.
        data: The data that belongs to a name.
        per: The value of the journey's second key, where it has one.
        id: The event's id, which counts once in an instance; a new one if left out.
        time: When it happened; now if left out.
        private_keys: The deployment hashes profile keys.

    Raises:
        NoInstance: None runs.
    """
    identity = id_of(event, id) or str(workflow.uuid4())
    message = event_message(event, data, event_id=identity, time=workflow.now(), given=time)
    await _tell(instance_of(journey, key, per, private_keys), names.SIGNAL_EVENT, message)


async def exit(  # noqa: A001 - as in `sojourn.journey`
    journey: str | type,
    key: str,
    reason: str = "exited by a workflow",
    *,
    per: str | None = None,
    private_keys: bool = False,
) -> None:
    """End a running instance at once, as exited.

    Raises:
        NoInstance: None runs.
    """
    await _tell(instance_of(journey, key, per, private_keys), names.SIGNAL_EXIT, reason)


async def pause(journey: str | type, key: str, *, per: str | None = None, private_keys: bool = False) -> None:
    """Let a running instance begin no further step.

    Raises:
        NoInstance: None runs.
    """
    await _tell(instance_of(journey, key, per, private_keys), names.SIGNAL_PAUSE)


async def resume(
    journey: str | type, key: str, *, per: str | None = None, private_keys: bool = False
) -> None:
    """Let a paused instance go on.

    Raises:
        NoInstance: None runs.
    """
    await _tell(instance_of(journey, key, per, private_keys), names.SIGNAL_RESUME)


async def result(
    journey: str | type,
    key: str,
    *,
    per: str | None = None,
    run_id: str | None = None,
    private_keys: bool = False,
    task_queue: str = names.TASK_QUEUE,
) -> Outcome:
    """Wait for the end of an instance, and return how it ended, whichever way.

    An activity of the journeys' workers asks again and again, at last once a minute; that costs no history.

    Args:
        journey: The journey's name, or its class.
        key: The profile key.
        per: The value of the journey's second key, where it has one.
        run_id: One run of several under that id; the latest if left out.
        private_keys: The deployment hashes profile keys.
        task_queue: The task queue of the journeys.

    Raises:
        NoInstance: There is none.
    """
    identity = instance_of(journey, key, per, private_keys)
    try:
        answer: dict[str, Any] = await workflow.execute_activity(
            names.ACTIVITY_OUTCOME,
            {"workflow_id": identity, "run_id": run_id},
            task_queue=task_queue,
            start_to_close_timeout=_LOOK,
            retry_policy=_FOR_EVER,
            summary="waits for the end of an instance",
            result_type=dict,
        )
    except ActivityError as error:
        _raise_plain(error)
    return read_outcome(answer)


async def _tell(identity: str, name: str, *arguments: Any) -> None:
    try:
        await workflow.get_external_workflow_handle(identity).signal(name, args=arguments)
    except ApplicationError as error:
        raise NoInstance(f"no instance {identity!r} runs") from error


def _raise_plain(error: ActivityError | ChildWorkflowError) -> NoReturn:
    """Raise what is wrong, and not that something is wrong with a child or an activity."""
    cause = error.cause
    if isinstance(cause, ApplicationError):
        if cause.type == names.ERROR_NO_INSTANCE:
            raise NoInstance(cause.message) from None
        raise cause
    raise error
