"""Content hashes: whether two definitions are the same."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def content_hash(value: Any) -> str:
    """Return the hash of a JSON value: equal values have equal hashes, whatever the order of their keys.

    Args:
        value: Plain JSON. `1` and `1.0` are the same number.

    Returns:
        32 hex digits of BLAKE2b.
    """
    text = json.dumps(
        _plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False
    )
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    # JSON has one kind of number: a database or another language may write 60.0 as 60.
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return value
