"""How long a fetched token holds, as token endpoints say it."""

from __future__ import annotations

import math
import time
from datetime import datetime
from typing import Any

MAX_LIFETIME = 365 * 86_400.0
"""Seconds for which a token is kept at most."""

_MOMENT = 1e9
"""From here on, a number is a moment in seconds since 1970 (this one was in 2001): no token holds for 31 years."""

_MILLISECONDS = 1e11
"""From here on, a moment is in milliseconds: in seconds it would be in the year 5138."""


def lifetime(stated: Any) -> float:
    """Return the seconds for which a token holds.

    Args:
        stated: Seconds, or the moment at which it ends: in seconds or milliseconds since 1970, or as RFC 3339 text with
            an offset. Numbers may be texts.

    Returns:
        At most a year; 0 or less for a token that is over already.

    Raises:
        ValueError: It is none of these.
    """
    if isinstance(stated, bool) or not isinstance(stated, int | float | str):
        raise ValueError("neither a number nor a moment")
    try:
        seconds = float(stated)
    except OverflowError:  # an integer that no float holds
        return MAX_LIFETIME if int(stated) > 0 else 0.0
    except ValueError:
        moment = datetime.fromisoformat(str(stated).strip())
        if moment.tzinfo is None:
            raise ValueError("a moment without an offset") from None
        seconds = moment.timestamp() - time.time()
    else:
        if not math.isfinite(seconds):
            raise ValueError("not a finite number")
        if _MOMENT <= seconds < _MOMENT * 10_000:
            seconds = (seconds / 1000 if seconds >= _MILLISECONDS else seconds) - time.time()
    return min(seconds, MAX_LIFETIME)
