"""Steps `condition`: branch on expressions."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from sojourn.definitions.base import CelText, Model
from sojourn.definitions.steps.context import ExpressionContext
from sojourn.definitions.steps.exits import Exit, branch, on_error, otherwise
from sojourn.definitions.steps.kind import Step
from sojourn.definitions.steps.values import Target


class Branch(Model):
    """A branch of a `condition`."""

    when: CelText
    next: Target | None = None


class ConditionStep(Step):
    """An ordered list of branches; the first whose `when` is true wins."""

    kind: ClassVar[str] = "condition"
    short_form: ClassVar[tuple[type, str] | None] = (str, "Write condition: [{when: ..., next: STEP}].")

    condition: list[Branch] = Field(min_length=1)
    else_: Target | None = Field(
        None, alias="else", description="Where to go when none is true; left out: the end"
    )
    on_error: Target | None = None

    def exits(self, following: str | None) -> list[Exit]:
        """Return one way for each branch, and those of `else` and `on_error`."""
        onward = self.onward(following)
        branches = [
            branch(item.next, onward, ("condition", index, "next"), f"branch {index + 1}")
            for index, item in enumerate(self.condition)
        ]
        return [*branches, otherwise(self.else_), *on_error(self.on_error)]

    def check_expressions(self, context: ExpressionContext) -> None:
        """Check the condition of each branch."""
        for index, item in enumerate(self.condition):
            context.condition(item.when, (*context.path, "condition", index, "when"))

    def compile(self, onward: str | None) -> dict[str, Any]:
        """Return `branches`, `else` and `on_error`."""
        branches = [{"when": item.when, "next": item.next or onward} for item in self.condition]
        return {"on_error": self.on_error, "branches": branches, "else": self.else_}
