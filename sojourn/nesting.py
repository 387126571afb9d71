"""How deep JSON is nested: bounded wherever it comes in, since what reads it further in goes from level to level."""

from __future__ import annotations

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
