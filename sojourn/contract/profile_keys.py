"""What a profile key is: the same for events, for the profile store and for whoever asks."""

from __future__ import annotations

import math
from typing import Any

MAX_KEY = 1000
"""Most characters of a profile key."""


def key_text(value: Any) -> str | None:
    """Return the text of a profile key, or None for a value that cannot be one.

    A whole number has one text however JSON wrote it: 42 and 42.0 are the same profile.
    """
    if isinstance(value, str):
        return value if value.strip() else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        value = int(value) if value.is_integer() else value
    return str(value)


def unfit_key(value: Any) -> str | None:
    """Return why a value is no profile key, and what is one, or None where it is one."""
    key = key_text(value)
    if key is None:
        what = "is empty" if value is None or isinstance(value, str) else "is neither a text nor a number"
        return f'{what}; write the profile\'s key, such as "cust-1"'
    if len(key) > MAX_KEY:
        return f"has {len(key):,} characters; a profile key has at most {MAX_KEY:,}"
    return None
