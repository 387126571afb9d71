"""Whose turn it is at a throttled action: calls come from its own task queue, and not too late."""

from __future__ import annotations

from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from sojourn.contract import names
from sojourn.activities.errors import EXPIRED, CallError
from sojourn.activities.window import Window
from sojourn.definitions import EndpointDefinition
from sojourn.definitions.durations import write_duration


class Moved(ApplicationError):
    """The action is throttled, and this attempt came past its task queue: the workflow is to schedule it there.

    Endpoints are live by name, so that an instance may have entered before the action was throttled.
    """


def check_turn(definition: EndpointDefinition, window: Window) -> None:
    """See that a throttled action is called at its turn. Called within an activity, before anything else happens.

    Args:
        definition: The action as it is now.
        window: The window of the call.

    Raises:
        Moved: The call has to queue first.
        CallError: `expired`: it has queued for too long.
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
        raise Moved(
            message,
            details,
            type=names.ERROR_MOVED,
            non_retryable=True,
            category=ApplicationErrorCategory.BENIGN,
        )
    # Both are the server's: what is queued has the time-out of when it was scheduled, and a shorter one came later.
    waited = (info.started_time - info.current_attempt_scheduled_time).total_seconds()
    if waited > throttle.expire:
        raise CallError(
            EXPIRED,
            f"the call waited longer than {write_duration(throttle.expire)} for its turn; it was not made",
        )
