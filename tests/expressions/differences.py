"""The deliberate differences from cel-expr-python, and how to tell that a disagreement is one of them.

`docs/reference/expressions.md` lists them under the same names, with their reasons.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import math
from collections.abc import Callable
from typing import Any
from unittest import mock

from sojourn.expressions import Expression, arithmetic, values
from sojourn.expressions import compile as compile_expression
from tests.expressions.conformance import same

Outcome = tuple[bool, Any]
"""Whether an evaluation failed, and its value or its message."""


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
    """Return the name of the difference that a disagreement comes from, or None if it is none of them.

    A difference is the reason if we agree once we do as they do: so each is emulated, alone and with others.
    """
    if theirs[0] and "duplicate key in map" in theirs[1]:
        return "duplicate-keys"
    if ours[0] and "true and 1 count as the same" in ours[1]:
        return "bool-and-number-keys"
    for count in range(1, len(EMULATIONS) + 1):
        for names in itertools.combinations(EMULATIONS, count):
            if _emulate(names, text, variables, theirs):
                return "+".join(names)
    return None


EMULATIONS = ("numbers-mix", "text-of-doubles", "map-order", "double-negation")


def _emulate(names: tuple[str, ...], text: str, variables: dict[str, Any], theirs: Outcome) -> bool:
    """Whether we agree if we do as they do in some respects."""
    if "double-negation" in names:
        text = text.replace("!!", "")
    for nan in ("nan", "-nan"):
        with contextlib.ExitStack() as stack:
            if "numbers-mix" in names:
                stack.enter_context(mock.patch.dict(arithmetic._ARITHMETIC, _STRICT))
            if "text-of-doubles" in names:
                write = functools.partial(_their_number_text, nan=nan)
                stack.enter_context(mock.patch.object(values, "number_text", write))
            try:
                ours = False, Expression(text).evaluate(variables)
            except ValueError as error:
                ours = True, str(error)
        if "map-order" in names and not ours[0] and not theirs[0]:
            if same(_unordered(ours[1]), _unordered(theirs[1])):
                return True
        elif agree(ours, theirs):
            return True
    return False


def _strict(apply: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """Return an operator that does not take an int and a double together."""

    def checked(one: Any, two: Any) -> Any:
        if {type(one), type(two)} == {int, float}:
            raise arithmetic.misfit("?", one, two)
        return apply(one, two)

    return checked


_STRICT = {sign: _strict(apply) for sign, apply in arithmetic._ARITHMETIC.items()}


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
