"""Functions that make one value of many: sum, mean, greatest, least."""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sojourn.expressions import times, values
from sojourn.expressions.errors import AbsentError, EvaluationError
from sojourn.expressions.functions.registry import function
from sojourn.expressions.literals import INT_MAX, INT_MIN
from sojourn.expressions.types import ANY, Type, kind, union

_function = functools.partial(function, group="Lists and maps")


def _numeric(name: str, items: list[Any]) -> list[Any]:
    """Return the numbers of a list, without its nulls."""
    found = [item for item in items if item is not None]
    for item in found:
        if type(item) not in values.NUMBERS:
            raise EvaluationError(f"{name} needs a list of numbers, and this one holds {values.a_kind(item)}")
    return found


def _float_sum(numbers: list[Any]) -> float:
    """Return the sum of numbers as a double, exact before it is rounded; infinite where a double does not hold it."""
    try:
        return math.fsum(numbers)
    except (OverflowError, ValueError):
        # Too large, or infinities of both signs.
        return functools.reduce(operator.add, (values.to_double(number) for number in numbers), 0.0)


def _sum_result(arguments: Sequence[Type]) -> Type:
    """Say that a sum is of the type of its items."""
    item = arguments[0].item
    return item if item and item.kinds <= {"int", "double", "duration"} else kind("int", "double", "duration")


@_function(
    "sum(list) -> number | duration",
    "The sum of a list of numbers, or of durations. Nulls do not count; of nothing it is 0.",
    ("sum([10.5, null, 8.1])", "18.6"),
    ("sum([duration('1h'), duration('30m')])", "duration('90m')"),
    result=_sum_result,
    work="walk",
)
def sum_(items: list[Any]) -> Any:
    """Return the sum of a list."""
    found = [item for item in items if item is not None]
    if found and all(type(item) is timedelta for item in found):
        return times.limit_duration(sum(found, timedelta(0)))
    numbers = _numeric("sum", items)
    if any(type(number) is float for number in numbers):
        return _float_sum(numbers)
    total = sum(numbers)
    if not INT_MIN <= total <= INT_MAX:
        raise EvaluationError("the sum does not fit into a 64-bit integer")
    return total


@_function(
    "avg(list) -> double",
    "The mean of a list of numbers. Nulls do not count; of nothing it is missing.",
    ("avg([10, 3, 8])", "7.0"),
    work="walk",
)
def avg(items: list[Any]) -> float:
    """Return the mean of a list of numbers."""
    numbers = _numeric("avg", items)
    if not numbers:
        raise AbsentError("the list has no numbers, so it has no mean")
    return (
        float(math.fsum(numbers) / len(numbers)) if all(map(math.isfinite, numbers)) else float(sum(numbers))
    )


def _extreme_result(arguments: Sequence[Type]) -> Type:
    """Say that the greatest is of the type of the arguments, or of their items."""
    if len(arguments) == 1:
        return arguments[0].item or ANY
    return union(*arguments)


def _extreme(name: str, arguments: tuple[Any, ...], wanted: int) -> Any:
    """Return the first of the arguments, or of the items of the only one, that none comes before (or after)."""
    items: Sequence[Any] = arguments
    if len(arguments) == 1:
        if type(arguments[0]) is not list:
            raise EvaluationError(f"{name} needs a list, or two values or more")
        items = arguments[0]
    best: Any = None
    for item in items:
        if item is None:
            continue
        order = values.compare(item, item if best is None else best)
        if order is None:
            raise EvaluationError(
                f"{name} cannot compare {values.a_kind(item)}"
                + ("" if best is None else f" with {values.a_kind(best)}")
            )
        if best is None or order == wanted:
            best = item
    if best is None:
        raise AbsentError(f"there is nothing of which {name} could be taken")
    return best


@_function(
    "max(any...) -> any",
    "The greatest of a list, or of two values or more: numbers, texts, timestamps, durations. Nulls do not count; of "
    "nothing it is missing.",
    ("max([10, null, 8])", "10"),
    ("max(1.5, 2)", "2"),
    result=_extreme_result,
    work="walk",
)
def max_(*arguments: Any) -> Any:
    """Return the greatest value."""
    return _extreme("max", arguments, 1)


@_function(
    "min(any...) -> any",
    "The least of a list, or of two values or more. Nulls do not count; of nothing it is missing.",
    ("min([10, null, 8])", "8"),
    ("min(duration('1h'), duration('50m'))", "duration('50m')"),
    result=_extreme_result,
    work="walk",
)
def min_(*arguments: Any) -> Any:
    """Return the least value."""
    return _extreme("min", arguments, -1)
