"""Steps `wait`: let time pass, for a duration or until a moment."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import ConfigDict, Field

from sojourn.definitions.base import Model
from sojourn.definitions.codes import Code
from sojourn.definitions.dates import parse_moment
from sojourn.definitions.problems import sentence
from sojourn.definitions.steps.context import ExpressionContext, StepContext
from sojourn.definitions.steps.kind import Step
from sojourn.definitions.steps.lengths import check_length, compiled_span
from sojourn.definitions.steps.values import MOMENT, SPAN, Clock, Day, Span


class Pause(Model):
    """How long a `wait` step waits: exactly one of `for`, `until` and `until_time`."""

    # For editors; `WaitStep.check` reports the same in a file, in its own words.
    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [{"required": [name]} for name in ("for", "until", "until_time")],
            "dependentRequired": {"on": ["until_time"]},
        }
    )

    for_: Span | None = Field(None, alias="for")
    until: str | None = Field(
        None, description='A moment: "${...}" that yields a timestamp, or RFC 3339 text'
    )
    until_time: Clock | None = Field(
        None, description="A time of day in the journey's time zone, such as 09:00"
    )
    on: list[Day] | None = Field(None, min_length=1, description="The days on which `until_time` counts")


class WaitStep(Step):
    """Lets time pass."""

    kind: ClassVar[str] = "wait"
    waits: ClassVar[bool] = True
    templates: ClassVar[tuple[str, ...]] = ("for", "until")
    short_form: ClassVar[tuple[type, str] | None] = (str, "Write wait: {for: 1h} or wait: {until: ...}.")

    wait: Pause

    def check(self, context: StepContext) -> None:
        """Report a wait without an end or with two, one that is too long, and a moment that cannot be read."""
        source, wait, path = context.source, self.wait, (*context.path, "wait")
        ends = (("for", wait.for_), ("until", wait.until), ("until_time", wait.until_time))
        given = [key for key, value in ends if value]
        if len(given) > 1:
            shown = " and ".join(f"`{key}`" for key in given)
            message = f"The wait has two ends, {shown}"
            source.report(Code.ONE_OF, (*path, given[1]), message, "Keep one of them.", key=True)
        if not given:
            hint = "Write {for: 1h}, {until: ...} with a moment, or {until_time: ...} with a time of day."
            source.report(Code.MISSING_KEY, path, "The wait does not say how long", hint, key=True)
        if isinstance(wait.for_, int | float):
            check_length(wait.for_, (*path, "for"), context)
        if wait.until is not None and "${" not in wait.until:
            try:
                parse_moment(wait.until, None)
            except ValueError as error:
                message, _, hint = str(error).partition("; ")
                hint = sentence(hint) + '; or "${...}".'
                source.report(Code.DATE, (*path, "until"), sentence(message), hint)
        if wait.on is not None and wait.until_time is None:
            source.report(
                Code.ONE_OF, (*path, "on"), "`on` needs `until_time`", "Add `until_time`.", key=True
            )

    def check_expressions(self, context: ExpressionContext) -> None:
        """Check the template of the duration or of the moment."""
        if isinstance(self.wait.for_, str):
            context.template(self.wait.for_, (*context.path, "wait", "for"), SPAN)
        if self.wait.until is not None and "${" in self.wait.until:
            context.template(self.wait.until, (*context.path, "wait", "until"), MOMENT)

    def compile(self, onward: str | None) -> dict[str, Any]:
        """Return `for`, or `until_time` and `on`, or `until`."""
        wait = self.wait
        if wait.for_ is not None:
            return {"for": compiled_span(wait.for_), "next": onward}
        if wait.until_time is not None:
            return {"until_time": wait.until_time, "on": wait.on, "next": onward}
        return {"until": wait.until, "next": onward}
