"""Calls of data sources and actions, as activities."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import FailureError

from sojourn.contract import names
from sojourn.workflows.engine.endings import StepError, TimedOut
from sojourn.workflows.engine.failures import is_cancelled, lacks_function, step_error
from sojourn.workflows.engine.instance import Instance
from sojourn.workflows.throttling import expired, queued_call
from sojourn.workflows.throttling.pausing import run_unless_paused
from sojourn.workflows.throttling.queued_call import QueuedCall

RETRIES = RetryPolicy(
    initial_interval=timedelta(seconds=1),
    backoff_coefficient=2.0,
    maximum_interval=timedelta(seconds=10),
    maximum_attempts=4,
)
"""The first attempt and up to three retries (DESIGN.md, section 4, point 7). The activity keeps the window in which
they must fit, and says when a retry is pointless or must wait longer."""

UNBOUNDED = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=30))
"""For calls of a Python function that the worker does not have: another worker has it, or the next deployment. The
activity bounds the attempts that were made."""

_GRACE = timedelta(seconds=5)
"""Time after the window in which an activity can still report how it ended."""

_LEAST = timedelta(seconds=1)

_AT_ONCE = workflow.ActivityCancellationType.TRY_CANCEL
_KNOWN = workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED


async def call(instance: Instance, endpoint: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """Call a data source or an action from the step at which the instance is.

    Args:
        instance: The instance.
        endpoint: Name of the source or action in the definition's `endpoints`.
        parameters: The parameters' values, plain JSON.

    Returns:
        `{status, body}`.

    Raises:
        asyncio.CancelledError: An exit came before the call.
        StepError: The call failed for good, with one of the codes of DESIGN.md, section 3.
        TimedOut: The instance reached the end of its own time first.
    """
    instance.arrivals.check_ended()
    planned = _plan(instance, endpoint, parameters)
    if planned.queued is None:
        instance.show(f"{'asks' if planned.kind == 'source' else 'calls'} {endpoint}")
    else:
        # It may queue for hours: operators must be able to find it, as they find instances that wait.
        instance.show(planned.queued.summary(endpoint), searchable=True)
    try:
        result = await _run(instance, planned)
    except (FailureError, StepError) as error:
        if not is_cancelled() and instance.now() >= instance.deadline:
            # Whatever the result of the call: no step after it may begin.
            raise TimedOut from None
        if isinstance(error, StepError):
            raise
        raise step_error(endpoint, error, planned.window) from None
    if is_cancelled():
        raise asyncio.CancelledError
    if not isinstance(result, dict):
        raise StepError("invalid_response", f"{endpoint}: the worker's activity gave no {{status, body}}")
    return result


@dataclass(frozen=True, slots=True)
class _Call:
    """One call, as its activity is scheduled.

    Attributes:
        kind: `source` or `action`.
        request: The activity's input.
        window: The time that all attempts have together.
        queued: How the call queues; None if it does not.
        patient: Retry without a bound, because a worker did not have the Python function.
    """

    kind: str
    request: dict[str, Any]
    window: timedelta
    queued: QueuedCall | None
    patient: bool = False


def _plan(instance: Instance, endpoint: str, parameters: dict[str, Any]) -> _Call:
    here, info = instance.position, workflow.info()
    assert here.step is not None
    window = timedelta(seconds=instance.definition.get("call_timeout", 30))
    request = {
        "endpoint": endpoint,
        "parameters": parameters,
        "journey": instance.definition["name"],
        "step": here.step,
        "window": window.total_seconds(),
        "idempotency_key": names.idempotency_key(
            info.workflow_id, info.first_execution_run_id, here.step, here.visit
        ),
    }
    entry = instance.definition["endpoints"][endpoint]
    return _Call(entry["kind"], request, window, queued_call.planned(endpoint, entry))


async def _run(instance: Instance, planned: _Call) -> Any:
    """Run the activity.

    It runs once more on the action's own task queue if a worker says that the action is throttled by now; and without a
    bound of attempts if a worker does not have the Python function: the next deployment brings it.
    """
    try:
        if planned.queued is None and not planned.patient:
            return await _start(instance, planned)
        return await run_unless_paused(instance, lambda: _start(instance, planned))
    except FailureError as error:
        if not planned.patient and not is_cancelled() and lacks_function(error):
            return await _run(instance, replace(planned, patient=True))
        if is_cancelled():
            raise
        requeued = queued_call.must_queue(error) if planned.queued is None else None
        if requeued is None:
            late = expired.expired(planned.request["endpoint"], error, planned.queued)
            if late is not None:
                expired.report(planned.request, late, error)
                raise late from None
            raise  # not `from None`, which would remove what Temporal gives as the cause
    instance.show(requeued.summary(planned.request["endpoint"]), searchable=True)
    window = planned.window if requeued.window is None else timedelta(seconds=requeued.window)
    request = planned.request | {"window": window.total_seconds()}
    return await _run(instance, _Call(planned.kind, request, window, requeued))


def _start(instance: Instance, planned: _Call) -> workflow.ActivityHandle[Any]:
    here, request, queued, patient = instance.position, planned.request, planned.queued, planned.patient
    identity = names.activity_id(str(here.step), here.visit)
    summary = f"{here.step}: {request['endpoint']}"[:190]
    if planned.kind == "source" and instance.start.local_fetch and not patient:
        # A fetch may be repeated after a crash, so the server need not schedule it: one history event instead of three.
        return workflow.start_local_activity(
            names.ACTIVITY_FETCH,
            request,
            activity_id=identity,
            summary=summary,
            # Longer than the window: the activity ends the call itself, and knows what went wrong before.
            schedule_to_close_timeout=planned.window + _GRACE,
            retry_policy=RETRIES,
        )
    queueing = queued.options(request["journey"], RETRIES) if queued else {}
    return workflow.start_activity(
        names.ACTIVITY_FETCH if planned.kind == "source" else names.ACTIVITY_ACTION,
        request,
        activity_id=identity,
        summary=summary,
        # Only the instance's own time bounds it: a call must not expire because no worker ran for an hour.
        schedule_to_close_timeout=max(instance.deadline - instance.now(), _LEAST),
        start_to_close_timeout=planned.window + _GRACE,
        **{"retry_policy": RETRIES, **queueing, **({"retry_policy": UNBOUNDED} if patient else {})},
        cancellation_type=_KNOWN if queued is not None or patient else _AT_ONCE,
    )
