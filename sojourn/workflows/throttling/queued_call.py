"""Waiting for one's turn at a throttled action: on which task queue, and for how long."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import Priority, RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, FailureError, TimeoutType
from temporalio.exceptions import TimeoutError as TemporalTimeoutError

from sojourn.contract import names
from sojourn.workflows.engine.endings import StepError

_FAIRNESS_BYTES = 64
_DEFAULT_EXPIRE = 6 * 3600


@dataclass(frozen=True, slots=True)
class Turn:
    """How a call queues.

    Attributes:
        queue: The action's own task queue, whose rate the server keeps.
        expire: Seconds after which an attempt that has not begun is dropped.
        window: Seconds that the attempts have together; None: all that the journey gives.
        attempts: Most attempts; None: as many as any call has.
    """

    queue: str
    expire: float
    window: float | None = None
    attempts: int | None = None

    def words(self, endpoint: str) -> str:
        """Say in plain words what an instance does whose call queues."""
        return (
            f"calls {endpoint}, which is throttled: waits for its turn, for at most {self.expire:g} seconds"
        )

    def options(self, journey: str, retries: RetryPolicy) -> dict[str, Any]:
        """Return what is different about an activity that queues.

        Args:
            journey: The journey's name: the server serves journeys in turns, whichever has more calls waiting.
            retries: The retry policy of calls.
        """
        options: dict[str, Any] = {
            "task_queue": self.queue,
            "schedule_to_start_timeout": timedelta(seconds=self.expire),
            "priority": Priority(fairness_key=_cut(journey)),
        }
        if self.attempts is not None:
            options["retry_policy"] = replace(retries, maximum_attempts=self.attempts)
        return options


def planned(name: str, endpoint: dict[str, Any]) -> Turn | None:
    """Return how a call queues by what its journey was compiled with; None where it does not.

    Args:
        name: The endpoint's name.
        endpoint: The compiled journey's entry of it.
    """
    if endpoint["kind"] != "action" or not endpoint.get("throttled"):
        return None
    queue = names.throttled_queue(workflow.info().task_queue, name)
    return Turn(queue, endpoint.get("expire") or _DEFAULT_EXPIRE)


def moved(error: FailureError) -> Turn | None:
    """Return how a call is to queue whose worker found its action throttled by now; None for any other failure."""
    cause = error.cause if isinstance(error, ActivityError) else error
    if not isinstance(cause, ApplicationError) or cause.type != names.ERROR_MOVED or not cause.details:
        return None
    details = cause.details[0]
    return Turn(details["queue"], details["expire"], details.get("window"), details.get("attempts"))


def expired(what: str, error: FailureError, turn: Turn | None) -> StepError | None:
    """Return the error of a call that waited for its turn for too long; None for any other failure."""
    cause = error.cause if isinstance(error, ActivityError) else None
    if (
        turn is None
        or not isinstance(cause, TemporalTimeoutError)
        or cause.type != TimeoutType.SCHEDULE_TO_START
    ):
        return None
    message = f"{what}: the call waited longer than {turn.expire:g} s for its turn"
    before = cause.cause
    if isinstance(before, ApplicationError) and before.type == names.ERROR_CALL and before.details:
        failure = before.details[0]
        message += f", after {failure.get('code')} at the attempt before"
        return StepError("expired", message, status=failure.get("status"), body=failure.get("body"))
    return StepError("expired", message)


def tell(request: dict[str, Any], late: StepError, error: FailureError) -> None:
    """Tell the worker's operators of a call that expired, of which no activity knows. It leaves nothing in history."""
    outside = workflow.extern_functions().get(names.EXTERN_EXPIRED)
    if outside is not None and not workflow.unsafe.is_replaying():
        place = {name: request[name] for name in ("endpoint", "journey", "step")}
        before = error.cause.__cause__ if error.cause else None
        outside(place, late.message, late.status, isinstance(before, ApplicationError))


def _cut(journey: str) -> str:
    """Return a fairness key of at most 64 bytes."""
    return journey.encode()[:_FAIRNESS_BYTES].decode(errors="ignore")
