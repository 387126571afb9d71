"""Dates and times of day as journey authors write them, in a time zone."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from sojourn.expressions import times

_CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?([Zz]|[+-]\d{2}:\d{2})?")


@lru_cache(maxsize=256)
def zone(name: str) -> ZoneInfo | None:
    """Return the time zone with an IANA name, or None if there is none."""
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, LookupError):
        return None


def zone_names() -> list[str]:
    """Return the names of all time zones."""
    return sorted(available_timezones())


def parse_clock(text: str) -> tuple[int, int] | None:
    """Return hour and minute of a time of day such as `09:00`, or None if it is none."""
    found = _CLOCK.fullmatch(text.strip())
    return (int(found[1]), int(found[2])) if found else None


_RANGE = re.compile(r"([0-9:]+)\s*-\s*([0-9:]+)")
_DAY_END = 24 * 60


def parse_hours(text: str) -> tuple[int, int]:
    """Return the minutes of the day at which a range such as `09:00-18:00` begins and ends.

    One that ends before it begins goes over midnight. `24:00` is the end of the day.

    Raises:
        ValueError: It is no such range, or a range of no length. The message says what to write.
    """
    found = _RANGE.fullmatch(text.strip())
    first = parse_clock(found[1]) if found else None
    last = (24, 0) if found and found[2] == "24:00" else parse_clock(found[2]) if found else None
    if first is None or last is None:
        raise ValueError(f'`{text[:40]}` is no range of hours; write it like "09:00-18:00"')
    start, end = first[0] * 60 + first[1], last[0] * 60 + last[1]
    if start == end:
        raise ValueError(
            f'`{text[:40]}` begins when it ends; write "00:00-24:00" for the whole day, or leave `hours` out'
        )
    return start, end


def parse_date(text: str) -> date | None:
    """Return a date such as `2026-12-31`, or None if it is none."""
    if not _DATE.fullmatch(text.strip()):
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None


def resolve(local: datetime, where: ZoneInfo) -> datetime:
    """Return the moment, in UTC, that a local time means.

    A time that a clock change skips means the first moment after the gap; one that comes twice means the first.

    Args:
        local: Date and time without zone.
        where: The time zone.

    Raises:
        ValueError: It lies outside the years 1 to 9999.
    """
    return times.instant(times.moment_of(local, where))


def parse_moment(text: str, where: ZoneInfo | None, *, last: bool = False) -> datetime:
    """Return the moment that a text means.

    Args:
        text: A date (`2026-12-31`), a local date and time (`2026-12-31T18:00`), or one with an offset.
        where: The time zone of what has no offset; None if it is not known.
        last: A date means its end instead of its beginning.

    Returns:
        The moment in UTC.

    Raises:
        ValueError: The text means no moment. The message says what to write.
    """
    cleaned = text.strip()
    day = parse_date(cleaned)
    if day is not None:
        local = datetime(day.year, day.month, day.day) + timedelta(days=1 if last else 0)  # noqa: DTZ001
    elif _MOMENT.fullmatch(cleaned):
        try:
            local = datetime.fromisoformat(cleaned.upper().replace("Z", "+00:00"))
        except ValueError:
            raise ValueError("there is no such date or time; write it like 2026-12-31T18:00") from None
        if local.tzinfo is not None:
            return local.astimezone(UTC)
    else:
        raise ValueError(
            "this is no date; write it like 2026-12-31, 2026-12-31T18:00 or 2026-12-31T18:00:00Z"
        )
    if where is None:
        raise ValueError("the time zone is not fixed; write the offset too, such as 2026-12-31T18:00:00Z")
    return resolve(local, where)
