"""Steps `end`: end the instance."""

from __future__ import annotations

from typing import Any, ClassVar

from sojourn.definitions.steps.context import ExpressionContext
from sojourn.definitions.steps.exits import Exit
from sojourn.definitions.steps.kind import Step


class EndStep(Step):
    """Ends the instance; the text is its outcome."""

    kind: ClassVar[str] = "end"
    leads_on: ClassVar[bool] = False
    templates: ClassVar[tuple[str, ...]] = ("outcome",)

    end: str | None

    def exits(self, following: str | None) -> list[Exit]:
        """Return no way: the journey ends here."""
        return []

    def check_expressions(self, context: ExpressionContext) -> None:
        """Check the template of the outcome."""
        if self.end is not None:
            context.template(self.end, (*context.path, "end"))

    def compile(self, onward: str | None) -> dict[str, Any]:
        """Return `outcome`."""
        return {"outcome": self.end}
