"""Steps `wait_for`: wait for one of several events, or for a timeout."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field

from sojourn.definitions.base import CelText, Model, Name
from sojourn.definitions.codes import Code
from sojourn.definitions.documents.validate import Source
from sojourn.definitions.problems import Path
from sojourn.definitions.steps.context import ExpressionContext, StepContext
from sojourn.definitions.steps.exits import Exit, branch
from sojourn.definitions.steps.kind import Step
from sojourn.definitions.steps.lengths import check_length, compiled_span
from sojourn.definitions.steps.values import SPAN, Span, Target


class AwaitedEvent(Model):
    """One of the events that a `wait_for` step listens for."""

    event: Name
    when: CelText | None = Field(
        None, description="Which of these events counts; `event` is the one that arrived"
    )
    next: Target | None = None
    restart: bool = Field(False, description="The event does not end the wait: its timer starts again")


class Timeout(Model):
    """When a wait for events ends without one."""

    after: Span
    next: Target | None = None


class WaitForStep(Step):
    """Listens for events; the first that fits decides the path."""

    kind: ClassVar[str] = "wait_for"
    in_python: ClassVar[str | None] = "wait_for"
    waits: ClassVar[bool] = True
    short_form: ClassVar[tuple[type, str] | None] = (str, "Write wait_for: [{event: NAME}].")

    wait_for: list[AwaitedEvent] = Field(min_length=1)
    timeout: Timeout | None = None
    since: Literal["now", "entry"] = Field(
        "now", description="`entry` also counts events that arrived earlier"
    )

    @classmethod
    def prepare(cls, value: dict[str, Any], source: Source, path: Path) -> dict[str, Any]:
        """Report timeouts that stand at an event, and return the step without them."""
        events = value.get("wait_for")
        if not isinstance(events, list):
            return value
        misplaced = [
            index for index, event in enumerate(events) if isinstance(event, dict) and "timeout" in event
        ]
        if not misplaced:
            return value
        two = len(misplaced) + ("timeout" in value) > 1
        for index in misplaced:
            source.report(
                Code.TWO_TIMEOUTS,
                (*path, "wait_for", index, "timeout"),
                "The step has two timeouts"
                if two
                else "The timeout stands at one event, but it holds for the step",
                "Write one `timeout: {after: ..., next: ...}` beside `wait_for`; it holds for all its events.",
                key=True,
            )
        cleaned = [
            {key: item for key, item in event.items() if key != "timeout"}
            if isinstance(event, dict)
            else event
            for event in events
        ]
        # With a timeout of its own, the step is not also reported as having none.
        return {"timeout": {"after": "1h"}, **value, "wait_for": cleaned}

    def exits(self, following: str | None) -> list[Exit]:
        """Return one way for each event that ends the wait, and one for the timeout."""
        onward = self.onward(following)
        found = [
            branch(event.next, onward, ("wait_for", index, "next"), event.event)
            for index, event in enumerate(self.wait_for)
            if not event.restart
        ]
        if self.timeout:
            found.append(branch(self.timeout.next, onward, ("timeout", "next"), "timeout"))
        return found

    def check(self, context: StepContext) -> None:
        """Report unknown events, events that cannot end the wait, and a timeout that is missing or too long."""
        source, path = context.source, context.path
        for index, event in enumerate(self.wait_for):
            self._check_event(event, (*path, "wait_for", index), context)
        if all(event.restart for event in self.wait_for):
            message = "Each event restarts the wait, so that none ends it"
            hint = "Use `wait`, or add the awaited event."
            source.report(Code.WRONG_VALUE, (*path, "wait_for"), message, hint)
        if self.timeout is None:
            source.report(
                Code.NO_TIMEOUT,
                path,
                "The wait has no timeout: it lasts until the event comes or the journey's own timeout",
                "Add `timeout: {after: 1d, next: ...}`.",
                key=True,
            )
        elif isinstance(self.timeout.after, int | float):
            check_length(self.timeout.after, (*path, "timeout", "after"), context)

    def _check_event(self, event: AwaitedEvent, where: Path, context: StepContext) -> None:
        context.check_event(event.event, (*where, "event"))
        if event.restart and event.next:
            context.source.report(
                Code.NEXT,
                (*where, "next"),
                "An event that restarts the wait leads nowhere",
                "Leave out `next`, or `restart`.",
                key=True,
            )
        if event.restart and self.timeout is None:
            message = "There is no timeout whose timer could start again"
            hint = "Add `timeout: {after: 1h}` to the step, or leave out `restart`."
            context.source.report(Code.MISSING_KEY, (*where, "restart"), message, hint, key=True)

    def check_expressions(self, context: ExpressionContext) -> None:
        """Check the conditions on the events, and the template of the timeout."""
        for index, event in enumerate(self.wait_for):
            context.event_condition(event.when, event.event, (*context.path, "wait_for", index, "when"))
        if self.timeout is not None and isinstance(self.timeout.after, str):
            context.template(self.timeout.after, (*context.path, "timeout", "after"), SPAN)

    def listens(self) -> Sequence[str]:
        """Return the events of the step."""
        return [event.event for event in self.wait_for]

    def counts_earlier_events(self) -> bool:
        """Return whether the step counts events since the entry."""
        return self.since == "entry"

    def compile(self, onward: str | None) -> dict[str, Any]:
        """Return `events`, `timeout` and `since`."""
        events = [
            {
                "event": event.event,
                "when": event.when,
                "next": None if event.restart else event.next or onward,
                "restart": event.restart,
            }
            for event in self.wait_for
        ]
        timeout = None
        if self.timeout:
            timeout = {"after": compiled_span(self.timeout.after), "next": self.timeout.next or onward}
        return {"events": events, "timeout": timeout, "since": self.since}
