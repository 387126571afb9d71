"""Functions of numbers."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

from sojourn.expressions import values
from sojourn.expressions.errors import EvaluationError
from sojourn.expressions.functions.registry import function
from sojourn.expressions.literals import INT_MAX, INT_MIN
from sojourn.expressions.types import Type, union

_function = functools.partial(function, group="Numbers")


def _number_of(arguments: Sequence[Type]) -> Type:
    """Say that the result is of the type of the argument."""
    return arguments[0]


@_function(
    "round(number) -> int",
    "The nearest whole number, as an int; a half goes up, also below zero.",
    ("round(3.5)", "4"),
    ("round(-3.5)", "-3"),
)
def round_(value: float) -> int:
    """Return the nearest int; halves go towards positive infinity."""
    if type(value) is int:
        return value
    if not -(2.0**63) < value < 2.0**63:
        raise EvaluationError("the number does not fit into a 64-bit integer")
    floor = math.floor(value)
    return floor + 1 if value - floor >= 0.5 else floor


@_function(
    "math.abs(number) -> number", "The number without its sign.", ("math.abs(-2)", "2"), result=_number_of
)
def abs_(value: float) -> float:
    """Return a number without its sign."""
    if value == INT_MIN and type(value) is int:
        raise EvaluationError("the number does not fit into a 64-bit integer")
    return abs(value)


@_function(
    "math.sign(number) -> number",
    "-1, 0 or 1, as the number is.",
    ("math.sign(-2.5)", "-1.0"),
    result=_number_of,
)
def sign(value: float) -> float:
    """Return -1, 0 or 1 as the same kind of number."""
    if type(value) is float:
        return value if math.isnan(value) or value == 0 else math.copysign(1.0, value)
    return (value > 0) - (value < 0)


@_function("math.ceil(number) -> double", "The next whole number above.", ("math.ceil(1.2)", "2.0"))
def ceil(value: float) -> float:
    """Return the next whole number above."""
    number = values.to_double(value)
    return float(math.ceil(number)) if math.isfinite(number) else number


@_function("math.floor(number) -> double", "The next whole number below.", ("math.floor(1.8)", "1.0"))
def floor(value: float) -> float:
    """Return the next whole number below."""
    number = values.to_double(value)
    return float(math.floor(number)) if math.isfinite(number) else number


@_function("math.trunc(number) -> double", "The number without its decimals.", ("math.trunc(-1.8)", "-1.0"))
def trunc(value: float) -> float:
    """Return a number without its decimals."""
    number = values.to_double(value)
    return float(math.trunc(number)) if math.isfinite(number) else number


@_function(
    "math.round(number) -> double",
    "The nearest whole number, as a double; a half goes away from zero.",
    ("math.round(-1.5)", "-2.0"),
)
def math_round(value: float) -> float:
    """Return the nearest whole number; halves go away from zero."""
    number = values.to_double(value)
    if not math.isfinite(number):
        return number
    whole = math.trunc(number)
    return float(whole + (1 if number > 0 else -1)) if abs(number - whole) >= 0.5 else float(whole)


@_function("math.sqrt(number) -> double", "The square root; NaN below zero.", ("math.sqrt(81)", "9.0"))
def sqrt(value: float) -> float:
    """Return the square root."""
    number = values.to_double(value)
    return math.sqrt(number) if number >= 0 else math.nan


@_function(
    "math.isNaN(number) -> bool", "Whether this is no number (0.0 / 0.0).", ("math.isNaN(0.0 / 0.0)", "true")
)
def is_nan(value: float) -> bool:
    """Whether a double is not a number."""
    return value != value


@_function(
    "math.isInf(number) -> bool", "Whether this is infinite (1.0 / 0.0).", ("math.isInf(1.0 / 0.0)", "true")
)
def is_inf(value: float) -> bool:
    """Whether a double is infinite."""
    return type(value) is float and math.isinf(value)


@_function(
    "math.isFinite(number) -> bool", "Whether this is an ordinary number.", ("math.isFinite(1.5)", "true")
)
def is_finite(value: float) -> bool:
    """Whether a number is neither infinite nor NaN."""
    return type(value) is int or math.isfinite(value)


def _numbers(name: str, arguments: tuple[Any, ...]) -> list[float]:
    """Return the numbers to choose from: the arguments, or the items of the only one if that is a list."""
    items = arguments[0] if len(arguments) == 1 and type(arguments[0]) is list else arguments
    if not items:
        raise EvaluationError(f"{name} needs at least one number")
    for item in items:
        if type(item) not in values.NUMBERS:
            raise EvaluationError(f"{name} needs numbers, and was given {values.a_kind(item)}")
    return list(items)


def _extreme(arguments: Sequence[Type]) -> Type:
    """Say that the result is of the type of one of the arguments, or of their items."""
    return union(*(a.item or function_number if "list" in a.kinds else a for a in arguments))


function_number = Type(frozenset(["int", "double"]))


@_function(
    "math.greatest(number | list...) -> number",
    "The greatest of some numbers, or of a list of them.",
    ("math.greatest(1, 2.5, 2)", "2.5"),
    result=_extreme,
)
def greatest(*arguments: Any) -> float:
    """Return the greatest number."""
    return max(_numbers("math.greatest", arguments))


@_function(
    "math.least(number | list...) -> number",
    "The least of some numbers, or of a list of them.",
    ("math.least([3, 1, 2])", "1"),
    result=_extreme,
)
def least(*arguments: Any) -> float:
    """Return the least number."""
    return min(_numbers("math.least", arguments))


def _signed(value: int) -> int:
    """Return the int of which these are the 64 bits."""
    value &= (1 << 64) - 1
    return value - (1 << 64) if value > INT_MAX else value


@_function("math.bitAnd(int, int) -> int", "The bits that both have.", ("math.bitAnd(6, 3)", "2"))
def bit_and(one: int, two: int) -> int:
    """Return the bits that both have."""
    return one & two


@_function("math.bitOr(int, int) -> int", "The bits that either has.", ("math.bitOr(6, 3)", "7"))
def bit_or(one: int, two: int) -> int:
    """Return the bits that either has."""
    return one | two


@_function("math.bitXor(int, int) -> int", "The bits that one of them has.", ("math.bitXor(6, 3)", "5"))
def bit_xor(one: int, two: int) -> int:
    """Return the bits that exactly one has."""
    return one ^ two


@_function("math.bitNot(int) -> int", "All bits turned.", ("math.bitNot(0)", "-1"))
def bit_not(value: int) -> int:
    """Return a number with all bits turned."""
    return ~value


@_function("math.bitShiftLeft(int, int) -> int", "The bits moved up.", ("math.bitShiftLeft(1, 4)", "16"))
def bit_shift_left(value: int, by: int) -> int:
    """Return the 64 bits moved up; what falls out is lost."""
    if by < 0:
        raise EvaluationError("bits cannot be moved by less than zero")
    return _signed(value << by) if by < 64 else 0


@_function("math.bitShiftRight(int, int) -> int", "The bits moved down.", ("math.bitShiftRight(16, 4)", "1"))
def bit_shift_right(value: int, by: int) -> int:
    """Return the 64 bits moved down; zeros come in, also below zero."""
    if by < 0:
        raise EvaluationError("bits cannot be moved by less than zero")
    return _signed((value & ((1 << 64) - 1)) >> by) if by < 64 else 0
