"""Comparing what is expected with what was: only what is written down is compared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def fits(expected: Any, actual: Any) -> bool:
    """Say whether a value is what is expected.

    Of a mapping, the keys that are expected are compared, at any depth; everything else is compared whole.

    Args:
        expected: Plain JSON.
        actual: Plain JSON.
    """
    if isinstance(expected, Mapping):
        return isinstance(actual, Mapping) and all(
            key in actual and fits(value, actual[key]) for key, value in expected.items()
        )
    if isinstance(expected, list):
        return (
            isinstance(actual, list)
            and len(expected) == len(actual)
            and all(fits(one, other) for one, other in zip(expected, actual, strict=True))
        )
    # True is no 1 here, as it is none in JSON.
    return isinstance(expected, bool) == isinstance(actual, bool) and bool(expected == actual)
