"""Steps `jump`: start the profile on another journey."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field

from sojourn.definitions.base import JourneyName
from sojourn.definitions.checks.literals import check_constant
from sojourn.definitions.codes import Code
from sojourn.definitions.problems import choose
from sojourn.definitions.steps.context import ExpressionContext, StepContext
from sojourn.definitions.steps.kind import Step
from sojourn.definitions.steps.values import Target, Templates
from sojourn.expressions.types import field_of


class JumpStep(Step):
    """Starts the profile on another journey, and goes on."""

    kind: ClassVar[str] = "jump"
    in_python: ClassVar[str | None] = "jump"
    calls: ClassVar[bool] = True
    templates: ClassVar[tuple[str, ...]] = ("with",)

    jump: JourneyName
    with_: Templates | None = Field(
        None,
        alias="with",
        description="Data of the event on which profiles enter that journey; that of this one's if left out",
    )
    on_error: Target | None = None

    def check(self, context: StepContext) -> None:
        """Report a journey that does not exist, and data that its entry event lacks or does not know."""
        if self.jump not in context.journeys:
            if not context.broken:
                near = choose(self.jump, context.journeys)
                hint = f"{near} Publishing refuses it unless the journey is published by then."
                message = f"There is no journey `{self.jump[:80]}` in this project"
                context.source.report(Code.JOURNEY_ELSEWHERE, (*context.path, "jump"), message, hint.strip())
            return
        event = context.entry_event_of(self.jump)
        if event is None or context.entry_event is None:
            return
        if self.with_ is None:
            self._check_without_data(event, context)
        else:
            self._check_fields(event, self.with_, context)

    def _check_without_data(self, event: str, context: StepContext) -> None:
        if event == context.entry_event:
            return
        context.source.report(
            Code.MISSING_PARAMETER,
            (*context.path, "jump"),
            f"Profiles enter `{self.jump}` on `{event}`, and the jump says no data for it",
            'Add it: with: {FIELD: "${...}"}. It can be left out where both journeys enter on the same event.',
            key=True,
        )

    def _check_fields(self, event: str, data: Mapping[str, Any], context: StepContext) -> None:
        source, path = context.source, context.path
        schema = context.event_schema(event)
        known = list(_properties(schema))
        for name in data:
            if schema.get("additionalProperties") is False and name not in known and not source.full:
                message = f"The event `{event}` has no field `{name[:60]}`"
                where = (*path, "with", name)
                source.report(Code.UNKNOWN_PARAMETER, where, message, choose(name, known), key=True)
        required = schema.get("required")
        for name in required if isinstance(required, list) else ():
            if name not in data:
                source.report(
                    Code.MISSING_PARAMETER,
                    (*path, "with") if data else (*path, "jump"),
                    f"The event `{event}`, on which profiles enter `{self.jump}`, needs the field `{name}`",
                    f'Add it: with: {{{name}: "${{...}}"}}.',
                    key=True,
                )

    def check_expressions(self, context: ExpressionContext) -> None:
        """Report templates in `with` that do not compile, or cannot yield what the entry event's schema wants."""
        event = context.entry_event_of(self.jump)
        schema = {} if event is None else context.event_schema(event)
        for name, value in (self.with_ or {}).items():
            where, before = (*context.path, "with", name), len(context.source.failed)
            expected = None if event is None else field_of(context.event_type(event), name)
            context.template(value, where, expected)
            if len(context.source.failed) == before:
                what = f"the event's field `{name}`"
                check_constant(value, context.source, where, _properties(schema).get(name), what)

    def compile(self, onward: str | None) -> dict[str, Any]:
        """Return `journey`, `with` and the ways out."""
        return {"on_error": self.on_error, "journey": self.jump, "with": self.with_, "next": onward}


def _properties(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    found = schema.get("properties")
    return found if isinstance(found, Mapping) else {}
