"""Calls of endpoints: the checks that `fetch` and `action` share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sojourn.definitions.checks.literals import check_constant
from sojourn.definitions.codes import Code
from sojourn.definitions.problems import choose
from sojourn.definitions.steps.context import ExpressionContext, StepContext
from sojourn.expressions import NULL, from_json_schema, union

TIMEOUT_HINT = "Leave it out; `call_timeout` of the journey holds for its calls."


def check(step: str, endpoint: str, values: Mapping[str, Any], context: StepContext) -> None:
    """Report an endpoint that does not exist, and parameters that are unknown or missing.

    Args:
        step: The kind of the step.
        endpoint: The endpoint's id, such as `source:crm.customer`.
        values: The templates of the parameters.
        context: The step's surroundings.
    """
    kind, _, name = endpoint.partition(":")
    source, path = context.source, context.path
    read = context.endpoints.get(endpoint)
    if read is None:
        if not context.broken:
            _unknown(kind, name, step, context)
        return
    if read.model is None:
        return
    known = read.model.parameters
    for parameter in values:
        if parameter not in known and not source.full:
            message = f"The {kind} `{name}` has no parameter `{parameter[:60]}`"
            hint = choose(parameter, known) or f"It has none: remove it, or declare it in the {kind}."
            source.report(Code.UNKNOWN_PARAMETER, (*path, "with", parameter), message, hint, key=True)
    for parameter in read.model.required_parameters:
        if parameter not in values:
            source.report(
                Code.MISSING_PARAMETER,
                (*path, "with") if values else (*path, step),
                f"The {kind} `{name}` needs the parameter `{parameter}`",
                f'Add it: with: {{{parameter}: "${{...}}"}}.',
                key=True,
            )


def _unknown(kind: str, name: str, step: str, context: StepContext) -> None:
    code = Code.UNKNOWN_SOURCE if kind == "source" else Code.UNKNOWN_ACTION
    other = "action" if kind == "source" else "source"
    if f"{other}:{name}" in context.endpoints:
        written = "action" if kind == "source" else "fetch"
        hint = f"`{name}` is {'an action' if other == 'action' else 'a source'}: write `{written}: {name}`."
    else:
        known = [key.partition(":")[2] for key in context.endpoints if key.startswith(kind)]
        hint = choose(name, known, kind) + f" A document `{kind}: {name[:60]}` defines it."
    message = f"There is no {kind} `{name[:80]}`"
    context.source.report(code, (*context.path, step), message, hint.strip())


def check_templates(endpoint: str, values: Mapping[str, Any], context: ExpressionContext) -> None:
    """Report templates that do not compile, or cannot yield what the parameters' schemas want.

    Args:
        endpoint: The endpoint's id.
        values: The templates of the parameters.
        context: The step's surroundings.
    """
    read = context.endpoints.get(endpoint)
    model = read.model if read else None
    parameters = model.parameters if model else {}
    for parameter, value in values.items():
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
