"""What clocks and calendars of a time zone say: the next time of day, and whether a moment lies in a window.

Pure functions: the same moment gives the same answer, so that a replay decides as the first run did. All arithmetic of
zones is that of `sojourn.expressions.times`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any

from sojourn.expressions import EvaluationError, times

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""Weekdays as definitions name them, in the order of `date.weekday`."""

_DAY = timedelta(days=1)
_SEARCHED = 16
"""Days among which the next one is: a week, another one where the zone skips a whole day, and one on each side."""


def next_time(now: datetime, clock: str, days: Collection[str] | None, place: tzinfo) -> datetime:
    """Return the next moment, later than now, at which the clocks of a zone come to a time of day.

    A time that a clock change skips means the first moment after the gap; one that comes twice means the first. A day
    that the zone skips altogether, as Samoa skipped the 30th of December 2011, is no day.

    Args:
        now: The present moment.
        clock: The time of day, such as `09:00`.
        days: The weekdays of the local dates that count; nothing for all of them.
        place: The time zone.

    Returns:
        The moment, in UTC.

    Raises:
        EvaluationError: It is behind the year 9999.
    """
    hour, minute = clock.split(":")
    wanted = time(int(hour), int(minute))
    try:
        # From yesterday: where the clocks go back over midnight, the date does too.
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
    """Say whether a zone has a date at all."""
    begins = times.moment_of(datetime.combine(day, time()), place)
    return times.in_zone(begins, place).date() == day


def in_window(now: datetime, window: dict[str, Any], place: tzinfo) -> bool:
    """Say whether a moment lies in all that a `time_condition` names, as the clocks of a zone show it.

    Args:
        now: The moment.
        window: `hours`, pairs of minutes of the day, start inclusive and end exclusive, over midnight where the end
            is not behind the start; `days`, names of weekdays; `from` and `to`, dates such as `2026-12-31`, both
            inclusive. Each may be missing, or nothing.
        place: The time zone.

    Raises:
        EvaluationError: The clocks there show a year outside 1 to 9999.
    """
    local = times.in_zone(now, place)
    # Dates written alike compare as dates do.
    today = local.date().isoformat()
    if window.get("days") and DAYS[local.weekday()] not in window["days"]:
        return False
    if today < (window.get("from") or today) or today > (window.get("to") or today):
        return False
    return not window.get("hours") or _in_hours(local.hour * 60 + local.minute, window["hours"])


def _in_hours(minute: int, ranges: Sequence[Sequence[int]]) -> bool:
    return any(
        start <= minute < end if start < end else minute >= start or minute < end for start, end in ranges
    )
