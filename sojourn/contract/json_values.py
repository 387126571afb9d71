"""JSON values: how deep they may be nested, numbers that no double holds, and pointers into them (RFC 6901)."""

from __future__ import annotations

import re
from typing import Any


def deeper_than(value: Any, most: int) -> bool:
    """Say whether objects and lists stand inside each other more than so many levels deep, empty ones included.

    Goes level by level and without recursion, and stops at the last level that there is.

    Args:
        value: Plain JSON.
        most: Most levels that are not too deep; a text or number has none, `[]` has one.
    """
    level = [value]
    for _ in range(most + 1):
        nested = [item for item in level if isinstance(item, dict | list)]
        if not nested:
            return False
        level = [child for item in nested for child in (item.values() if isinstance(item, dict) else item)]
    return True


_HUGE = re.compile(rb"[eE]\+?[0-9]{3}|[0-9]{200}")


def may_overflow(body: bytes) -> bool:
    """Say whether a number in a JSON text could be too large for a double. Cheap; sometimes wrongly true."""
    return _HUGE.search(body) is not None


def find_infinite(value: Any, path: str = "") -> str | None:
    """Return the JSON pointer of the first number in a parsed JSON value that was too large for a double.

    The parser reads `1e999` as infinity, which nothing after it could write as JSON again.
    """
    if isinstance(value, float):
        return path if value in (float("inf"), float("-inf")) else None
    if isinstance(value, dict):
        children = ((pointer(path, key), child) for key, child in value.items())
    elif isinstance(value, list):
        children = ((pointer(path, index), child) for index, child in enumerate(value))
    else:
        return None
    return next(
        (found for where, child in children if (found := find_infinite(child, where)) is not None), None
    )


def pointer(path: str, part: str | int) -> str:
    """Return the JSON pointer (RFC 6901) of a member or an item of what `path` points at."""
    return f"{path}/{str(part).replace('~', '~0').replace('/', '~1')}"
