"""Steps that call an endpoint: all that `fetch` and `action` share."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from sojourn.definitions.checks.literals import check_constant
from sojourn.definitions.codes import Code
from sojourn.definitions.problems import choose
from sojourn.definitions.steps.context import ExpressionContext, StepContext
from sojourn.definitions.steps.kind import Step
from sojourn.definitions.steps.values import Target, Templates
from sojourn.expressions import NULL, Type, from_json_schema, union


class EndpointStep(Step):
    """A step that calls an endpoint, whose name is the value of its own key."""

    calls: ClassVar[bool] = True
    leaves_result: ClassVar[bool] = True
    templates: ClassVar[tuple[str, ...]] = ("with",)
    timeout_hint: ClassVar[str] = "Leave it out; `call_timeout` of the journey holds for its calls."
    endpoint_kind: ClassVar[str] = ""
    """`source` or `action`."""

    if TYPE_CHECKING:
        # Each kind declares them after its own key: that is the order of the JSON Schema.
        with_: Templates
        on_error: Target | None

    def endpoint(self) -> str:
        """Return the id of the endpoint."""
        return f"{self.endpoint_kind}:{self._name}"

    @property
    def _name(self) -> str:
        return str(getattr(self, self.kind))

    def check(self, context: StepContext) -> None:
        """Report an endpoint that does not exist, and parameters that are unknown or missing."""
        source, path, kind, name = context.source, context.path, self.endpoint_kind, self._name
        read = context.endpoints.get(self.endpoint())
        if read is None:
            if not context.broken:
                self._report_unknown(context)
            return
        if read.model is None:
            return
        known = read.model.parameters
        for parameter in self.with_:
            if parameter not in known and not source.full:
                message = f"The {kind} `{name}` has no parameter `{parameter[:60]}`"
                hint = choose(parameter, known) or f"It has none: remove it, or declare it in the {kind}."
                source.report(Code.UNKNOWN_PARAMETER, (*path, "with", parameter), message, hint, key=True)
        for parameter in read.model.required_parameters:
            if parameter not in self.with_:
                source.report(
                    Code.MISSING_PARAMETER,
                    (*path, "with") if self.with_ else (*path, self.kind),
                    f"The {kind} `{name}` needs the parameter `{parameter}`",
                    f'Add it: with: {{{parameter}: "${{...}}"}}.',
                    key=True,
                )

    def _report_unknown(self, context: StepContext) -> None:
        kind, name = self.endpoint_kind, self._name
        code = Code.UNKNOWN_SOURCE if kind == "source" else Code.UNKNOWN_ACTION
        other = "action" if kind == "source" else "source"
        if f"{other}:{name}" in context.endpoints:
            written = "action" if kind == "source" else "fetch"
            hint = (
                f"`{name}` is {'an action' if other == 'action' else 'a source'}: write `{written}: {name}`."
            )
        else:
            known = [key.partition(":")[2] for key in context.endpoints if key.startswith(kind)]
            hint = choose(name, known, kind) + f" A document `{kind}: {name[:60]}` defines it."
        message = f"There is no {kind} `{name[:80]}`"
        context.source.report(code, (*context.path, self.kind), message, hint.strip())

    def check_expressions(self, context: ExpressionContext) -> None:
        """Report templates that do not compile, or cannot yield what the parameters' schemas want."""
        read = context.endpoints.get(self.endpoint())
        model = read.model if read else None
        parameters = model.parameters if model else {}
        for parameter, value in self.with_.items():
            where = (*context.path, "with", parameter)
            schema = parameters.get(parameter)
            if schema is None or (read and ("parameters", parameter) in read.source.failed):
                context.template(value, where)
                continue
            before = len(context.source.failed)
            # A parameter that may be left out may be null as well: it is then sent as null.
            nullable = model is not None and parameter not in model.required_parameters
            expected = from_json_schema(schema)
            context.template(value, where, union(expected, NULL) if nullable else expected)
            if len(context.source.failed) == before and not (nullable and value is None):
                check_constant(value, context.source, where, schema, f"the parameter `{parameter}`")

    def result_type(self, answer: Callable[[str], Type], infer: Callable[[Any], Type]) -> Type | None:
        """Return the type of the endpoint's answer."""
        return answer(self.endpoint())

    def compile(self, onward: str | None) -> dict[str, Any]:
        """Return `endpoint`, `with` and the ways out."""
        return {"on_error": self.on_error, "endpoint": self._name, "with": self.with_, "next": onward}
