"""Steps `log`: write a line to the worker's log."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from sojourn.definitions.base import Model
from sojourn.definitions.steps.context import ExpressionContext
from sojourn.definitions.steps.kind import Step

Level = Literal["debug", "info", "warning", "error"]


class Line(Model):
    """A line of the log."""

    message: str = Field(
        min_length=1, max_length=2000, description='Text of the line; parts of it may be "${...}"'
    )
    level: Level = "info"


class LogStep(Step):
    """Writes a line to the worker's log."""

    kind: ClassVar[str] = "log"
    in_python: ClassVar[str | None] = "log"
    templates: ClassVar[tuple[str, ...]] = ("message",)
    short_form: ClassVar[tuple[type, str] | None] = (str, 'Write log: {message: "...", level: info}.')

    log: Line

    def check_expressions(self, context: ExpressionContext) -> None:
        """Check the template of the message."""
        context.template(self.log.message, (*context.path, "log", "message"))

    def compile(self, onward: str | None) -> dict[str, Any]:
        """Return `message`, `level` and `next`."""
        return {"message": self.log.message, "level": self.log.level, "next": onward}
