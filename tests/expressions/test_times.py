"""Timestamps, durations and zones, also across clock changes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from sojourn.expressions import EvaluationError, times
from sojourn.expressions import compile as compile_expression

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)


def evaluate(text: str) -> object:
    """Return the value of an expression."""
    return compile_expression(text).evaluate({"now": NOW})


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        # Paris, 29 March 2026: clocks go from 2:00 to 3:00; 25 October: from 3:00 back to 2:00.
        ("timestamp('2026-03-29T02:30:00', 'Europe/Paris')", "2026-03-29T01:00:00Z"),
        ("timestamp('2026-03-29T02:00:00', 'Europe/Paris')", "2026-03-29T01:00:00Z"),
        ("timestamp('2026-03-29T01:59:59.500', 'Europe/Paris')", "2026-03-29T00:59:59.500Z"),
        ("timestamp('2026-03-29T03:00:00', 'Europe/Paris')", "2026-03-29T01:00:00Z"),
        ("timestamp('2026-10-25T02:30:00', 'Europe/Paris')", "2026-10-25T00:30:00Z"),
        ("addDays(timestamp('2026-03-28T01:30:00Z'), 1, 'Europe/Paris')", "2026-03-29T01:00:00Z"),
        ("addDays(timestamp('2026-03-28T08:00:00Z'), 1, 'Europe/Paris')", "2026-03-29T07:00:00Z"),
        ("addDays(timestamp('2026-10-25T00:30:00Z'), 0, 'Europe/Paris')", "2026-10-25T00:30:00Z"),
        ("timestamp('2026-03-28T08:00:00Z') + days(1)", "2026-03-29T08:00:00Z"),
        ("inZone(timestamp('2026-03-29T00:30:00Z'), 'Europe/Paris') + hours(1)", "2026-03-29T01:30:00Z"),
        ("startOfDay(timestamp('2026-03-29T12:00:00Z'), 'Europe/Paris')", "2026-03-28T23:00:00Z"),
        ("withHour(timestamp('2026-03-29T12:15:00Z'), 2, 'Europe/Paris')", "2026-03-29T01:00:00Z"),
        ("withHour(timestamp('2026-10-25T12:15:00Z'), 2, 'Europe/Paris')", "2026-10-25T00:15:00Z"),
        # Zones whose day begins after midnight on some dates, or that skipped a day altogether.
        ("startOfDay(timestamp('2018-11-04T12:00:00Z'), 'America/Sao_Paulo')", "2018-11-04T03:00:00Z"),
        ("startOfDay(timestamp('2024-04-26T12:00:00Z'), 'Africa/Cairo')", "2024-04-25T22:00:00Z"),
        ("timestamp('2011-12-30T12:00:00', 'Pacific/Apia')", "2011-12-30T10:00:00Z"),
        # Half an hour, and quarters.
        ("timestamp('2026-10-04T02:15:00', 'Australia/Lord_Howe')", "2026-10-03T15:30:00Z"),
        ("startOfWeek(timestamp('2026-03-29T22:30:00Z'), 'Europe/Paris')", "2026-03-29T22:00:00Z"),
        ("startOfMonth(timestamp('2026-03-31T22:30:00Z'), 'Europe/Paris')", "2026-03-31T22:00:00Z"),
        ("addMonths(timestamp('2026-10-31T12:00:00Z'), 4)", "2027-02-28T12:00:00Z"),
        ("addMonths(timestamp('2026-01-31T12:00:00Z'), -2)", "2025-11-30T12:00:00Z"),
        ("addYears(timestamp('2024-02-29T12:00:00Z'), 4)", "2028-02-29T12:00:00Z"),
        ("timestamp('2026-03-29T08:00:00+02:00')", "2026-03-29T06:00:00Z"),
        ("timestamp('2026-03-29t08:00:00z')", "2026-03-29T08:00:00Z"),
        ("timestamp('2026-03-29 08:00', 'UTC')", "2026-03-29T08:00:00Z"),
        ("timestamp('2026-03-29T08:00:00+0200', 'UTC')", "2026-03-29T06:00:00Z"),
        ("timestamp(-1)", "1969-12-31T23:59:59Z"),
        ("addYears(timestamp('0002-01-01T00:00:00Z'), -1)", "0001-01-01T00:00:00Z"),
        ("addYears(timestamp('9998-12-31T00:00:00Z'), 1)", "9999-12-31T00:00:00Z"),
        ("addMonths(timestamp('2026-12-15T00:00:00Z'), 1)", "2027-01-15T00:00:00Z"),
        ("addMonths(timestamp('2026-01-15T00:00:00Z'), -1)", "2025-12-15T00:00:00Z"),
        ("addMonths(timestamp('2026-11-15T00:00:00Z'), 1)", "2026-12-15T00:00:00Z"),
    ],
)
def test_moments(text: str, moment: str) -> None:
    """Local times mean the right moment: after a gap its first moment, of a time that comes twice the first."""
    result = evaluate(text)
    assert isinstance(result, datetime)
    assert times.write_timestamp(result.astimezone(UTC)) == moment


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("timestamp('2026-03-29T22:30:00Z').getDayOfWeek()", 0),
        ("timestamp('2026-03-29T22:30:00Z').getDayOfWeek('Europe/Paris')", 1),
        ("timestamp('2026-03-29T22:30:00Z').getHours('+05:30')", 4),
        ("timestamp('2026-03-29T22:30:00+02:00').getHours()", 20),
        ("inZone(timestamp('2026-03-29T22:30:00Z'), 'Europe/Paris').getHours()", 0),
        ("inZone(timestamp('2026-03-29T22:30:00Z'), 'Europe/Paris') == timestamp('2026-03-29T22:30:00Z')", True),
        ("inZone(now, 'Europe/Paris') - inZone(now, 'Asia/Tokyo') == seconds(0)", True),
        ("withTime(inZone(now, 'Asia/Tokyo'), '09:00') == timestamp('2026-06-15T00:00:00Z')", True),
        ("string(inZone(now, 'America/St_Johns'))", "2026-06-15T09:30:00-02:30"),
        ("date(now, 'Pacific/Kiritimati')", "2026-06-16"),
        ("inLast(now, hours(1)) && inLast(now - hours(1), hours(1)) && !inLast(now - hours(2), hours(1))", True),
        ("inNext(now, hours(1)) && !inNext(now - seconds(1), hours(1))", True),
        ("inLastMonths(timestamp('2026-05-15T12:00:00Z'), 1)", True),
        ("inLastMonths(timestamp('2026-05-15T11:59:59Z'), 1)", False),
        ("inLastDays(now, 0) && !inLastDays(now - seconds(1), 0)", True),
        ("inNextYears(timestamp('2027-06-15T12:00:00Z'), 1)", True),
        ("duration('1h30m') == minutes(90) && duration('PT1H30M') == minutes(90)", True),
        ("duration('-1.5h') == minutes(-90) && duration('1w') == days(7) && duration('P1DT1S') == seconds(86401)", True),
        ("duration('0') == seconds(0) && duration('-PT1S') == seconds(-1) && duration('1us') > duration('0s')", True),
        ("[duration('-90s').getMinutes(), duration('-90s').getSeconds(), duration('-1500ms').getMilliseconds()]", [-1, -90, -500]),
        ("string(duration('1.5s')) + ' ' + string(duration('-1us')) + ' ' + string(days(1))", "1.500s -0.000001s 86400s"),
        ("toMillis(timestamp('1969-12-31T23:59:59.999Z'))", -1),
        ("int(timestamp('1969-12-31T23:59:59.999Z'))", -1),
    ],
)  # fmt: skip
def test_parts_and_questions(text: str, value: object) -> None:
    """Parts are those of the zone that is asked for, or of the timestamp's own."""
    assert evaluate(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "timestamp('2026-03-29')", "timestamp('2026-03-29T08:00:00')", "timestamp('2026-03-29T08:00Z')", "timestamp('')",
        "timestamp('2026-02-30T08:00:00Z')", "timestamp('2026-03-29T24:00:00Z')", "timestamp('2026-03-29T08:00:60Z')",
        "timestamp('2026-03-29T08:00:00+25:00')", "timestamp('10000-01-01T00:00:00Z')", "timestamp(253402300800)",
        "timestamp('0001-01-01T00:00:00+01:00')", "timestamp('9999-12-31T23:00:00', 'America/New_York')",
        "timestamp('2026-03-29T08:00:00Z', 'Nowhere')", "inZone(now, '../etc/passwd')", "inZone(now, '/etc/localtime')",
        "inZone(now, 'Europe')", "inZone(now, '')", "inZone(now, '+2')", "inZone(timestamp(253402300799), '+01:00')",
        "duration('')", "duration('1')", "duration('1h ')", "duration('P1M')", "duration('P1Y')", "duration('PT')",
        "duration('P')", "duration('1e3s')", "duration('300000000000s')", "hours(1) * 2",
        "duration('2500000h') + duration('2500000h')",
        "timestamp('9999-12-31T23:59:59Z') + seconds(1)", "timestamp('9999-12-31T23:59:59Z') - timestamp('0001-01-01T00:00:00Z')",
    ],
)  # fmt: skip
def test_what_is_no_time_is_refused(text: str) -> None:
    """Texts that say no moment, no duration or no zone are errors, and so is what lies out of range."""
    with pytest.raises(EvaluationError):
        evaluate(text)


@pytest.mark.parametrize(
    "zone", ["Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Tehran"]
)
def test_every_local_time_of_a_year_has_one_moment(zone: str) -> None:
    """Each local time maps to the first moment at which clocks show it or, in a gap, to the first after the gap."""
    place = ZoneInfo(zone)
    minute = timedelta(minutes=10)
    shown: dict[datetime, datetime] = {}
    moment = datetime(2025, 12, 30, tzinfo=UTC)
    while moment < datetime(2027, 1, 3, tzinfo=UTC):
        shown.setdefault(moment.astimezone(place).replace(tzinfo=None, fold=0), moment)
        moment += minute
    wall = datetime(2026, 1, 1)  # noqa: DTZ001
    gaps = 0
    while wall < datetime(2027, 1, 1):  # noqa: DTZ001
        result = times.moment_of(wall, place).astimezone(UTC)
        if wall in shown:
            assert result == shown[wall]
        else:
            gaps += 1
            local = result.astimezone(place)
            assert local.replace(tzinfo=None) > wall
            assert (result - timedelta(seconds=1)).astimezone(place).replace(tzinfo=None) < wall
        wall += minute
    assert gaps > 0 or zone == "Asia/Tehran"


def test_the_longest_duration() -> None:
    """A duration is as long as 64 bits of nanoseconds at most."""
    longest = times.MAX_DURATION
    assert longest // timedelta(microseconds=1) == 9_223_372_036_854_775
    assert times.limit_duration(longest) == longest
    assert times.limit_duration(-longest) == -longest
    for duration in (longest + timedelta(microseconds=1), -longest - timedelta(microseconds=1)):
        with pytest.raises(EvaluationError, match="292 years"):
            times.limit_duration(duration)


def test_timestamps_before_standard_time_are_written_in_utc() -> None:
    """Offsets with seconds, of long ago, cannot be written in RFC 3339."""
    old = datetime(1850, 1, 1, 12, tzinfo=ZoneInfo("Europe/Paris"))
    assert times.write_timestamp(old) == "1850-01-01T11:50:39Z"
    assert (
        times.write_timestamp(datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=-3))))
        == "2026-01-01T00:00:00-03:00"
    )
