"""Values that cross a continue-as-new: plain JSON that keeps timestamps and durations apart from text.

Expressions give timestamps and durations; a continued run must find the same types that it left. JSON has neither, so
both are written as a mapping with one reserved key.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sojourn.expressions import EvaluationError, to_json

_TIME = "$time"
_DURATION = "$duration"
_PLAIN = "$plain"
_MAP = "$map"
_RESERVED = frozenset((_TIME, _DURATION, _PLAIN, _MAP))


def pack(value: Any) -> Any:
    """Return plain JSON from which `unpack` makes the same value again.

    Args:
        value: Null, boolean, number, text, list, mapping, aware `datetime` or `timedelta`.

    Returns:
        The same structure without any type that JSON lacks.

    Raises:
        EvaluationError: A number in it is not finite, or something is no value that can be kept.
    """
    if isinstance(value, datetime):
        return {_TIME: value.isoformat()}
    if isinstance(value, timedelta):
        return {_DURATION: [value.days, value.seconds, value.microseconds]}
    if isinstance(value, Mapping):
        return _pack_map(value)
    if isinstance(value, list | tuple):
        return [pack(item) for item in value]
    if value is not None and not isinstance(value, bool | int | float | str):
        raise EvaluationError("a type is no value that can be kept; keep its name: string(type(x))")
    return to_json(value)


def _pack_map(value: Mapping[Any, Any]) -> dict[str, Any]:
    """Pack a mapping; one whose keys JSON or the converter, which sorts them, would change becomes a list of pairs."""
    keys = list(value)
    if not all(type(key) is str for key in keys) or keys != sorted(keys):
        return {_MAP: [[key, pack(item)] for key, item in value.items()]}
    packed = {key: pack(item) for key, item in value.items()}
    # Data that happens to look like one of our marks is wrapped, so that it comes back as it was.
    return {_PLAIN: packed} if len(packed) == 1 and not _RESERVED.isdisjoint(packed) else packed


def unpack(value: Any) -> Any:
    """Return what `pack` was given."""
    if isinstance(value, dict):
        if len(value) == 1:
            ((key, item),) = value.items()
            if key == _TIME:
                return datetime.fromisoformat(item)
            if key == _DURATION:
                return timedelta(*item)
            if key == _PLAIN:
                return {name: unpack(inner) for name, inner in item.items()}
            if key == _MAP:
                return {name: unpack(inner) for name, inner in item}
        return {name: unpack(item) for name, item in value.items()}
    if isinstance(value, list):
        return [unpack(item) for item in value]
    return value


def weight(value: Any) -> int:
    """Return how many bytes a value takes in a payload, as Temporal's default converter writes it."""
    return len(json.dumps(value, default=to_json, separators=(",", ":")))


def shorten(text: str, most: int) -> str:
    """Return a text, cut to so many characters where it is longer."""
    return text if len(text) <= most else text[: most - 1] + "…"


def moment(value: datetime) -> str:
    """Return a moment as RFC 3339 text in UTC, to the millisecond: how traces and states show time."""
    return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
