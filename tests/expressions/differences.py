"""The deliberate differences from cel-expr-python, and how to tell that a disagreement is one of them.

`docs/reference/expressions.md` lists them under the same names, with their reasons.
"""

from __future__ import annotations

import functools
import math
import re
from typing import Any
from unittest import mock

from sojourn.expressions import compile as compile_expression
from sojourn.expressions import values
from tests.expressions.conformance import same

Outcome = tuple[bool, Any]
"""Whether an evaluation failed, and its value or its message."""

_MIXED = re.compile(r"No matching overloads found : _[-+*/]_\((int64, double|double, int64)\)")


def evaluate(text: str, variables: dict[str, Any]) -> Outcome:
    """Return what our own implementation makes of an expression."""
    try:
        return False, compile_expression(text).evaluate(variables)
    except ValueError as error:
        return True, str(error)


def agree(ours: Outcome, theirs: Outcome) -> bool:
    """Whether both failed, or both gave the same."""
    return ours[0] == theirs[0] and (ours[0] or same(ours[1], theirs[1]))


def explain(text: str, variables: dict[str, Any], ours: Outcome, theirs: Outcome) -> str | None:
    """Return the name of the difference that a disagreement comes from, or None if it is none of them."""
    if theirs[0] and not ours[0]:
        if _MIXED.search(theirs[1]):
            return "numbers-mix"
        if "duplicate key in map" in theirs[1]:
            return "duplicate-keys"
    if ours[0] and "true and 1 count as the same" in ours[1]:
        return "bool-and-number-keys"
    if not ours[0] and not theirs[0] and same(_unordered(ours[1]), _unordered(theirs[1])):
        return "map-order"
    for nan in ("nan", "-nan"):
        with mock.patch.object(values, "number_text", functools.partial(_their_number_text, nan=nan)):
            if agree(evaluate(text, variables), theirs):
                return "text-of-doubles"
    if "!!" in text and agree(evaluate(text.replace("!!", ""), variables), theirs):
        return "double-negation"
    return None


def _unordered(value: Any) -> Any:
    """Return a value with its lists sorted, since maps are walked in a random order there."""
    if isinstance(value, list):
        return sorted((_unordered(item) for item in value), key=repr)
    if isinstance(value, dict):
        return {key: _unordered(item) for key, item in value.items()}
    return value


def _their_number_text(value: float, nan: str) -> str:
    """Return the text of a number as cel-expr-python writes it: like `%g` of C, with as many digits as it takes."""
    if isinstance(value, int):
        return str(value)
    if math.isnan(value):
        return nan  # Its sign is the processor's there.
    if not math.isfinite(value):
        return repr(value)
    exponent = int(f"{value:e}".partition("e")[2])
    if -4 <= exponent < 6:
        return repr(value).removesuffix(".0")
    for digits in range(17):
        text = f"{value:.{digits}e}"
        if float(text) == value:
            return text
    raise AssertionError(value)
