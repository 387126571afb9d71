"""A call that queues for its turn at a throttled action: on which task queue, and for how long."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import Priority, RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, FailureError

from sojourn.contract import names

_FAIRNESS_BYTES = 64
_DEFAULT_EXPIRE = 6 * 3600


@dataclass(frozen=True, slots=True)
class QueuedCall:
    """How a call queues.

    Attributes:
        queue: The action's own task queue, whose rate the server keeps.
        expire: Seconds after which an attempt that has not begun is dropped.
        window: Seconds that all attempts have together; None: as many as the journey gives every call.
        attempts: Most attempts; None: as many as every call has.
    """

    queue: str
    expire: float
    window: float | None = None
    attempts: int | None = None

    def summary(self, endpoint: str) -> str:
        """Return in plain words what an instance does while its call queues."""
        return (
            f"calls {endpoint}, which is throttled: waits for its turn, for at most {self.expire:g} seconds"
        )

    def options(self, journey: str, retries: RetryPolicy) -> dict[str, Any]:
        """Return the options in which an activity that queues differs from others.

        Args:
            journey: The journey's name: the server serves journeys in turns, whichever has more calls waiting.
            retries: The retry policy of calls.
        """
        options: dict[str, Any] = {
            "task_queue": self.queue,
            "schedule_to_start_timeout": timedelta(seconds=self.expire),
            "priority": Priority(fairness_key=_fairness_key(journey)),
        }
        if self.attempts is not None:
            options["retry_policy"] = replace(retries, maximum_attempts=self.attempts)
        return options


def planned(name: str, endpoint: dict[str, Any]) -> QueuedCall | None:
    """Return how a call queues according to the compiled journey; None if it does not.

    Args:
        name: The endpoint's name.
        endpoint: Its entry in the compiled journey.
    """
    if endpoint["kind"] != "action" or not endpoint.get("throttled"):
        return None
    queue = names.throttled_queue(workflow.info().task_queue, name)
    return QueuedCall(queue, endpoint.get("expire") or _DEFAULT_EXPIRE)


def must_queue(error: FailureError) -> QueuedCall | None:
    """Return how a call must queue if a worker rejected it with `MustQueue`; None for any other failure.

    Endpoints are live by name: the action may be throttled by now although it was not when the journey was compiled.
    """
    cause = error.cause if isinstance(error, ActivityError) else error
    if not isinstance(cause, ApplicationError) or cause.type != names.ERROR_MUST_QUEUE or not cause.details:
        return None
    details = cause.details[0]
    return QueuedCall(details["queue"], details["expire"], details.get("window"), details.get("attempts"))


def _fairness_key(journey: str) -> str:
    # Temporal takes at most 64 bytes.
    return journey.encode()[:_FAIRNESS_BYTES].decode(errors="ignore")
