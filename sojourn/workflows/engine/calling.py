"""Calling the world: fetches and actions, as activities."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import FailureError

from sojourn.contract import names
from sojourn.workflows.engine.endings import StepError
from sojourn.workflows.engine.failures import is_cancelled, lacks_function, step_error
from sojourn.workflows.engine.instance import Instance, TimedOut
from sojourn.workflows.throttling import queued_call as turns
from sojourn.workflows.throttling.pausing import at_turn

RETRIES = RetryPolicy(
    initial_interval=timedelta(seconds=1),
    backoff_coefficient=2.0,
    maximum_interval=timedelta(seconds=10),
    maximum_attempts=4,
)
"""The first attempt and up to three retries (DESIGN.md, section 4, point 7). The window in which they must fit is held
by the activity, which also says when a retry is pointless or has to wait longer."""

UNBOUNDED = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=30))
"""For calls of Python functions that a worker had not: those of another one, or of the next deployment, will do. The
activity bounds the attempts that were made."""

_GRACE = timedelta(seconds=5)
"""Time beyond the window in which an activity can still report how it ended."""

_LEAST = timedelta(seconds=1)

_AT_ONCE = workflow.ActivityCancellationType.TRY_CANCEL
_KNOWN = workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED


async def call(instance: Instance, endpoint: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """Call a data source or an action from the step at which the instance stands.

    Args:
        instance: The instance.
        endpoint: Name of the source or action, as the definition's `endpoints` has it.
        parameters: The parameters' values, plain JSON.

    Returns:
        `{status, body}`.

    Raises:
        asyncio.CancelledError: An exit came before the call.
        StepError: The call failed for good, with one of the codes of DESIGN.md, section 3.
        TimedOut: The instance came to the end of its own time first.
    """
    instance.heed()
    kind = instance.definition["endpoints"][endpoint]["kind"]
    here = instance.position
    assert here.step is not None
    window = timedelta(seconds=instance.definition.get("call_timeout", 30))
    info = workflow.info()
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
    turn = turns.planned(endpoint, instance.definition["endpoints"][endpoint])
    if turn is None:
        instance.show(f"{'asks' if kind == 'source' else 'calls'} {endpoint}")
    else:
        # It may take hours: operators are to find who queues, as they find who waits.
        instance.show(turn.words(endpoint), searchable=True)
    try:
        result = await _at_turn(instance, kind, request, window, turn)
    except (FailureError, StepError) as error:
        if not is_cancelled() and instance.now() >= instance.deadline:
            # Whatever became of the call: no path behind it is taken.
            raise TimedOut from None
        if isinstance(error, StepError):
            raise
        raise step_error(endpoint, error, window) from None
    if is_cancelled():
        raise asyncio.CancelledError
    if not isinstance(result, dict):
        raise StepError("invalid_response", f"{endpoint}: the worker's activity gave no {{status, body}}")
    return result


async def _at_turn(
    instance: Instance,
    kind: str,
    request: dict[str, Any],
    window: timedelta,
    turn: turns.Turn | None,
    *,
    patient: bool = False,
) -> Any:
    """Run the activity; once more on the action's own task queue where a worker says that it is throttled by now.

    Once more, and then without a bound of attempts, where a worker has not the Python function: a deployment brings it.
    """
    try:
        if turn is None and not patient:
            return await _start(instance, kind, request, window, turn, patient=patient)
        return await at_turn(instance, lambda: _start(instance, kind, request, window, turn, patient=patient))
    except FailureError as error:
        if not patient and not is_cancelled() and lacks_function(error):
            return await _at_turn(instance, kind, request, window, turn, patient=True)
        if is_cancelled():
            raise
        moved = turns.moved(error) if turn is None else None
        if moved is None:
            late = turns.expired(request["endpoint"], error, turn)
            if late is not None:
                turns.tell(request, late, error)
                raise late from None
            raise  # `from None` would take from it what Temporal says is its cause
    instance.show(moved.words(request["endpoint"]), searchable=True)
    window = window if moved.window is None else timedelta(seconds=moved.window)
    return await _at_turn(instance, kind, request | {"window": window.total_seconds()}, window, moved)


def _start(
    instance: Instance,
    kind: str,
    request: dict[str, Any],
    window: timedelta,
    turn: turns.Turn | None,
    *,
    patient: bool,
) -> workflow.ActivityHandle[Any]:
    here = instance.position
    identity = names.activity_id(str(here.step), here.visit)
    summary = f"{here.step}: {request['endpoint']}"[:190]
    if kind == "source" and instance.start.local_fetch and not patient:
        # A look-up may run again after a crash, so the server need not schedule it: one history event, not three.
        return workflow.start_local_activity(
            names.ACTIVITY_FETCH,
            request,
            activity_id=identity,
            summary=summary,
            # Beyond the window as well: the activity ends it, and knows what went wrong before.
            schedule_to_close_timeout=window + _GRACE,
            retry_policy=RETRIES,
        )
    queueing = turn.options(request["journey"], RETRIES) if turn else {}
    return workflow.start_activity(
        names.ACTIVITY_FETCH if kind == "source" else names.ACTIVITY_ACTION,
        request,
        activity_id=identity,
        summary=summary,
        # No other limit than the instance's own time: an hour without workers must not expire what was to be sent.
        schedule_to_close_timeout=max(instance.deadline - instance.now(), _LEAST),
        start_to_close_timeout=window + _GRACE,
        **{"retry_policy": RETRIES, **queueing, **({"retry_policy": UNBOUNDED} if patient else {})},
        cancellation_type=_KNOWN if turn is not None or patient else _AT_ONCE,
    )
