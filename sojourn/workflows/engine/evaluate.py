"""Evaluation of a definition's expressions and templates, with errors that name the field."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Any

from sojourn import expressions
from sojourn.expressions import EvaluationError, Template, times, values
from sojourn.workflows.engine.endings import StepError
from sojourn.workflows.engine.limits import PARAMETER_BYTES
from sojourn.workflows.engine.messages import BadMessage, parse_time
from sojourn.workflows.engine.values import weight

Variables = Mapping[str, Any]

_LONGEST = timedelta(days=36_525)
"""A century: longer than any instance lives, and short enough to be added to any realistic date."""


def condition(text: str, variables: Variables, field: str) -> bool:
    """Evaluate a condition.

    Args:
        text: A CEL expression.
        variables: The variables that it may use.
        field: Its place in the definition, such as `steps.opted-in.condition[0].when`.

    Raises:
        StepError: It cannot be evaluated, or its value is not a boolean. The code is `expression`.
    """
    try:
        value = expressions.compile(text).evaluate(variables)
    except EvaluationError as error:
        raise StepError("expression", f"{field}: {error}") from None
    if not isinstance(value, bool):
        raise StepError("expression", f"{field}: `{text}` gave {_kind(value)}, expected true or false")
    return value


def template(value: Any, variables: Variables, field: str) -> Any:
    """Evaluate a template: JSON whose texts may contain `${...}`.

    Args:
        value: The template. A value without an expression is returned as it is.
        variables: The variables that its expressions may use.
        field: Its place in the definition, such as `steps.remind.with`.

    Raises:
        StepError: An expression in it cannot be evaluated. The code is `expression`.
    """
    if isinstance(value, int | float) or value is None:
        return value
    try:
        return _template(json.dumps(value)).evaluate(variables)
    except EvaluationError as error:
        raise StepError("expression", f"{field}: {error}") from None


@lru_cache(maxsize=4096)
def _template(text: str) -> Template:
    # Cached by text: each instance brings its own copy of the definition, but nothing should be compiled twice.
    return expressions.compile_template(json.loads(text))


def text(value: Any, variables: Variables, field: str) -> str | None:
    """Evaluate a template as a text; any other value becomes text, as it does between other text.

    Raises:
        StepError: An expression in it cannot be evaluated.
    """
    result = template(value, variables, field)
    try:
        return None if result is None else values.text(result)
    except EvaluationError as error:
        raise StepError("expression", f"{field}: {error}") from None


def parameters(value: Any, variables: Variables, field: str) -> dict[str, Any]:
    """Evaluate the parameters of a call: plain JSON, with timestamps and durations as text.

    Raises:
        StepError: An expression in them cannot be evaluated, or the result is not JSON or is too large.
    """
    result = template(value, variables, field)
    try:
        plain: dict[str, Any] = expressions.to_json(result)
    except EvaluationError as error:
        raise StepError("expression", f"{field}: {error}") from None
    if (size := weight(plain)) > PARAMETER_BYTES:
        raise StepError(
            "expression",
            f"{field}: the parameters have {size // 1024} kB; at most {PARAMETER_BYTES // 1024} kB can be sent",
        )
    return plain


def duration(value: Any, variables: Variables, field: str) -> timedelta:
    """Return a length of time: seconds as the compiler wrote them, or the duration that a template gives.

    Raises:
        StepError: The template cannot be evaluated, or does not give a duration.
    """
    result = template(value, variables, field)
    if isinstance(result, timedelta):
        return min(max(result, timedelta()), _LONGEST)
    if isinstance(result, int | float) and not isinstance(result, bool) and not math.isnan(result):
        return timedelta(seconds=min(max(result, 0), _LONGEST.total_seconds()))
    raise StepError(
        "expression", f'{field}: gave {_kind(result)}, expected a duration such as duration("2h")'
    )


def instant(value: Any, variables: Variables, field: str) -> datetime:
    """Return a moment in UTC, from a template that gives a timestamp or an RFC 3339 text.

    Raises:
        StepError: The template cannot be evaluated, or does not give a moment.
    """
    result = template(value, variables, field)
    if isinstance(result, datetime):
        try:
            return result.astimezone(UTC)
        except OverflowError:  # within a day of the first or the last year, which UTC does not have
            return result.replace(tzinfo=UTC)
    if isinstance(result, str):
        try:
            return parse_time(result, "until")
        except BadMessage as error:
            raise StepError("expression", f"{field}: {error}") from None
    raise StepError("expression", f"{field}: gave {_kind(result)}, expected a timestamp")


def zone(value: Any, variables: Variables) -> tzinfo:
    """Return the journey's time zone: a name or an offset, or a template that gives one.

    Raises:
        StepError: The template cannot be evaluated, or does not give a time zone. The message does not show what it
            gave, which may be a customer's data.
    """
    result = template(value, variables, "timezone")
    if not isinstance(result, str):
        raise StepError("expression", f"timezone: gave {_kind(result)}, expected the name of a time zone")
    with explained("timezone"):
        return times.zone(result)


@contextmanager
def explained(field: str) -> Iterator[None]:
    """Turn evaluation errors in a block into errors of the step, with the field's place."""
    try:
        yield
    except EvaluationError as error:
        raise StepError("expression", f"{field}: {error}") from None


_KINDS: dict[type, str] = {
    bool: "a boolean",
    int: "a number",
    float: "a number",
    str: "a text",
    list: "a list",
    dict: "a map",
    datetime: "a timestamp",
    timedelta: "a duration",
}


def _kind(value: Any) -> str:
    return "null" if value is None else _KINDS.get(type(value), type(value).__name__)
