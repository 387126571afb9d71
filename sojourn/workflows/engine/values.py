"""Values that are carried to the next run, as plain JSON that tells timestamps and durations from text.

The results of expressions may be timestamps and durations, and the next run must get the same types. JSON has neither,
so both are written as a mapping with one reserved key.
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
    """Return a value as plain JSON that `unpack` turns back into the same value.

    Args:
        value: Null, boolean, number, text, list, mapping, aware `datetime` or `timedelta`.

    Returns:
        The same structure, with JSON types only.

    Raises:
        EvaluationError: A number in it is not finite, or something in it cannot be kept.
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
    # Data that happens to look like one of our reserved mappings is wrapped, so that it comes back as it was.
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
    """Return the size of a value in bytes, as Temporal's default converter writes it."""
    return len(json.dumps(value, default=to_json, separators=(",", ":")))


def shorten(text: str, most: int) -> str:
    """Return a text, cut to at most so many characters."""
    return text if len(text) <= most else text[: most - 1] + "…"


def moment(value: datetime) -> str:
    """Return a moment as RFC 3339 text in UTC with milliseconds, as traces and states show it."""
    return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
