"""Clocks and calendars in Python journeys, in the journey's time zone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, tzinfo
from typing import Literal, get_args

from sojourn.workflows.authoring.errors import JourneyError
from sojourn.workflows.authoring.runtime import Running, perform
from sojourn.workflows.engine import calendars, evaluate

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

_DAY = 24 * 60


async def within(
    *,
    hours: tuple[time, time] | Sequence[tuple[time, time]] | None = None,
    days: Iterable[Day] | None = None,
    dates: tuple[date | None, date | None] | None = None,
) -> bool:
    """Return whether it is now within hours, weekdays and dates in the journey's time zone.

        if await journey.within(hours=(time(9), time(18)), days=["mon", "tue", "wed", "thu", "fri"]):

    Args:
        hours: From one time of day to before another, or several such pairs; one that ends before it begins goes over
            midnight, and `time(0)` as an end is the end of the day.
        days: Weekdays.
        dates: First and last date, both inclusive; None leaves one side open.

    Raises:
        CallError: The time zone depends on the profile, which could not be read.
        JourneyError: A time has seconds or a time zone, or a weekday is invalid.
    """
    window = {"hours": _ranges(hours), "days": checked_days(days), **_dates(dates)}

    async def work(current: Running) -> tuple[bool, str]:
        place = await zone_of(current)
        with evaluate.explained("within"):
            holds = calendars.in_window(current.instance.now(), window, place)
        return holds, "true" if holds else "else"

    found: bool = await perform("time_condition", "within", work)
    return found


async def zone_of(current: Running) -> tzinfo:
    """Return the journey's time zone, from the step that needs it.

    Raises:
        StepError: It depends on the profile, which cannot be read, or it is invalid.
    """
    instance = current.instance
    text = instance.definition.get("timezone", "UTC")
    await instance.profile.ensure(text)
    return evaluate.zone(text, instance.variables())


def checked_days(days: Iterable[Day] | None) -> list[str] | None:
    """Return weekdays as definitions have them.

    Raises:
        JourneyError: One is invalid.
    """
    if days is None:
        return None
    found: list[str] = [days] if isinstance(days, str) else list(days)
    wrong = next((day for day in found if day not in get_args(Day)), None)
    if wrong is not None or not found:
        raise JourneyError(f"{wrong!r} is not a weekday: write some of {', '.join(get_args(Day))}")
    return found


def clock_of(moment: time) -> str:
    """Return a time of day as definitions have it, such as `09:00`.

    Raises:
        JourneyError: It is not a time of day, or has seconds or a time zone.
    """
    if not isinstance(moment, time) or moment.second or moment.microsecond or moment.tzinfo is not None:
        raise JourneyError(
            "a time of day has hours and minutes and no time zone, such as time(9, 30): the zone is that of "
            "@journey.defn(timezone=…)"
        )
    return f"{moment.hour:02}:{moment.minute:02}"


def _ranges(hours: tuple[time, time] | Sequence[tuple[time, time]] | None) -> list[list[int]] | None:
    if hours is None:
        return None
    pairs = [hours] if len(hours) == 2 and all(isinstance(item, time) for item in hours) else hours
    return [[_minute(pair[0]), _minute(pair[1]) or _DAY] for pair in pairs]  # type: ignore[index, arg-type]


def _minute(moment: time) -> int:
    clock_of(moment)
    return moment.hour * 60 + moment.minute


def _dates(dates: tuple[date | None, date | None] | None) -> dict[str, str]:
    found = {}
    for field, day in zip(("from", "to"), dates or (), strict=False):
        if isinstance(day, datetime) or not isinstance(day, date | None):
            raise JourneyError(
                "`dates` of within are two dates, such as (date(2026, 12, 1), date(2026, 12, 24))"
            )
        if day is not None:
            found[field] = day.isoformat()
    return found
