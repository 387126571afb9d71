"""The activity behind `jump`: starting a profile on another journey."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol

from temporalio import activity
from temporalio.client import Client

from sojourn.activities.errors import NETWORK, CallError, refused
from sojourn.activities.reporting import log_failure, trace
from sojourn.contract import names

_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=1), timedelta(seconds=30)

EFFECTS = ("started", "already_inside")
"""What a jump may do; whatever else is answered is a refusal."""

_TEXTS = ("target", "key", "time", "event_id")

logger = logging.getLogger("sojourn.activities")


class Jumps(Protocol):
    """Lets profiles into journeys by the same admission as events: `sojourn.routing.RoutedJumps`."""

    async def jump(
        self, client: Client, target: str, key: str, event_id: str, time: datetime, data: Any
    ) -> Mapping[str, Any]:
        """Start a profile on the newest version of a journey.

        Args:
            client: The client of the worker that asks.
            target: The journey.
            key: The profile key.
            event_id: The id of the entry event: asked again with the same one, nothing is started twice.
            time: The time of the entry event.
            data: Its data.

        Returns:
            `{"effect", "journey", "version"}` where the effect is `started` or `already_inside`;
            `{"effect": "refused", "reason", "message"}` where the profile is not let in. Any exception says that it
            is to be tried again.
        """
        ...


class JumpCalls:
    """The activity of a worker that concerns jumps.

    Args:
        jumps: Lets profiles in; without it every jump is `refused`.
    """

    def __init__(self, jumps: Jumps | None) -> None:
        self._jumps = jumps

    @property
    def activities(self) -> list[Callable[..., Any]]:
        """What a worker registers."""
        return [self.jump]

    @activity.defn(name=names.ACTIVITY_JUMP)
    async def jump(self, call: dict[str, Any]) -> dict[str, Any]:
        """Start a profile on another journey, once for each event id.

        Args:
            call: `{"target", "key", "data", "time", "event_id", "journey", "step"}`.

        Returns:
            `{"effect": "started" or "already_inside", "journey", "version"}`.

        Raises:
            ApplicationError: Of the type `names.ERROR_CALL`; its detail is `{code, status, message, body}`.
        """
        try:
            return await self._attempt(call)
        except CallError as error:
            failure = error
        except Exception as error:
            # Where, but not what: a database's error may quote a profile key.
            logger.debug("the jump could not be made: %s", trace(error))
            message = f"admission cannot be reached at the moment ({type(error).__name__})"
            failure = CallError(NETWORK, message, retryable=True, expected=False)
        attempt = activity.info().attempt
        delay = None
        if failure.retryable:
            # The workflow bounds how long: it is our own system, and comes back.
            delay = min(_FIRST_PAUSE * 2 ** min(attempt - 1, 10), _LONGEST_PAUSE).total_seconds()
        log_failure("jump", str(call.get("target")), call, failure, attempt, delay)
        raise failure.application_error(delay)

    async def _attempt(self, call: dict[str, Any]) -> dict[str, Any]:
        if not all(isinstance(call.get(field), str) for field in _TEXTS):
            raise refused("the call is not one of Sojourn's journeys", expected=False)
        if self._jumps is None:
            raise refused(
                "this worker makes no jumps: give its Calls(...) some, jumps=RoutedJumps(store, settings)",
                expected=False,
            )
        answer = await self._jumps.jump(
            activity.client(),
            call["target"],
            call["key"],
            call["event_id"],
            datetime.fromisoformat(call["time"]),
            call.get("data"),
        )
        if answer.get("effect") not in EFFECTS:
            raise refused(f"{answer.get('reason')}: {answer.get('message')}")
        return {field: answer.get(field) for field in ("effect", "journey", "version")}
