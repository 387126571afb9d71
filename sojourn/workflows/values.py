"""Values that cross a continue-as-new: plain JSON that keeps timestamps and durations apart from text.

Expressions give timestamps and durations; a continued run must find the same types that it left. JSON has neither, so
both are written as a mapping with one reserved key.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sojourn.expressions import to_json

_TIME = "$time"
_DURATION = "$duration"
_PLAIN = "$plain"
_RESERVED = frozenset((_TIME, _DURATION, _PLAIN))


def pack(value: Any) -> Any:
    """Return plain JSON from which `unpack` makes the same value again.

    Args:
        value: Null, boolean, number, text, list, mapping with text keys, aware `datetime` or `timedelta`.

    Returns:
        The same structure without any type that JSON lacks.
    """
    if isinstance(value, datetime):
        return {_TIME: value.isoformat()}
    if isinstance(value, timedelta):
        return {_DURATION: [value.days, value.seconds, value.microseconds]}
    if isinstance(value, Mapping):
        packed = {str(key): pack(item) for key, item in value.items()}
        # Data that happens to look like one of our marks is wrapped, so that it comes back as it was.
        return {_PLAIN: packed} if len(packed) == 1 and not _RESERVED.isdisjoint(packed) else packed
    if isinstance(value, list | tuple):
        return [pack(item) for item in value]
    return value


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
        return {name: unpack(item) for name, item in value.items()}
    if isinstance(value, list):
        return [unpack(item) for item in value]
    return value


def weight(value: Any) -> int:
    """Return about how many bytes a value takes in a payload."""
    return len(json.dumps(value, default=to_json, ensure_ascii=False, separators=(",", ":")))


def moment(value: datetime) -> str:
    """Return a moment as RFC 3339 text in UTC, to the millisecond: how traces and states show time."""
    return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
