"""Steps `set`: name values for later steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from pydantic import Field

from sojourn.definitions.base import Identifier
from sojourn.definitions.steps.context import ExpressionContext
from sojourn.definitions.steps.kind import Step
from sojourn.expressions import Type, map_of


class SetStep(Step):
    """Names values for later steps: `steps.<id>.<name>`."""

    kind: ClassVar[str] = "set"
    leaves_result: ClassVar[bool] = True
    templates: ClassVar[tuple[str, ...]] = ("values",)

    set: dict[Identifier, Any] = Field(min_length=1)

    def check_expressions(self, context: ExpressionContext) -> None:
        """Check the templates of the values."""
        context.template(self.set, (*context.path, "set"))

    def result_type(self, answer: Callable[[str], Type], infer: Callable[[Any], Type]) -> Type | None:
        """Return a map of the values' types."""
        return map_of({name: infer(value) for name, value in self.set.items()})

    def compile(self, onward: str | None) -> dict[str, Any]:
        """Return `values` and `next`."""
        return {"values": self.set, "next": onward}
