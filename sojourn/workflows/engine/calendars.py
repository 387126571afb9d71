"""Calendar arithmetic in a time zone: the next time of day, and whether a moment lies in a window.

Pure functions: the same moment gives the same answer, so a replay decides as the first run did. The arithmetic of time
zones is that of `sojourn.expressions.times`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any

from sojourn.expressions import EvaluationError, times

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""Weekdays as definitions name them, in the order of `date.weekday`."""

_DAY = timedelta(days=1)
_SEARCHED = 16
"""Days to search for the next one: a week, another one in case the zone skips a whole day, and one on each side."""


def next_time(now: datetime, clock: str, days: Collection[str] | None, place: tzinfo) -> datetime:
    """Return the next moment, later than now, at which the clocks of a zone show a time of day.

    A time that a clock change skips means the first moment after the gap. One that occurs twice means the first. A day
    that the zone skips altogether, as Samoa skipped December 30, 2011, does not count.

    Args:
        now: The present moment.
        clock: The time of day, such as `09:00`.
        days: The weekdays of the local dates that count; None for all of them.
        place: The time zone.

    Returns:
        The moment, in UTC.

    Raises:
        EvaluationError: It is after the year 9999.
    """
    hour, minute = clock.split(":")
    wanted = time(int(hour), int(minute))
    try:
        # From yesterday: if the clocks go back over midnight, so does the date.
        first = times.in_zone(now, place).date() - _DAY
        for day in (first + count * _DAY for count in range(_SEARCHED + 1)):
            if (days and DAYS[day.weekday()] not in days) or not _exists(day, place):
                continue
            moment = times.instant(times.moment_of(datetime.combine(day, wanted), place))
            if moment > now:
                return moment
    except OverflowError:
        pass
    raise EvaluationError("there is no such time any more before the year 9999 ends")


def _exists(day: date, place: tzinfo) -> bool:
    """Return whether a zone has a date at all."""
    begins = times.moment_of(datetime.combine(day, time()), place)
    return times.in_zone(begins, place).date() == day


def in_window(now: datetime, window: Mapping[str, Any], place: tzinfo) -> bool:
    """Return whether a moment lies in all that a `time_condition` names, by the clocks of a zone.

    Args:
        now: The moment.
        window: `hours`, pairs of minutes of the day, start inclusive and end exclusive, over midnight if the end is
            not after the start; `days`, names of weekdays; `from` and `to`, dates such as `2026-12-31`, both
            inclusive. Each may be missing or null.
        place: The time zone.

    Raises:
        EvaluationError: The clocks there show a year outside 1 to 9999.
    """
    local = times.in_zone(now, place)
    # ISO dates compare as texts in the order of the dates.
    today = local.date().isoformat()
    if window.get("days") and DAYS[local.weekday()] not in window["days"]:
        return False
    if today < (window.get("from") or today) or today > (window.get("to") or today):
        return False
    return not window.get("hours") or _in_hours(local.hour * 60 + local.minute, window["hours"])


def check_days(days: Collection[str] | None) -> None:
    """Check the names of weekdays.

    Args:
        days: The names; None for all days.

    Raises:
        TypeError: They have the wrong type.
        ValueError: One is invalid.
    """
    if not set(days or ()) <= set(DAYS):
        raise ValueError(f"days must be {', '.join(DAYS)}")


def _in_hours(minute: int, ranges: Sequence[Sequence[int]]) -> bool:
    return any(
        start <= minute < end if start < end else minute >= start or minute < end for start, end in ranges
    )
