"""Steps `update_profile`: write attributes of the profile."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field

from sojourn.definitions.checks.literals import check_constant
from sojourn.definitions.codes import Code
from sojourn.definitions.problems import Path, choose
from sojourn.definitions.steps.context import ExpressionContext
from sojourn.definitions.steps.kind import Step
from sojourn.definitions.steps.values import Target
from sojourn.expressions import NULL, Type, union
from sojourn.expressions.types import field_of


class UpdateProfileStep(Step):
    """Writes attributes to the built-in profile."""

    kind: ClassVar[str] = "update_profile"
    in_python: ClassVar[str | None] = "update_profile"
    calls: ClassVar[bool] = True
    templates: ClassVar[tuple[str, ...]] = ("values",)

    update_profile: dict[str, Any] = Field(
        min_length=1,
        description="Attributes and their values; objects are merged, and null removes an attribute",
    )
    on_error: Target | None = None

    def check_expressions(self, context: ExpressionContext) -> None:
        """Report changes that the profile's schema does not allow."""
        _check(self.update_profile, (*context.path, "update_profile"), context.profile(), context)

    def compile(self, onward: str | None) -> dict[str, Any]:
        """Return `values` and the ways out."""
        return {"on_error": self.on_error, "values": self.update_profile, "next": onward}


def _check(
    values: Mapping[str, Any],
    path: Path,
    known: tuple[Type, Mapping[str, Any] | None],
    context: ExpressionContext,
) -> None:
    """Check a merge patch (RFC 7396) with templates in it against the profile, or against a part of it."""
    source = context.source
    type_, schema = known
    schema = schema if isinstance(schema, Mapping) else {}
    properties = schema.get("properties")
    properties = properties if isinstance(properties, Mapping) else {}
    for name, value in values.items():
        where, field = (*path, name), field_of(type_, name)
        if field is None:
            message = f"The profile's schema has no attribute `{name[:60]}`"
            hint = choose(name, list(type_.fields or {})) or "Add it to the document `profile`."
            source.report(Code.UNKNOWN_NAME, where, message, hint, key=True)
        elif value is None:
            if name in (schema.get("required") or ()):
                message = f"The profile's schema requires `{name[:60]}`, so that it cannot be removed"
                source.report(Code.WRONG_TYPE, where, message, "Write a value, or require it no more.")
        elif isinstance(value, dict) and field.may_be(["map"]):
            _check(value, where, (field, properties.get(name)), context)
        else:
            before = len(source.failed)
            # A template may also yield null, which removes the attribute.
            templated = isinstance(value, str) and "${" in value
            context.template(value, where, union(field, NULL) if templated else field)
            if len(source.failed) == before:
                what = f"the profile's attribute `{where[-1]}`"
                check_constant(value, source, where, properties.get(name), what)
