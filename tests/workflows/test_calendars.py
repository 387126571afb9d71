"""Times of day and windows of time, in zones whose clocks do odd things."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.expressions import EvaluationError, times
from sojourn.workflows.engine.calendars import DAYS, in_window, next_time

MINUTE = timedelta(minutes=1)


def utc(text: str) -> datetime:
    """Return a moment."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "clock", "days", "zone", "expected"),
    [
        # Plain days, and strictly after now.
        ("2026-05-01 08:59", "09:00", None, "UTC", "2026-05-01 09:00"),
        ("2026-05-01 09:00", "09:00", None, "UTC", "2026-05-02 09:00"),
        ("2026-05-01 09:00", "09:00", ["fri"], "UTC", "2026-05-08 09:00"),
        ("2026-05-01 08:00", "09:00", ["fri"], "UTC", "2026-05-01 09:00"),
        ("2026-05-01 10:00", "09:00", ["mon", "tue", "wed", "thu", "fri"], "UTC", "2026-05-04 09:00"),
        ("2026-12-31 23:59", "00:00", None, "UTC", "2027-01-01 00:00"),
        # The weekday is that of the local date: Saturday in Auckland is Friday in UTC.
        ("2026-05-01 12:00", "09:00", ["sat"], "Pacific/Auckland", "2026-05-01 21:00"),
        ("2026-05-01 12:00", "09:00", ["fri"], "Pacific/Auckland", "2026-05-07 21:00"),
        ("2026-05-02 03:00", "22:00", ["fri"], "America/Los_Angeles", "2026-05-02 05:00"),
        ("2026-05-01 12:00", "09:00", None, "Pacific/Kiritimati", "2026-05-01 19:00"),
        # Paris: 2:00 to 3:00 on 29 March, back from 3:00 to 2:00 on 25 October.
        ("2026-03-28 12:00", "02:30", None, "Europe/Paris", "2026-03-29 01:00"),
        ("2026-03-29 01:00", "02:30", None, "Europe/Paris", "2026-03-30 00:30"),
        ("2026-03-28 12:00", "09:00", None, "Europe/Paris", "2026-03-29 07:00"),
        ("2026-10-24 12:00", "02:30", None, "Europe/Paris", "2026-10-25 00:30"),
        # Between the first and the second 2:30: the first was meant, so it is tomorrow's turn.
        ("2026-10-25 00:45", "02:30", None, "Europe/Paris", "2026-10-26 01:30"),
        ("2026-10-25 00:45", "02:50", None, "Europe/Paris", "2026-10-25 00:50"),
        # New York.
        ("2026-03-08 00:00", "02:30", ["sun"], "America/New_York", "2026-03-08 07:00"),
        ("2026-11-01 00:00", "01:30", ["sun"], "America/New_York", "2026-11-01 05:30"),
        ("2026-11-01 05:45", "01:30", ["sun"], "America/New_York", "2026-11-08 06:30"),
        # Half an hour of daylight saving; offsets of halves and quarters.
        ("2026-10-03 12:00", "02:15", None, "Australia/Lord_Howe", "2026-10-03 15:30"),
        ("2026-04-04 12:00", "01:45", None, "Australia/Lord_Howe", "2026-04-04 14:45"),
        ("2026-04-04 14:50", "01:45", None, "Australia/Lord_Howe", "2026-04-05 15:15"),
        ("2026-05-01 00:00", "09:00", None, "Asia/Kathmandu", "2026-05-01 03:15"),
        ("2026-05-01 00:00", "09:00", None, "Australia/Eucla", "2026-05-01 00:15"),
        ("2026-03-08 00:00", "02:30", None, "America/St_Johns", "2026-03-08 05:30"),
        ("2026-09-26 00:00", "03:00", None, "Pacific/Chatham", "2026-09-26 14:00"),
        # Days that the date line swallowed: they are no days, whatever their weekday would have been.
        ("2011-12-29 18:00", "09:00", None, "Pacific/Apia", "2011-12-29 19:00"),
        ("2011-12-29 20:00", "09:00", None, "Pacific/Apia", "2011-12-30 19:00"),
        ("2011-12-29 20:00", "09:00", ["fri"], "Pacific/Apia", "2012-01-05 19:00"),
        ("2011-12-29 20:00", "00:00", ["sat"], "Pacific/Apia", "2011-12-30 10:00"),
        ("1993-08-20 22:00", "09:00", ["sat"], "Pacific/Kwajalein", "1993-08-27 21:00"),
        ("1993-08-20 22:00", "09:00", None, "Pacific/Kwajalein", "1993-08-21 21:00"),
        # A day that came twice: the first one is meant.
        ("1969-09-29 20:00", "09:00", ["tue"], "Pacific/Kwajalein", "1969-09-29 22:00"),
        ("1969-09-30 12:30", "09:00", ["tue"], "Pacific/Kwajalein", "1969-10-07 21:00"),
        # Midnights that do not exist.
        ("2026-03-28 12:00", "00:00", None, "Asia/Beirut", "2026-03-28 22:00"),
        ("2026-03-28 12:00", "00:30", ["sun"], "Asia/Beirut", "2026-03-28 22:00"),
        ("2026-03-07 12:00", "00:00", ["sun"], "America/Havana", "2026-03-08 05:00"),
        ("2018-11-03 12:00", "00:00", ["sun"], "America/Sao_Paulo", "2018-11-04 03:00"),
        # Clocks that go back over midnight: the first 23:30 of the 17th was meant.
        ("2018-02-18 00:00", "23:30", None, "America/Sao_Paulo", "2018-02-18 01:30"),
        ("2018-02-18 01:45", "23:30", None, "America/Sao_Paulo", "2018-02-19 02:30"),
        # A gap over midnight: 23:30 to 0:30 in Toronto in 1919.
        ("1919-03-31 00:00", "23:45", None, "America/Toronto", "1919-03-31 04:30"),
        ("1919-03-31 00:00", "23:45", ["mon"], "America/Toronto", "1919-04-01 03:45"),
        # Daylight saving in winter, which goes back by an hour.
        ("2026-10-25 00:00", "01:30", None, "Europe/Dublin", "2026-10-25 00:30"),
        ("2026-03-29 00:00", "01:30", None, "Europe/Dublin", "2026-03-29 01:00"),
        # Ramadan in Morocco: an hour back, and forward again.
        ("2026-02-15 00:00", "02:30", None, "Africa/Casablanca", "2026-02-15 01:30"),
        # By offset alone.
        ("2026-05-01 00:00", "09:00", None, "+05:30", "2026-05-01 03:30"),
    ],
)  # fmt: skip
def test_next_times(now: str, clock: str, days: list[str] | None, zone: str, expected: str) -> None:
    """The next such time of day is the moment that people there would look for."""
    assert next_time(utc(now), clock, days, times.zone(zone)) == utc(expected)


ZONES = (
    "UTC", "Europe/Paris", "Europe/Dublin", "America/New_York", "America/St_Johns", "America/Havana",
    "America/Sao_Paulo", "America/Goose_Bay", "Australia/Lord_Howe", "Pacific/Apia", "Pacific/Kwajalein",
    "Pacific/Chatham", "Asia/Kathmandu", "Asia/Beirut", "Asia/Amman", "Asia/Gaza", "Africa/Cairo", "Africa/Casablanca",
    "Antarctica/Troll", "America/Scoresbysund", "Asia/Pyongyang", "America/Caracas", "Pacific/Fakaofo",
)  # fmt: skip


def changes(zone: str) -> list[datetime]:
    """Return the moments since 1973 at which a zone's clocks were changed, to the hour."""
    place, step = times.zone(zone), timedelta(hours=6)
    moment, found = utc("1973-01-01"), []
    offset = moment.astimezone(place).utcoffset()
    while moment.year < 2030:
        moment += step
        if (after := moment.astimezone(place).utcoffset()) != offset:
            offset = after
            found.append(moment)
    return found


def by_the_minute(now: datetime, clock: str, days: list[str] | None, zone: str) -> datetime:
    """Find the next time of day as slowly as possible: by looking at a clock each minute."""
    place = times.zone(zone)
    start = now.replace(second=0, microsecond=0) - timedelta(days=3)
    shown = [
        (moment, moment.astimezone(place).replace(tzinfo=None))
        for moment in (start + count * MINUTE for count in range(21 * 24 * 60))
    ]
    existing: dict[date, None] = {}
    for _, wall in shown[24 * 60 :]:
        existing[wall.date()] = None
    wanted = [day for day in existing if days is None or DAYS[day.weekday()] in days]
    reached: list[datetime] = []
    for day in wanted:
        local = datetime.combine(day, time.fromisoformat(clock))
        found = next((moment for moment, wall in shown if wall >= local), None)
        if found is not None and found > now:
            reached.append(found)
    return min(reached)


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(st.data())
def test_next_times_agree_with_looking_at_a_clock_each_minute(data: st.DataObject) -> None:
    """Around clock changes of the last fifty years, and anywhere else."""
    zone = data.draw(st.sampled_from(ZONES))
    around = data.draw(st.sampled_from(CHANGES[zone] or [utc("2026-05-01")]))
    now = around + timedelta(seconds=data.draw(st.integers(-3 * 86_400, 86_400)))
    clock = data.draw(
        st.sampled_from(["00:00", "00:15", "01:30", "02:00", "02:30", "03:00", "09:00", "23:30", "23:59"])
    )
    days = data.draw(st.none() | st.lists(st.sampled_from(DAYS), min_size=1, max_size=3, unique=True))
    assert next_time(now, clock, days, times.zone(zone)) == by_the_minute(now, clock, days, zone)


CHANGES = {zone: changes(zone) for zone in ZONES}


def test_no_time_is_left_at_the_end_of_all_time() -> None:
    """Behind the year 9999 there is nothing to wait for."""
    with pytest.raises(EvaluationError):
        next_time(utc("9999-12-31 23:00"), "09:00", None, UTC)


OFFICE = {"hours": [[9 * 60, 18 * 60]]}
NIGHT = {"hours": [[22 * 60, 6 * 60]]}


@pytest.mark.parametrize(
    ("now", "window", "zone", "expected"),
    [
        # The start counts, the end does not.
        ("2026-05-01 08:59", OFFICE, "UTC", False),
        ("2026-05-01 09:00", OFFICE, "UTC", True),
        ("2026-05-01 17:59", OFFICE, "UTC", True),
        ("2026-05-01 18:00", OFFICE, "UTC", False),
        ("2026-05-01 07:00", OFFICE, "Europe/Paris", True),
        ("2026-05-01 06:59", OFFICE, "Europe/Paris", False),
        # Over midnight.
        ("2026-05-01 21:59", NIGHT, "UTC", False),
        ("2026-05-01 22:00", NIGHT, "UTC", True),
        ("2026-05-02 00:00", NIGHT, "UTC", True),
        ("2026-05-02 05:59", NIGHT, "UTC", True),
        ("2026-05-02 06:00", NIGHT, "UTC", False),
        # To the end of the day; several ranges.
        ("2026-05-01 23:59", {"hours": [[1080, 1440]]}, "UTC", True),
        ("2026-05-01 00:00", {"hours": [[1080, 1440]]}, "UTC", False),
        ("2026-05-01 12:30", {"hours": [[540, 720], [780, 1080]]}, "UTC", False),
        ("2026-05-01 13:00", {"hours": [[540, 720], [780, 1080]]}, "UTC", True),
        # Weekdays and dates are local; at 2:00 on Saturday the day is Saturday, also in a range that began on Friday.
        ("2026-05-01 23:00", {"days": ["fri"]}, "UTC", True),
        ("2026-05-01 23:00", {"days": ["fri"]}, "Europe/Paris", False),
        ("2026-05-02 02:00", {"days": ["fri"]} | NIGHT, "UTC", False),
        ("2026-05-02 02:00", {"days": ["sat"]} | NIGHT, "UTC", True),
        # Both dates count.
        ("2026-05-01 00:00", {"from": "2026-05-01", "to": "2026-05-01"}, "UTC", True),
        ("2026-05-01 23:59", {"from": "2026-05-01", "to": "2026-05-01"}, "UTC", True),
        ("2026-05-02 00:00", {"from": "2026-05-01", "to": "2026-05-01"}, "UTC", False),
        ("2026-04-30 22:00", {"from": "2026-05-01", "to": None}, "Europe/Paris", True),
        ("2026-04-30 21:59", {"from": "2026-05-01", "to": None}, "Europe/Paris", False),
        ("2026-05-01 00:00", {"from": None, "to": "2026-04-30"}, "UTC", False),
        # The second 2:30 of a day is in the range as the first is; a skipped one is nowhere.
        ("2026-10-25 01:30", {"hours": [[120, 180]]}, "Europe/Paris", True),
        ("2026-10-25 00:30", {"hours": [[120, 180]]}, "Europe/Paris", True),
        ("2026-03-29 01:00", {"hours": [[120, 180]]}, "Europe/Paris", False),
    ],
)
def test_windows(now: str, window: dict[str, Any], zone: str, expected: bool) -> None:
    """A moment is in a window where all that it names holds there."""
    assert in_window(utc(now), window, times.zone(zone)) is expected
