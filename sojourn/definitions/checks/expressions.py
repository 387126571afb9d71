"""Checks of expressions and templates: that they compile, name what there is, and have the type that is needed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sojourn.definitions.checks.scopes import Scope, is_whole
from sojourn.definitions.codes import Code
from sojourn.definitions.documents.validate import Source
from sojourn.definitions.problems import Path, sentence
from sojourn.expressions import (
    BOOL,
    STRING,
    Expression,
    ExpressionError,
    Finding,
    Type,
    compile_template,
    from_json_schema,
)
from sojourn.expressions import compile as compile_expression
from sojourn.expressions.types import field_of, item_of

_TIMES = ("timestamp", "duration")

Report = Callable[[Code, int, str, str], None]
"""Reports a problem at a position of an expression: code, position, message, hint."""

Inspect = Callable[[Expression, Report], Scope | None]
"""Looks at an expression before it is checked; returns names to take as known, or None to check no further."""


def check_expression(
    text: str,
    source: Source,
    path: Path,
    scope: Scope,
    expected: Type = BOOL,
    inspect: Inspect | None = None,
) -> None:
    """Report what is wrong with an expression.

    Args:
        text: The expression.
        source: Its document.
        path: Where it stands there.
        scope: What it may name.
        expected: What it must be able to yield.
        inspect: Looks at it first.
    """
    written = _written(source, path, text)
    try:
        expression = compile_expression(text)
    except ExpressionError as error:
        _not_compiled(error, source, path, written)
        return
    _check(expression, source, path, written, 0, scope, expected, inspect)


def check_template(
    value: Any,
    source: Source,
    path: Path,
    scope: Scope,
    expected: Type | None = None,
    inspect: Inspect | None = None,
) -> None:
    """Report what is wrong with a template, at each place in it.

    Args:
        value: The template: any JSON.
        source: Its document.
        path: Where it stands there.
        scope: What its expressions may name.
        expected: What it must be able to yield; None for anything.
        inspect: Looks at each expression first.
    """
    if isinstance(value, str):
        _check_text(value, source, path, scope, expected, inspect)
        return
    if expected is not None and not _fits(value, expected):
        source.report(
            Code.WRONG_TYPE, path, f"{sentence(str(expected))} is needed here", "Write another value."
        )
        return
    if isinstance(value, dict):
        for key, item in value.items():
            inner = field_of(expected, key) if expected else None
            check_template(item, source, (*path, key), scope, inner, inspect)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            inner = item_of(expected) if expected else None
            check_template(item, source, (*path, index), scope, inner, inspect)


def _check_text(
    text: str, source: Source, path: Path, scope: Scope, expected: Type | None, inspect: Inspect | None
) -> None:
    if "{{" in text and "}}" in text and "${" not in text:
        hint = "Templates are written ${...}, such as ${entry.customerId}."
        source.report(Code.BRACES, path, "{{ }} is not filled in; it is sent as it is", hint)
        return
    if "${" not in text:
        if expected is not None and not _fits(text, expected):
            hint = 'If it is an expression, write it as "${...}".'
            message = f"{sentence(str(expected))} is needed here, and this is a text"
            source.report(Code.WRONG_TYPE, path, message, hint)
        return
    written = _written(source, path, text)
    try:
        template = compile_template(text)
    except ExpressionError as error:
        _not_compiled(error, source, path, written)
        return
    except ValueError as error:
        source.report(Code.EXPRESSION, path, sentence(str(error)))
        return
    whole = is_whole(template)
    if not whole and expected is not None and not expected.may_be(STRING.kinds):
        message = f"{sentence(str(expected))} is needed here, and text around ${{...}} makes a text of it"
        source.report(Code.WRONG_TYPE, path, message, "Leave out all but the ${...}.")
        expected = None
    cursor = 0
    for _, expression in template.expressions:
        offset = max(text.find(expression.source, cursor), 0)
        cursor = offset + len(expression.source)
        wanted = expected if whole else None
        if wanted is not None and wanted.may_be(["string"]) and expression.type(scope).may_be(_TIMES):
            # A timestamp or a duration becomes text where JSON is made of it.
            wanted = None
        _check(expression, source, path, written, offset, scope, wanted, inspect)


def _written(source: Source, path: Path, text: str) -> str:
    """Return the text as it stands in the document, where it is a text there."""
    value: Any = source.document.value
    for part in path:
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            return text
    return value if isinstance(value, str) else text


def _not_compiled(error: ExpressionError, source: Source, path: Path, written: str) -> None:
    message, _, hint = error.message.partition("; ")
    place = source.document.inside(path, written, error.position)
    source.report(Code.EXPRESSION, path, sentence(message), _full(hint), place=place)


def _check(
    expression: Expression,
    source: Source,
    path: Path,
    written: str,
    offset: int,
    scope: Scope,
    expected: Type | None,
    inspect: Inspect | None,
) -> None:
    def report(code: Code, position: int, message: str, hint: str) -> None:
        place = source.document.inside(path, written, offset + position)
        source.report(code, path, message, hint, place=place)

    if inspect is not None:
        known = inspect(expression, report)
        if known is None:
            return
        scope = {**scope, **known}
    for finding in expression.check(scope, expected):
        report(_code(finding), finding.position, sentence(finding.message), _full(finding.hint or ""))


def _code(finding: Finding) -> Code:
    return Code.UNKNOWN_NAME if finding.unknown else Code.WRONG_TYPE


def _full(hint: str) -> str:
    text = sentence(hint)
    return text if not text or text[-1] in ".?!" else text + "."


def _fits(value: Any, expected: Type) -> bool:
    if isinstance(value, dict):
        return expected.may_be(["map"])
    if isinstance(value, list):
        return expected.may_be(["list"])
    return expected.may_be(from_json_schema({"const": value}).kinds)
