"""Conversions between kinds of values, and questions about them."""

from __future__ import annotations

import functools
import math
import re
from datetime import datetime, timedelta
from typing import Any

from sojourn.expressions import times, values
from sojourn.expressions.errors import EvaluationError
from sojourn.expressions.functions.registry import function
from sojourn.expressions.literals import INT_MAX, INT_MIN
from sojourn.expressions.types import Type

_function = functools.partial(function, group="Conversions")

_INT = re.compile(r"[+-]?[0-9]{1,30}", re.ASCII)
_DOUBLE = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,6})?", re.ASCII)
_SPECIAL = {"nan", "inf", "+inf", "-inf", "infinity", "+infinity", "-infinity"}
_BOOLS = {
    "true": True, "True": True, "TRUE": True, "t": True, "1": True,
    "false": False, "False": False, "FALSE": False, "f": False, "0": False,
}  # fmt: skip


@_function(
    "bool(bool | string) -> bool",
    "Reads `true` or `false` from a text.",
    ("bool('true')", "true"),
    method=False,
)
def to_bool(value: bool | str) -> bool:
    """Return the bool that a text says."""
    if isinstance(value, str):
        if value not in _BOOLS:
            raise EvaluationError("the text is neither true nor false")
        return _BOOLS[value]
    return value


@_function(
    "int(number | string | timestamp | bool) -> int",
    "A whole number: of a double the part before the point, of a timestamp the seconds since 1970, of a bool 1"
    " or 0.",
    ("int(3.9)", "3"),
    ("int('42')", "42"),
    ("int(true)", "1"),
    ("int(timestamp('1970-01-01T00:01:00Z'))", "60"),
    method=False,
)
def to_int(value: float | str | datetime) -> int:
    """Return a value as an int."""
    if isinstance(value, str):
        if _INT.fullmatch(value) is None:
            raise EvaluationError("the text is not a whole number")
        result = int(value)
    elif isinstance(value, datetime):
        result = times.epoch_microseconds(value) // 1_000_000
    elif isinstance(value, float):
        # As CEL has it, the ends of the range are out: as doubles they stand for more than one int.
        if not -(2.0**63) < value < 2.0**63:
            raise EvaluationError("the number does not fit into a 64-bit integer")
        result = int(value)
    else:
        result = int(value)
    if not INT_MIN <= result <= INT_MAX:
        raise EvaluationError("the number does not fit into a 64-bit integer")
    return result


@_function(
    "double(number | string) -> double", "A number with a point.", ("double('2.5')", "2.5"), method=False
)
def to_double(value: float | str) -> float:
    """Return a value as a double."""
    if isinstance(value, str):
        if _DOUBLE.fullmatch(value) is None and value.lower() not in _SPECIAL:
            raise EvaluationError("the text is not a number")
        return float(value)
    try:
        return float(value)
    except OverflowError:
        return math.copysign(math.inf, value)


@_function(
    "string(string | number | bool | timestamp | duration) -> string",
    "The text of a value: numbers without needless zeros, timestamps in RFC 3339, durations in seconds.",
    ("string(2.0)", "'2'"),
    ("string(duration('90m'))", "'5400s'"),
    method=False,
)
def to_string(value: Any) -> str:
    """Return a scalar as text."""
    return values.scalar_text(value) or ""


@_function(
    "timestamp(string | int | timestamp, string?) -> timestamp",
    "A moment, from RFC 3339 text or from seconds since 1970. With a time zone it also reads a date, or a local date "
    "and time.",
    ("timestamp('2026-03-29T08:00:00+02:00')", "timestamp('2026-03-29T06:00:00Z')"),
    ("timestamp('2026-03-29T08:00:00', 'Europe/Paris')", "timestamp('2026-03-29T06:00:00Z')"),
    ("timestamp('2026-03-29', 'Europe/Paris')", "timestamp('2026-03-28T23:00:00Z')"),
    ("timestamp(60)", "timestamp('1970-01-01T00:01:00Z')"),
    method=False,
)
def to_timestamp(value: str | int | datetime, place: str | None = None) -> datetime:
    """Return a value as a timestamp in UTC."""
    if isinstance(value, str):
        return times.instant(times.read_timestamp(value, place))
    if isinstance(value, datetime):
        return value
    return times.from_epoch(value * 1_000_000)


@_function(
    "duration(string | duration) -> duration",
    "A length of time, from text such as `1h30m`, `500ms`, `3d` (a day is 24 hours), or ISO 8601 such as `PT1H30M`.",
    ("duration('1h30m')", "duration('5400s')"),
    ("duration('PT1H30M')", "duration('90m')"),
    method=False,
)
def to_duration(value: str | timedelta) -> timedelta:
    """Return a value as a duration."""
    return times.read_duration(value) if isinstance(value, str) else value


def _same(arguments: Any) -> Type:
    """Say that the result is of the type of the argument."""
    result: Type = arguments[0]
    return result


@_function(
    "type(any) -> type",
    "The type of a value: `null_type`, `bool`, `int`, `double`, `string`, `list`, `map`, "
    "`google.protobuf.Timestamp` or `google.protobuf.Duration`.",
    ("type(1.5) == double", "true"),
    ("type('a') in [int, double]", "false"),
    method=False,
)
def type_(value: Any) -> values.TypeValue:
    """Return the type of a value."""
    return values.type_of(value)


@_function(
    "dyn(any) -> any",
    "The same value, of which the checker is to assume nothing.",
    ("dyn(1) == 1", "true"),
    method=False,
)
def dyn(value: Any) -> Any:
    """Return the value itself."""
    return value


@_function(
    "size(string | list | map) -> int",
    "The number of characters of a text, of items of a list, of entries of a map.",
    ("size('Zoë')", "3"),
    ("size([1, 2])", "2"),
)
def size(value: Any) -> int:
    """Return the size of a text, list or map."""
    return len(value)


@_function(
    "isEmpty(string | list | map | null) -> bool",
    "Whether a text, list or map has nothing in it. Null is empty.",
    ("isEmpty('')", "true"),
    ("isEmpty([0])", "false"),
)
def is_empty(value: Any) -> bool:
    """Whether a value has nothing in it."""
    return not value


@_function(
    "isNotEmpty(string | list | map | null) -> bool",
    "The opposite of `isEmpty`.",
    ("isNotEmpty('a')", "true"),
)
def is_not_empty(value: Any) -> bool:
    """Whether a value has something in it."""
    return bool(value)
