"""What of the profile a journey uses: which attributes its expressions name, and what `update_profile` may write."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sojourn.definitions.checks.literals import check_constant
from sojourn.definitions.codes import Code
from sojourn.definitions.documents.validate import Source
from sojourn.definitions.problems import Path, choose
from sojourn.expressions import NULL, Expression, Type, compile_template, union
from sojourn.expressions import compile as compile_expression
from sojourn.expressions.types import field_of

_TEMPLATES = ("with", "values", "outcome", "for", "until")

CheckTemplate = Callable[[object, Path, Type | None], None]
"""Checks a template: the value, where it stands, and what it must be able to yield."""


def profile_use(compiled: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return what a compiled journey says of the profile, or None where none of its expressions names it.

    Args:
        compiled: The compiled journey.

    Returns:
        `{"attributes": names}`: those that an instance is to be given; null for all of them, where an expression names
        the profile as a whole.
    """
    found: set[str] = set()
    named = False
    for expression in _expressions(compiled):
        for path in expression.paths:
            if path and path[0] == "profile":
                if len(path) == 1 or not isinstance(path[1], str):
                    return {"attributes": None}
                named = True
                found.add(path[1])
    return {"attributes": sorted(found)} if named else None


def _expressions(compiled: Mapping[str, Any]) -> Iterator[Expression]:
    conditions = [criterion["when"] for criterion in compiled["exit_when"]]
    templates = [compiled["timezone"]]
    for step in compiled["steps"].values():
        conditions += [event["when"] for event in step.get("events", ())]
        conditions += [branch.get("when") for branch in step.get("branches", ())]
        templates += [step.get(field) for field in _TEMPLATES]
        templates.append((step.get("timeout") or {}).get("after"))
    for condition in conditions:
        if condition is not None:
            yield compile_expression(condition)
    for template in templates:
        for _, expression in compile_template(template).expressions:
            yield expression


def check_update(
    values: Mapping[str, Any],
    source: Source,
    path: Path,
    known: tuple[Type, Mapping[str, Any] | None],
    check: CheckTemplate,
) -> None:
    """Report what `update_profile` cannot write.

    Args:
        values: The changes: a merge patch (RFC 7396) with templates in it.
        source: Their document.
        path: Where they stand there.
        known: What the profile, or this part of it, is: its type, and its JSON Schema where there is one.
        check: Checks the template of one attribute.
    """
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
            check_update(value, source, where, (field, properties.get(name)), check)
        else:
            before = len(source.failed)
            # A template may also yield null, which removes the attribute.
            templated = isinstance(value, str) and "${" in value
            check(value, where, union(field, NULL) if templated else field)
            if len(source.failed) == before:
                what = f"the profile's attribute `{where[-1]}`"
                check_constant(value, source, where, properties.get(name), what)
