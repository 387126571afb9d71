"""Timestamps: their parts, calendars, and where they lie from now."""

from __future__ import annotations

import calendar
import functools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from sojourn.expressions import times
from sojourn.expressions.errors import EvaluationError
from sojourn.expressions.functions.registry import function

_function = functools.partial(function, group="Dates")

_T = "timestamp('2026-03-29T22:30:15.25Z')"


def _getter(
    name: str, summary: str, result: int, in_paris: int, read: Callable[[datetime], int],
    of_duration: Callable[[timedelta], int] | None = None,
) -> None:  # fmt: skip
    """Put the function that reads one part of a timestamp into the library."""
    examples = ((f"{_T}.{name}()", str(result)), (f"{_T}.{name}('Europe/Paris')", str(in_paris)))
    kinds = "timestamp | duration" if of_duration else "timestamp"

    @_function(f"{name}({kinds}, string?) -> int", summary, *examples)
    def part(value: Any, place: str | None = None) -> int:
        if isinstance(value, timedelta):
            if place is not None or of_duration is None:
                raise EvaluationError(f"{name} of a duration takes no time zone")
            return of_duration(value)
        return read(times.local(value, place))


def _parts(unit: timedelta) -> Callable[[timedelta], int]:
    """Return what counts whole units of a duration, towards zero."""
    return lambda value: value // unit if value >= timedelta(0) else -(-value // unit)


def _thousandths(value: timedelta) -> int:
    """Return the milliseconds of a duration beyond its seconds."""
    return value // timedelta(milliseconds=1) % 1000


_getter("getFullYear", "The year.", 2026, 2026, lambda t: t.year)
_getter("getMonth", "The month, counted from 0.", 2, 2, lambda t: t.month - 1)
_getter("getDate", "The day of the month, counted from 1.", 29, 30, lambda t: t.day)
_getter("getDayOfMonth", "The day of the month, counted from 0.", 28, 29, lambda t: t.day - 1)
_getter("getDayOfWeek", "The day of the week; Sunday is 0.", 0, 1, lambda t: t.isoweekday() % 7)
_getter("getDayOfYear", "The day of the year, counted from 0.", 87, 88, lambda t: t.timetuple().tm_yday - 1)
_getter(
    "getHours", "The hour; of a duration all its hours.", 22, 0, lambda t: t.hour, _parts(timedelta(hours=1))
)
_getter(
    "getMinutes",
    "The minute; of a duration all its minutes.",
    30,
    30,
    lambda t: t.minute,
    _parts(timedelta(minutes=1)),
)
_getter(
    "getSeconds",
    "The second; of a duration all its seconds.",
    15,
    15,
    lambda t: t.second,
    _parts(timedelta(seconds=1)),
)
_getter(
    "getMilliseconds", "The thousandths of the second, of a timestamp or a duration.", 250, 250,
    lambda t: t.microsecond // 1000,
    lambda d: _thousandths(d) if d >= timedelta(0) else -_thousandths(-d),
)  # fmt: skip


@_function(
    "inZone(timestamp, string) -> timestamp",
    "The same moment as the clocks of a time zone show it: its parts and its text are those of the zone.",
    ("string(inZone(timestamp('2026-07-01T10:00:00Z'), 'Europe/Paris'))", "'2026-07-01T12:00:00+02:00'"),
)
def in_zone(moment: datetime, place: str) -> datetime:
    """Return the same moment in another zone."""
    return times.in_zone(moment, times.zone(place))


@_function(
    "date(timestamp, string?) -> string",
    "The date as text, which compares and sorts as dates do.",
    ("date(timestamp('2026-03-29T22:30:00Z'), 'Europe/Paris')", "'2026-03-30'"),
)
def date_(moment: datetime, place: str | None = None) -> str:
    """Return the local date of a moment as text."""
    return times.local(moment, place).date().isoformat()


@_function(
    "toMillis(timestamp | duration) -> int",
    "The milliseconds since 1970, or of a duration.",
    ("toMillis(timestamp('1970-01-01T00:01:00Z'))", "60000"),
    ("toMillis(duration('1.5s'))", "1500"),
)
def to_millis(value: datetime | timedelta) -> int:
    """Return a moment or a duration in milliseconds."""
    if isinstance(value, timedelta):
        return _parts(timedelta(milliseconds=1))(value)
    return times.epoch_microseconds(value) // 1000


@_function(
    "fromMillis(int) -> timestamp",
    "The moment so many milliseconds after the start of 1970.",
    ("fromMillis(60000)", "timestamp('1970-01-01T00:01:00Z')"),
    method=False,
)
def from_millis(count: int) -> datetime:
    """Return the moment so many milliseconds after the start of 1970."""
    return times.from_epoch(count * 1000)


def _changed(moment: datetime, place: str | None, change: Callable[[datetime], datetime]) -> datetime:
    """Return the moment at which the local clock shows something else.

    The result is in the zone in which the change was made.
    """
    local = times.local(moment, place)
    try:
        wall = change(local.replace(tzinfo=None))
    except OverflowError:
        raise EvaluationError("the timestamp is outside the years 1 to 9999") from None
    except ValueError:
        raise EvaluationError("there is no such hour, minute or day") from None
    return times.moment_of(wall, local.tzinfo or UTC)


def _midnight(wall: datetime) -> datetime:
    """Return the beginning of the day."""
    return wall.replace(hour=0, minute=0, second=0, microsecond=0)


@_function(
    "startOfDay(timestamp, string?) -> timestamp",
    "The first moment of the day.",
    ("startOfDay(timestamp('2026-03-29T22:30:00Z'), 'Europe/Paris')", "timestamp('2026-03-29T22:00:00Z')"),
)
def start_of_day(moment: datetime, place: str | None = None) -> datetime:
    """Return the first moment of the local day."""
    return _changed(moment, place, _midnight)


@_function(
    "startOfWeek(timestamp, string?) -> timestamp",
    "The first moment of the week, which begins on Monday.",
    ("startOfWeek(timestamp('2026-04-01T12:00:00Z'))", "timestamp('2026-03-30T00:00:00Z')"),
)
def start_of_week(moment: datetime, place: str | None = None) -> datetime:
    """Return the first moment of the local week."""
    return _changed(moment, place, lambda wall: _midnight(wall) - timedelta(days=wall.weekday()))


@_function(
    "startOfMonth(timestamp, string?) -> timestamp",
    "The first moment of the month.",
    ("startOfMonth(timestamp('2026-04-15T12:00:00Z'))", "timestamp('2026-04-01T00:00:00Z')"),
)
def start_of_month(moment: datetime, place: str | None = None) -> datetime:
    """Return the first moment of the local month."""
    return _changed(moment, place, lambda wall: _midnight(wall).replace(day=1))


@_function(
    "withHour(timestamp, int, string?) -> timestamp",
    "The same day at another hour; minutes and seconds stay.",
    ("withHour(timestamp('2026-04-15T12:30:00Z'), 9, 'Europe/Paris')", "timestamp('2026-04-15T07:30:00Z')"),
)
def with_hour(moment: datetime, hour: int, place: str | None = None) -> datetime:
    """Return the same local day and minute at another hour."""
    return _changed(moment, place, lambda wall: wall.replace(hour=hour))


@_function(
    "withTime(timestamp, string, string?) -> timestamp",
    "The same day at a time such as `09:00` or `09:00:30`.",
    (
        "withTime(timestamp('2026-04-15T12:30:00Z'), '09:00', 'Europe/Paris')",
        "timestamp('2026-04-15T07:00:00Z')",
    ),
)
def with_time(moment: datetime, clock: str, place: str | None = None) -> datetime:
    """Return the same local day at another time."""
    parts = clock.split(":")
    if not 2 <= len(parts) <= 3 or not all(
        len(part) == 2 and part.isascii() and part.isdigit() for part in parts
    ):
        raise EvaluationError("the text is not a time such as 09:00")
    hour, minute, second = (int(part) for part in [*parts, "0"][:3])
    return _changed(
        moment, place, lambda wall: wall.replace(hour=hour, minute=minute, second=second, microsecond=0)
    )


@_function(
    "withDay(timestamp, int, string?) -> timestamp",
    "The same time on another day of the month.",
    ("withDay(timestamp('2026-04-15T12:30:00Z'), 1)", "timestamp('2026-04-01T12:30:00Z')"),
)
def with_day(moment: datetime, day: int, place: str | None = None) -> datetime:
    """Return the same local time on another day of the month."""
    return _changed(moment, place, lambda wall: wall.replace(day=day))


def _months(wall: datetime, count: int) -> datetime:
    """Return the same day some months later, or the last one where that month is shorter."""
    index = wall.year * 12 + wall.month - 1 + count
    year, month = divmod(index, 12)
    if not 1 <= year <= 9999:
        raise OverflowError
    return wall.replace(
        year=year, month=month + 1, day=min(wall.day, calendar.monthrange(year, month + 1)[1])
    )


_CALENDAR: dict[str, Callable[[datetime, int], datetime]] = {
    "Days": lambda wall, count: wall + timedelta(days=count),
    "Months": _months,
    "Years": lambda wall, count: _months(wall, count * 12),
}


def _adder(unit: str, summary: str, example: tuple[str, str]) -> None:
    """Put the function that adds one unit of the calendar into the library."""

    @_function(f"add{unit}(timestamp, int, string?) -> timestamp", summary, example)
    def add(moment: datetime, count: int, place: str | None = None) -> datetime:
        if abs(count) > 4_000_000:
            raise EvaluationError("the timestamp is outside the years 1 to 9999")
        return _changed(moment, place, lambda wall: _CALENDAR[unit](wall, count))


_adder(
    "Days", "The same time some days later (or earlier), as calendar and clocks count.",
    ("addDays(timestamp('2026-03-28T08:00:00Z'), 1, 'Europe/Paris')", "timestamp('2026-03-29T07:00:00Z')"),
)  # fmt: skip
_adder(
    "Months", "The same time and day some months later; the last day where that month is shorter.",
    ("addMonths(timestamp('2026-01-31T08:00:00Z'), 1)", "timestamp('2026-02-28T08:00:00Z')"),
)  # fmt: skip
_adder(
    "Years", "The same time and day some years later.",
    ("addYears(timestamp('2024-02-29T08:00:00Z'), -1)", "timestamp('2023-02-28T08:00:00Z')"),
)  # fmt: skip

_NOW = "now is 2026-06-15T12:00:00Z"


def _between(moment: datetime, start: datetime, end: datetime) -> bool:
    """Whether a moment lies between two others, which count."""
    return times.instant(start) <= times.instant(moment) <= times.instant(end)


@_function(
    "inLast(timestamp, duration) -> bool",
    "Whether a moment lies between a duration ago and `now`.",
    ("inLast(now - hours(1), hours(2))", "true"),
    ("inLast(now + hours(1), hours(2))", "false"),
    now=True,
)
def in_last(moment: datetime, length: timedelta, now: datetime) -> bool:
    """Whether a moment lies in the time before now."""
    return _between(moment, times.add(now, -length), now)


@_function(
    "inNext(timestamp, duration) -> bool",
    "Whether a moment lies between `now` and a duration ahead.",
    ("inNext(now + hours(1), hours(2))", "true"),
    now=True,
)
def in_next(moment: datetime, length: timedelta, now: datetime) -> bool:
    """Whether a moment lies in the time after now."""
    return _between(moment, now, times.add(now, length))


def _calendar_window(direction: str, unit: str) -> None:
    """Put the function that asks for the last or next units of the calendar into the library."""
    sign = -1 if direction == "Last" else 1
    example = (
        f"in{direction}{unit}(now {'-' if sign < 0 else '+'} days(40), 2)",
        str(unit != "Days").lower(),
    )

    @_function(
        f"in{direction}{unit}(timestamp, int) -> bool",
        f"Whether a moment lies in the {direction.lower()} so many {unit.lower()} of the calendar, as seen from `now`.",
        example,
        now=True,
    )
    def window(moment: datetime, count: int, now: datetime) -> bool:
        if not 0 <= count <= 4_000_000:
            raise EvaluationError("the number is below zero or too large")
        other = _changed(now, None, lambda wall: _CALENDAR[unit](wall, sign * count))
        return _between(moment, other, now) if sign < 0 else _between(moment, now, other)


for _direction in ("Last", "Next"):
    for _unit in _CALENDAR:
        _calendar_window(_direction, _unit)
