"""Evaluating a definition's expressions and templates, with errors that say where."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sojourn import expressions
from sojourn.expressions import EvaluationError, Template, values
from sojourn.workflows.endings import StepError
from sojourn.workflows.messages import BadMessage, parse_time

Variables = Mapping[str, Any]


def condition(text: str, variables: Variables, field: str) -> bool:
    """Evaluate a condition.

    Args:
        text: A CEL expression.
        variables: What it may name.
        field: Where it stands, such as `steps.opted-in.condition[0].when`.

    Raises:
        StepError: It cannot be evaluated, or gives something else than true or false. Its code is `expression`.
    """
    try:
        value = expressions.compile(text).evaluate(variables)
    except EvaluationError as error:
        raise StepError("expression", f"{field}: {error}") from None
    if not isinstance(value, bool):
        raise StepError("expression", f"{field}: `{text}` gave {_kind(value)}, true or false is wanted")
    return value


def template(value: Any, variables: Variables, field: str) -> Any:
    """Evaluate a template: JSON whose texts may hold `${...}`.

    Args:
        value: The template. What holds no expression is returned as it is.
        variables: What its expressions may name.
        field: Where it stands, such as `steps.remind.with`.

    Raises:
        StepError: An expression in it cannot be evaluated. Its code is `expression`.
    """
    if isinstance(value, int | float) or value is None:
        return value
    try:
        return _template(json.dumps(value)).evaluate(variables)
    except EvaluationError as error:
        raise StepError("expression", f"{field}: {error}") from None


@lru_cache(maxsize=4096)
def _template(text: str) -> Template:
    # Keyed by text: each instance brings its own copy of the definition, and nothing is to be compiled twice.
    return expressions.compile_template(json.loads(text))


def text(value: Any, variables: Variables, field: str) -> str | None:
    """Evaluate a template that is to give a text; any other value becomes one, as it does between other text.

    Raises:
        StepError: An expression in it cannot be evaluated.
    """
    result = template(value, variables, field)
    return None if result is None else values.text(result)


def duration(value: Any, variables: Variables, field: str) -> timedelta:
    """Return a length of time: seconds as the compiler wrote them, or a template that gives a duration.

    Raises:
        StepError: The template cannot be evaluated or gives no duration.
    """
    result = template(value, variables, field)
    if isinstance(result, timedelta):
        return max(result, timedelta())
    if isinstance(result, int | float) and not isinstance(result, bool):
        return timedelta(seconds=max(result, 0))
    raise StepError(
        "expression", f'{field}: gave {_kind(result)}, a duration is wanted, such as duration("2h")'
    )


def instant(value: Any, variables: Variables, field: str) -> datetime:
    """Return a moment: a template that gives a timestamp, or RFC 3339 text.

    Raises:
        StepError: The template cannot be evaluated or gives no moment.
    """
    result = template(value, variables, field)
    if isinstance(result, datetime):
        return result
    if isinstance(result, str):
        try:
            return parse_time(result, "until")
        except BadMessage as error:
            raise StepError("expression", f"{field}: {error}") from None
    raise StepError("expression", f"{field}: gave {_kind(result)}, a timestamp is wanted")


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
