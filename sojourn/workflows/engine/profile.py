"""The built-in profile as a running instance knows it: read just before an expression needs it.

What was read is used until something may have changed it: a wait, a pause, an event, a call that queued. It is never
carried over to a new run, which reads it again.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import FailureError

from sojourn import expressions
from sojourn.contract import names
from sojourn.workflows.engine import limits
from sojourn.workflows.engine.endings import StepError
from sojourn.workflows.engine.failures import is_cancelled, step_error
from sojourn.workflows.engine.values import weight

if TYPE_CHECKING:
    from sojourn.workflows.engine.instance import Instance

RETRIES = RetryPolicy(
    initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=10), maximum_attempts=4
)
"""As for calls: the first attempt and up to three retries, within the window that the activity keeps."""

PATIENCE = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=30))
"""For conditions of events that need the profile: the server tries again until a worker can read it."""

_GRACE = timedelta(seconds=5)
"""Time after the window in which an activity can still report how it ended."""


class Profile:
    """The profile of one instance.

    Args:
        instance: The instance.
    """

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        use = instance.definition.get("profile")
        # Journeys compiled before there were profiles say nothing, and use none.
        self._used = use is not None
        self._wanted: list[str] | None = use["attributes"] if use is not None else []
        self._wants = 0
        self._asked = 0
        self.reading = 0
        """How many readings and writings are under way."""
        self._known = -1
        self._known_by = 0
        self.attributes: dict[str, Any] = {}
        """What was read last: `profile` in expressions. A profile that does not exist is empty."""

    def forget(self) -> None:
        """Stop using what was read: the next expression that names the profile has it read again."""
        self._wants += 1

    def stale(self) -> bool:
        """Return whether the profile must be read before it is used."""
        return self._known != self._wants

    def named_in(self, value: Any) -> bool:
        """Return whether a condition names the profile.

        Args:
            value: The text of an expression in `when`, or None.
        """
        return self._used and isinstance(value, str) and _in_expression(value)

    def needed_by(self, value: Any) -> bool:
        """Return whether the profile must be read before a condition is evaluated."""
        return self.stale() and self.named_in(value)

    def needed_in(self, template: Any) -> bool:
        """Return whether the profile must be read before a template is evaluated."""
        if not self._used or not self.stale() or template is None or isinstance(template, int | float):
            return False
        return _in_template(json.dumps(template))

    async def ensure(self, *templates: Any, when: str | None = None) -> bool:
        """Read the profile if what is evaluated next names it, see `refresh`.

        Args:
            templates: The templates that are evaluated next.
            when: The condition that is evaluated next.

        Returns:
            Whether it was read.

        Raises:
            StepError: It cannot be read.
            TimedOut: The instance reached the end of its own time.
        """
        return await self.refresh(lambda: self.needed_by(when) or any(map(self.needed_in, templates)))

    async def refresh(self, needed: Callable[[], bool]) -> bool:
        """Read the profile if it is needed.

        Meanwhile the instance may be paused, or an exit may come. So it waits until it may go on, and reads the profile
        again after a pause.

        Args:
            needed: Returns whether the profile is needed.

        Returns:
            Whether it was read.

        Raises:
            StepError: It cannot be read.
            TimedOut: The instance reached the end of its own time.
        """
        read = False
        while needed():
            self._instance.show("reads the profile")
            await self.read()
            read = True
            paused = self._instance.paused
            await self._instance.proceed()
            if not paused:
                break
        return read

    async def read(self, *, patient: bool = False) -> None:
        """Read the profile. Several reads at the same time do not disturb each other.

        Args:
            patient: Try until it can be read, or until the end of the instance's time.

        Raises:
            StepError: It cannot be read.
            asyncio.CancelledError: The instance ended meanwhile.
        """
        answer = await self._ask(names.ACTIVITY_PROFILE, {}, patient=patient)
        self._keep(answer)

    async def read_at_length(self) -> None:
        """Read the profile for an event's condition: first as a step does, then until a worker can.

        An error that no retry can cure is noted, and the profile stays as it was known.
        """
        instance = self._instance
        try:
            await self.read()
        except StepError as first:
            instance.state.note(f"reading the profile is tried again: {first.message}")
            instance.show(f"tries to read the profile: {first.code}")
            try:
                await self.read(patient=True)
            except StepError as error:
                instance.state.note(f"the profile could not be read: {error.message}")

    async def update(self, changes: dict[str, Any]) -> None:
        """Write attributes, once for each visit of the step at which the instance is.

        Args:
            changes: A merge patch (RFC 7396): null removes an attribute, objects are merged.

        Raises:
            StepError: It could not be written.
            asyncio.CancelledError: The instance ended meanwhile.
        """
        here, info = self._instance.position, workflow.info()
        operation = names.idempotency_key(
            info.workflow_id, info.first_execution_run_id, str(here.step), here.visit
        )
        more = {"changes": changes, "operation": operation}
        answer = await self._ask(names.ACTIVITY_UPDATE_PROFILE, more, patient=False)
        if self._used:
            self._keep(answer)

    def _keep(self, answer: tuple[int, int, dict[str, Any]]) -> None:
        number, wants, attributes = answer
        # Of two reads at the same time, the one that began later knows more.
        if number > self._known_by:
            self._known_by, self._known, self.attributes = number, wants, attributes

    async def _ask(
        self, kind: str, more: dict[str, Any], *, patient: bool
    ) -> tuple[int, int, dict[str, Any]]:
        """Run an activity; returns its number, the value of `_wants` when it began, and the attributes."""
        self._asked += 1
        number, wants = self._asked, self._wants
        window = timedelta(seconds=self._instance.definition.get("call_timeout", 30))
        request = {
            "key": self._instance.start.key,
            # No more than the journey names: all that is read is in the history.
            "attributes": self._wanted,
            "journey": self._instance.definition["name"],
            "step": self._instance.position.step,
            "window": window.total_seconds(),
            **more,
            **({"patient": True} if patient else {}),
        }
        self.reading += 1
        try:
            answer = await self._start(kind, request, number, window, patient=patient)
        except FailureError as error:
            raise step_error("the profile", error, window) from None
        finally:
            self.reading -= 1
        if is_cancelled():
            raise asyncio.CancelledError
        attributes = answer.get("attributes") if isinstance(answer, dict) else None
        if not isinstance(attributes, dict):
            raise StepError("invalid_response", "the profile: the worker's activity gave no {attributes}")
        if weight(attributes) > limits.PROFILE_BYTES:
            most = limits.PROFILE_BYTES // 1024
            raise StepError("invalid_response", f"the profile takes more than the {most} kB that are read")
        return number, wants, attributes

    def _start(
        self, kind: str, request: dict[str, Any], number: int, window: timedelta, *, patient: bool
    ) -> workflow.ActivityHandle[Any]:
        here = self._instance.position
        update = kind == names.ACTIVITY_UPDATE_PROFILE
        identity = (
            names.activity_id(str(here.step), here.visit) if update else names.profile_activity_id(number)
        )
        summary = f"{here.step}: {'writes' if update else 'reads'} the profile"[:190]
        if self._instance.start.local_fetch and not patient:
            # Reading, and writing the same operation, may be repeated after a crash, so the server need not schedule
            # them: one history event instead of three.
            return workflow.start_local_activity(
                kind,
                request,
                activity_id=identity,
                summary=summary,
                schedule_to_close_timeout=window + _GRACE,
                retry_policy=RETRIES,
            )
        left = self._instance.deadline - self._instance.now()
        return workflow.start_activity(
            kind,
            request,
            activity_id=identity,
            summary=summary,
            start_to_close_timeout=window + _GRACE,
            schedule_to_close_timeout=max(left, _GRACE) if patient else None,
            retry_policy=PATIENCE if patient else RETRIES,
        )


@lru_cache(maxsize=8192)
def _in_expression(text: str) -> bool:
    return _any_path(expressions.compile(text))


@lru_cache(maxsize=8192)
def _in_template(text: str) -> bool:
    if "profile" not in text:
        return False
    template = expressions.compile_template(json.loads(text))
    return any(_any_path(expression) for _, expression in template.expressions)


def _any_path(expression: expressions.Expression) -> bool:
    return any(path[0] == "profile" for path in expression.paths if path)
