"""Steps `fetch`: ask a data source."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from pydantic import Field

from sojourn.definitions.base import Name
from sojourn.definitions.steps import endpoint_call
from sojourn.definitions.steps.context import ExpressionContext, StepContext
from sojourn.definitions.steps.kind import Step
from sojourn.definitions.steps.values import Target, Templates
from sojourn.expressions import Type


class FetchStep(Step):
    """Asks a data source; the result is `steps.<id>`."""

    kind: ClassVar[str] = "fetch"
    in_python: ClassVar[str | None] = "fetch"
    fails: ClassVar[bool] = True
    calls: ClassVar[bool] = True
    leaves_result: ClassVar[bool] = True
    templates: ClassVar[tuple[str, ...]] = ("with",)
    timeout_hint: ClassVar[str] = endpoint_call.TIMEOUT_HINT

    fetch: Name
    with_: Templates = Field(default_factory=dict, alias="with", description="Values of the parameters")
    on_error: Target | None = None

    def check(self, context: StepContext) -> None:
        """Report an unknown source, and parameters that are unknown or missing."""
        endpoint_call.check(self.kind, self.endpoint(), self.with_, context)

    def check_expressions(self, context: ExpressionContext) -> None:
        """Check the templates of the parameters."""
        endpoint_call.check_templates(self.endpoint(), self.with_, context)

    def result_type(self, answer: Callable[[str], Type], infer: Callable[[Any], Type]) -> Type | None:
        """Return the type of the source's answer."""
        return answer(self.endpoint())

    def endpoint(self) -> str:
        """Return the id of the source."""
        return f"source:{self.fetch}"

    def compile(self, onward: str | None) -> dict[str, Any]:
        """Return `endpoint`, `with` and the ways out."""
        return {"on_error": self.on_error, "endpoint": self.fetch, "with": self.with_, "next": onward}
