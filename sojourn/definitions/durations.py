"""Durations as journey authors write them: `30s`, `1h30m`, `1d`."""

from __future__ import annotations

import itertools
import re
from typing import Annotated, Any

from pydantic import BeforeValidator, ValidationInfo, WithJsonSchema

from sojourn.definitions.codes import Code, problem

_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_PART = re.compile(r"(\d{1,12}(?:\.\d{1,6})?)(ms|[smhdw])")
_WHOLE = re.compile(rf"(?:{_PART.pattern})+")
_CALENDAR = re.compile(r"(?i)\d\s*(mo|mon|month|months|y|yr|year|years)\b|^p\d")
LONGEST = 3660 * 86_400
"""The longest duration that is accepted, in seconds: ten years. Longer ones are slips of the pen."""

HINT = "Write a number and a unit, such as 250ms, 30s, 5m, 1h30m, 1d or 2w."


def whole(seconds: float) -> float:
    """Return the number as an `int` where it is whole, so that it is written `60` and not `60.0`."""
    return int(seconds) if seconds == int(seconds) else seconds


def parse_duration(text: str) -> float:
    """Return the length of a duration.

    Args:
        text: Numbers with the units ms, s, m, h, d and w, from the largest to the smallest: `1h30m`.

    Returns:
        Seconds; an `int` where they are whole. A day is 24 hours, a week 7 days.

    Raises:
        ValueError: The text is no duration, or longer than ten years. The message says what to write.
    """
    cleaned = text.strip()
    if not _WHOLE.fullmatch(cleaned):
        if _CALENDAR.search(cleaned):
            raise ValueError(
                "months and years have no fixed length, so they cannot be a duration; write days, such as 30d"
            )
        raise ValueError(f"{_shown(text)} is not a duration; write it like 250ms, 30s, 5m, 1h30m, 1d or 2w")
    parts = _PART.findall(cleaned)
    sizes = [_UNITS[unit] for _, unit in parts]
    if any(first <= second for first, second in itertools.pairwise(sizes)):
        raise ValueError(f"{_shown(text)} names a unit twice or out of order; write it like 1d12h or 1h30m")
    seconds = round(sum(float(number) * _UNITS[unit] for number, unit in parts), 6)
    if seconds > LONGEST:
        raise ValueError(f"{_shown(text)} is longer than ten years; write a shorter one")
    return whole(seconds)


def write_duration(seconds: float) -> str:
    """Return a duration as authors write it: `1h30m`, `250ms`, `30d`. Parts below a millisecond are left out.

    Args:
        seconds: Its length; not negative.
    """
    left = round(seconds * 1000)
    parts = []
    # Not in weeks: who writes 30d would not know it again as 4w2d.
    for unit, size in sorted(_UNITS.items(), key=lambda pair: -pair[1])[1:]:
        number, left = divmod(left, round(size * 1000))
        parts += [f"{number}{unit}"] if number else []
    return "".join(parts) or "0s"


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:37] + "...")


def _read(value: Any, info: ValidationInfo) -> Any:
    if isinstance(value, str):
        try:
            return parse_duration(value)
        except ValueError as error:
            message, _, hint = str(error).partition("; ")
            raise problem(Code.DURATION, message[0].upper() + message[1:], _sentence(hint)) from None
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if number and info.context == STORED:
        return value
    if number:
        raise problem(Code.DURATION, f"The duration {value} has no unit", f"Write {value}s for seconds.")
    raise problem(Code.DURATION, "A duration is written as a text", HINT)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "." if text else HINT


STORED = "stored"
"""Validation context of what `dump` wrote: there, durations are numbers of seconds."""

Duration = Annotated[
    float,
    BeforeValidator(_read),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^([0-9]+(\.[0-9]+)?(ms|[smhdw]))+$",
            "description": "A duration: 250ms, 30s, 5m, 1h30m, 1d, 2w",
        }
    ),
]
"""Seconds; written as a text with units."""


def _positive(value: Any, info: ValidationInfo) -> Any:
    seconds = _read(value, info)
    if seconds <= 0:
        raise problem(
            Code.DURATION, "The duration must be longer than nothing", "Write a longer one, such as 1s."
        )
    return seconds


PositiveDuration = Annotated[
    float,
    BeforeValidator(_positive),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^([0-9]+(\.[0-9]+)?(ms|[smhdw]))+$",
            "description": "A duration longer than nothing: 250ms, 30s, 5m, 1h30m, 1d, 2w",
        }
    ),
]
"""Seconds, more than 0; written as a text with units."""
