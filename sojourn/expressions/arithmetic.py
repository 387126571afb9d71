"""Closures of arithmetic: `+ - * / %`, and the sign of a number."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sojourn.expressions import nodes, times, values
from sojourn.expressions.errors import EvaluationError
from sojourn.expressions.limits import MAX_LIST, MAX_TEXT, METER
from sojourn.expressions.literals import INT_MAX, INT_MIN
from sojourn.expressions.navigation import Code, Compile


def overflow() -> EvaluationError:
    """Return the error for a result that 64 bits cannot hold."""
    return EvaluationError("the result does not fit into a 64-bit integer")


def misfit(sign: str, one: Any, two: Any) -> EvaluationError:
    """Return the error for two operands that an operator does not take."""
    hint = ""
    kinds = {values.kind_of(one), values.kind_of(two)}
    if "string" in kinds and sign == "+":
        hint = "; write string(x) for the text of a value"
    elif kinds in ({"string", "timestamp"}, {"string", "duration"}):
        hint = "; write timestamp(text)" if "timestamp" in kinds else "; write duration(text)"
    return EvaluationError(f"`{sign}` does not take {values.a_kind(one)} and {values.a_kind(two)}{hint}")


def _add(one: Any, two: Any) -> Any:
    kind, other = type(one), type(two)
    if kind is int and other is int:
        result = one + two
        if INT_MIN <= result <= INT_MAX:
            return result
        raise overflow()
    if kind in values.NUMBERS and other in values.NUMBERS:
        return _floats(operator.add, one, two)
    if kind is str and other is str:
        if len(one) + len(two) > MAX_TEXT:
            raise EvaluationError(f"the text would be longer than {MAX_TEXT:,} characters")
        return one + two
    if kind is list and other is list:
        if len(one) + len(two) > MAX_LIST:
            raise EvaluationError(f"the list would have more than {MAX_LIST:,} items")
        return one + two
    if isinstance(two, timedelta):
        if isinstance(one, datetime):
            return times.add(one, two)
        if isinstance(one, timedelta):
            return times.limit_duration(one + two)
    if isinstance(one, timedelta) and isinstance(two, datetime):
        return times.add(two, one)
    raise misfit("+", one, two)


def _subtract(one: Any, two: Any) -> Any:
    kind, other = type(one), type(two)
    if kind is int and other is int:
        result = one - two
        if INT_MIN <= result <= INT_MAX:
            return result
        raise overflow()
    if kind in values.NUMBERS and other in values.NUMBERS:
        return _floats(operator.sub, one, two)
    if isinstance(one, datetime):
        if isinstance(two, timedelta):
            return times.add(one, -two)
        if isinstance(two, datetime):
            return times.limit_duration(times.instant(one) - times.instant(two))
    if isinstance(one, timedelta) and isinstance(two, timedelta):
        return times.limit_duration(one - two)
    raise misfit("-", one, two)


def _multiply(one: Any, two: Any) -> Any:
    kind, other = type(one), type(two)
    if kind is int and other is int:
        result = one * two
        if INT_MIN <= result <= INT_MAX:
            return result
        raise overflow()
    if kind in values.NUMBERS and other in values.NUMBERS:
        return _floats(operator.mul, one, two)
    raise misfit("*", one, two)


def _divide(one: Any, two: Any) -> Any:
    kind, other = type(one), type(two)
    if kind is int and other is int:
        if two == 0:
            raise EvaluationError("division by zero")
        result = abs(one) // abs(two)
        result = result if (one < 0) is (two < 0) else -result
        if INT_MIN <= result <= INT_MAX:
            return result
        raise overflow()
    if kind in values.NUMBERS and other in values.NUMBERS:
        return _floats(_float_divide, one, two)
    raise misfit("/", one, two)


def _float_divide(one: float, two: float) -> float:
    """Divide as IEEE 754 does: by zero it gives infinity or NaN."""
    if two != 0:
        return one / two
    if one == 0 or math.isnan(one):
        return math.nan
    return math.copysign(math.inf, one) * math.copysign(1.0, two)


def _remainder(one: Any, two: Any) -> Any:
    if type(one) is int and type(two) is int:
        if two == 0:
            raise EvaluationError("division by zero")
        if one == INT_MIN and two == -1:
            raise overflow()
        result = abs(one) % abs(two)
        return -result if one < 0 else result
    raise misfit("%", one, two)


def _floats(calculate: Callable[[float, float], float], one: Any, two: Any) -> float:
    """Calculate with two numbers as doubles."""
    try:
        return calculate(float(one), float(two))
    except OverflowError:
        raise overflow() from None


_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": _add, "-": _subtract, "*": _multiply, "/": _divide, "%": _remainder,
}  # fmt: skip


def chain(node: nodes.Chain, compile_: Compile) -> Code:
    """Return what calculates `a + b - c` from left to right."""
    first = compile_(node.first)
    rest = [(_ARITHMETIC[sign], position, compile_(operand)) for sign, position, operand in node.rest]

    def calculate(env: Any) -> Any:
        result = first(env)
        for apply, position, operand in rest:
            other = operand(env)
            try:
                result = apply(result, other)
            except EvaluationError as error:
                error.position = position
                raise
            if type(result) is str:
                env[METER].charge(len(result) >> 4, position)
            elif type(result) is list:
                env[METER].charge(len(result), position)
        return result

    return calculate


def negation(node: nodes.Unary, compile_: Compile) -> Code:
    """Return what turns the sign of a number round."""
    operand, position = compile_(node.operand), node.position

    def negate(env: Any) -> Any:
        value = operand(env)
        if type(value) is int:
            if value == INT_MIN:
                error = overflow()
                error.position = position
                raise error
            return -value
        if type(value) is float:
            return -value
        raise EvaluationError(f"`-` needs a number, and was given {values.a_kind(value)}", position=position)

    return negate
