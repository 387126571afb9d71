"""Values: the kinds they have, when they are equal, what comes first, what text and what JSON they become."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sojourn.expressions import times
from sojourn.expressions.errors import EvaluationError
from sojourn.expressions.limits import MAX_DATA_DEPTH

NUMBERS = frozenset([int, float])
CONTAINERS = frozenset([list, dict])
DIRECT = frozenset([int, float, str, bool, timedelta])
"""Types whose values Python itself compares as the language does, when both sides have the same type."""


class TypeValue:
    """A type as a value: what `type(x)` gives, and what names such as `int` stand for."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"TypeValue({self.name!r})"


_KINDS: dict[type, str] = {
    type(None): "null", bool: "bool", int: "int", float: "double", str: "string", list: "list", dict: "map",
    datetime: "timestamp", timedelta: "duration", TypeValue: "type", tuple: "list",
}  # fmt: skip

_TYPE_NAMES = {
    "null": "null_type", "timestamp": "google.protobuf.Timestamp", "duration": "google.protobuf.Duration",
}  # fmt: skip
TYPES: dict[str, TypeValue] = {
    _TYPE_NAMES.get(kind, kind): TypeValue(_TYPE_NAMES.get(kind, kind))
    for kind in dict.fromkeys(_KINDS.values())
}
"""The types, by their names in the language."""


def kind_of(value: Any) -> str:
    """Return the kind of a value, one of `types.KINDS`; `unknown` for what is no value of the language."""
    kind = _KINDS.get(type(value))
    if kind is not None:
        return kind
    for base in (bool, int, float, str, datetime, timedelta, list, tuple):
        if isinstance(value, base):
            return _KINDS[base]
    return "map" if isinstance(value, Mapping) else "unknown"


def type_of(value: Any) -> TypeValue:
    """Return the type of a value, as a value."""
    kind = kind_of(value)
    return TYPES[_TYPE_NAMES.get(kind, kind)] if kind != "unknown" else TypeValue("unknown")


def a_kind(value: Any) -> str:
    """Return the kind of a value with an article, for messages."""
    kind = kind_of(value)
    if kind == "null":
        return "null"
    if kind == "unknown":
        return "no value of the language"
    return f"an {kind}" if kind[0] in "iu" else f"a {kind}"


def equals(one: Any, two: Any, depth: int = 0) -> bool:
    """Whether two values are equal. Values of different kinds are not; ints and doubles are numbers alike."""
    kind = type(one)
    if kind is type(two):
        if kind is list:
            return len(one) == len(two) and all(map(equals, one, two, _deeper(depth, len(one))))
        if kind is dict:
            return len(one) == len(two) and _equal_maps(one, two, depth)
        if kind is datetime:
            return times.instant(one) == times.instant(two)
        return bool(one == two)
    if kind in NUMBERS and type(two) in NUMBERS:
        return to_double(one) == to_double(two)
    first, second = kind_of(one), kind_of(two)
    if first == second and first in ("string", "int", "double", "bool", "duration"):
        return bool(one == two)
    if first == second and first in ("list", "map"):
        plain = list if first == "list" else dict
        return equals(plain(one), plain(two), depth)
    return False


def _deeper(depth: int, count: int) -> list[int]:
    """Return the depth of the items of a list, once for each."""
    if depth >= MAX_DATA_DEPTH:
        raise EvaluationError(f"the data is nested more than {MAX_DATA_DEPTH} levels deep")
    return [depth + 1] * count


def _equal_maps(one: dict[Any, Any], two: dict[Any, Any], depth: int) -> bool:
    """Whether two maps of the same size are equal."""
    if depth >= MAX_DATA_DEPTH:
        raise EvaluationError(f"the data is nested more than {MAX_DATA_DEPTH} levels deep")
    for key, value in one.items():
        found, other = find(two, key)
        if not found or not equals(value, other, depth + 1):
            return False
    return True


def find(map_: Mapping[Any, Any], key: Any) -> tuple[bool, Any]:
    """Look a key up in a map: whether it is there, and its value.

    Python takes `true` and `1` for the same key; the language does not.
    """
    if type(key) is str:
        return (True, map_[key]) if key in map_ else (False, None)
    if type(key) is float and not math.isfinite(key):
        return False, None
    if key not in map_:
        return False, None
    is_bool = type(key) is bool
    for existing, value in map_.items():
        if existing == key and (type(existing) is bool) is is_bool:
            return True, value
    return False, None


def contains(items: Any, value: Any) -> bool:
    """Whether a list holds a value equal to this one."""
    if type(value) is str:
        return value in items
    return any(equals(item, value) for item in items)


def to_double(value: float) -> float:
    """Return a number as a double; an int that is too large for one becomes infinite."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def compare(one: Any, two: Any) -> int | None:
    """Return -1, 0 or 1 for what comes first, 2 if neither does (one is not a number), None if the kinds do not fit."""
    first, second = kind_of(one), kind_of(two)
    if first != second:
        if {first, second} != {"int", "double"}:
            return None
        one, two = to_double(one), to_double(two)
    elif first == "timestamp":
        one, two = times.instant(one), times.instant(two)
    elif first not in ("int", "double", "string", "bool", "duration"):
        return None
    return -1 if one < two else 1 if one > two else 0 if one == two else 2


def weigh(value: Any, enough: int) -> int:
    """Return about how much work it is to walk through a value: its items, and its characters by 64.

    Args:
        value: The value.
        enough: Stop counting when it is more than this.
    """
    total = 0
    waiting = [value]
    while waiting and total <= enough:
        current = waiting.pop()
        total += 1
        kind = type(current)
        if kind is str:
            total += len(current) >> 6
        elif kind is list:
            waiting.extend(current)
        elif kind is dict:
            waiting.extend(current.values())
    return total


def number_text(value: float) -> str:
    """Return the text of a number: the shortest that reads back as the same, without `.0`."""
    if isinstance(value, int):
        try:
            return str(value)
        except ValueError:
            # Python writes no more than 4,300 digits.
            raise EvaluationError("the number has too many digits to be written") from None
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    text = repr(float(value))
    return text.removesuffix(".0")


def scalar_text(value: Any) -> str | None:
    """Return what text a value becomes that is no list and no map, or None."""
    kind = kind_of(value)
    if kind == "string":
        return str(value)
    if kind == "null":
        return "null"
    if kind == "bool":
        return "true" if value else "false"
    if kind in ("int", "double"):
        return number_text(value)
    if kind == "timestamp":
        return times.write_timestamp(value)
    if kind == "duration":
        return times.write_duration(value)
    return str(value.name) if kind == "type" else None


def to_json(value: Any) -> Any:
    """Return a value as plain JSON.

    Timestamps become RFC 3339 text, durations text such as `3600s`, types their names. Keys of maps become text.

    Raises:
        EvaluationError: The value is nested too deeply, is not a finite number, or is no value of the language.
    """
    return _json(value, 0)


def _json(value: Any, depth: int) -> Any:
    """Return a value as plain JSON. See `to_json`."""
    kind = type(value)
    if kind is str or kind is int or value is None or kind is bool:
        return value
    if kind is float:
        if not math.isfinite(value):
            raise EvaluationError(f"JSON has no number for {number_text(value)}")
        return value
    if depth >= MAX_DATA_DEPTH:
        raise EvaluationError(f"the data is nested more than {MAX_DATA_DEPTH} levels deep")
    named = kind_of(value)
    if named == "list":
        return [_json(item, depth + 1) for item in value]
    if named == "map":
        return {_key(key): _json(item, depth + 1) for key, item in value.items()}
    if named == "unknown":
        raise EvaluationError("there is no JSON for a value of this type")
    if named in ("string", "int", "double", "bool"):
        return _json({"string": str, "int": int, "double": float, "bool": bool}[named](value), depth)
    return scalar_text(value)


def _key(key: Any) -> str:
    """Return the key of a map as JSON has it: text."""
    return key if type(key) is str else scalar_text(key) or ""


def text(value: Any) -> str:
    """Return what text a value becomes inside other text.

    Null becomes nothing, a list or map its JSON; all else as `string(...)` writes it.

    Raises:
        EvaluationError: The value has no text. See `to_json`.
    """
    if value is None:
        return ""
    plain = scalar_text(value)
    if plain is not None:
        return plain
    return json.dumps(to_json(value), ensure_ascii=False, separators=(",", ":"))
