"""Jumps: an instance starts its profile on another journey."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import FailureError

from sojourn.contract import names
from sojourn.workflows.engine.endings import StepError, TimedOut
from sojourn.workflows.engine.failures import is_cancelled, step_error
from sojourn.workflows.engine.instance import Instance
from sojourn.workflows.engine.values import moment

PATIENCE = timedelta(days=1)
"""How long a jump is tried while Temporal or the database cannot be reached. Both are our own: an outage of theirs must
not send customers to error paths."""

_ATTEMPT = timedelta(seconds=45)
"""Longest time of one attempt: longer than admission waits for others that work on the same profile."""

_LEAST = timedelta(seconds=1)

_RETRIES = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=30))

EFFECTS = {"started": "started", "already_inside": "already inside"}
"""The effects of a jump: the activity's word, and the trace's."""


async def jump(instance: Instance, journey: str, data: Any) -> dict[str, Any]:
    """Start the profile on the newest version of another journey, from the step at which the instance is.

    Args:
        instance: The instance.
        journey: The other journey.
        data: Data of the event on which profiles enter it, plain JSON.

    Returns:
        `{effect, journey, version}`; the effect is one of `EFFECTS`.

    Raises:
        asyncio.CancelledError: An exit came before the jump.
        StepError: The journey refuses the profile (`refused`), or could not be asked in time (`network`, `timed_out`).
        TimedOut: The instance reached the end of its own time first.
    """
    instance.arrivals.check_ended()
    here, info = instance.position, workflow.info()
    step = str(here.step)
    window = min(max(instance.deadline - instance.now(), _LEAST), PATIENCE)
    request = {
        "target": journey,
        "key": instance.start.key,
        "data": data,
        "time": moment(instance.now()),
        "event_id": names.idempotency_key(info.workflow_id, info.first_execution_run_id, step, here.visit),
        "journey": instance.definition["name"],
        "step": step,
    }
    instance.show(f"jumps to {journey}")
    try:
        answer = await workflow.execute_activity(
            names.ACTIVITY_JUMP,
            request,
            activity_id=names.activity_id(step, here.visit),
            summary=f"{step}: jumps to {journey}"[:190],
            start_to_close_timeout=_ATTEMPT,
            schedule_to_close_timeout=window,
            retry_policy=_RETRIES,
        )
    except FailureError as error:
        if not is_cancelled() and instance.now() >= instance.deadline:
            raise TimedOut from None
        raise step_error(f"the jump to {journey}", error, window) from None
    if is_cancelled():
        raise asyncio.CancelledError
    if not isinstance(answer, dict) or answer.get("effect") not in EFFECTS:
        raise StepError(
            "invalid_response", f"the jump to {journey}: the worker's activity gave no {{effect}}"
        )
    return answer


def summary(answer: dict[str, Any]) -> str:
    """Return the result of a jump in a few words, for the trace."""
    version = answer.get("version")
    words = EFFECTS[answer["effect"]]
    return f"{words} in version {version}" if isinstance(version, int) else words
