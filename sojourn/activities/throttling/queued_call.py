"""Rejection of throttled calls that bypass their task queue or waited too long for their turn."""

from __future__ import annotations

from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from sojourn.activities.errors import EXPIRED, CallError
from sojourn.activities.window import Window
from sojourn.contract import names
from sojourn.definitions import EndpointDefinition
from sojourn.definitions.durations import write_duration


class MustQueue(ApplicationError):
    """A call of a throttled action came past the action's task queue: the workflow must schedule it there.

    Endpoints are live by name: an instance may have entered before the action was throttled.
    """


def check_queued(definition: EndpointDefinition, window: Window) -> None:
    """Check that a throttled action is called from its own task queue, and in time.

    Called in the activity, before anything else happens.

    Args:
        definition: The action as it is now.
        window: The window of the call.

    Raises:
        MustQueue: The call must queue first.
        CallError: `expired`: it queued too long.
    """
    throttle = definition.throttle
    info = activity.info()
    if throttle is None or info.is_local or info.task_queue is None:
        return
    if not names.is_throttled_queue(info.task_queue, definition.name):
        details = {
            "queue": names.throttled_queue(info.task_queue, definition.name),
            "expire": throttle.expire,
            "window": window.remaining_whole(),
            "attempts": window.attempts_left(),
        }
        message = f"{definition.name} is throttled by now; the call queues for its turn"
        raise MustQueue(
            message,
            details,
            type=names.ERROR_MUST_QUEUE,
            non_retryable=True,
            category=ApplicationErrorCategory.BENIGN,
        )
    # Both times are the server's. It drops a call only after the `expire` with which the call was scheduled, which may
    # have been longer than the one of today.
    waited = (info.started_time - info.current_attempt_scheduled_time).total_seconds()
    if waited > throttle.expire:
        raise CallError(
            EXPIRED,
            f"the call waited longer than {write_duration(throttle.expire)} for its turn; it was not made",
        )
