"""Dates and local times, also where a clock changes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.definitions.dates import parse_clock, parse_date, parse_moment, resolve, zone

PARIS = ZoneInfo("Europe/Paris")


@pytest.mark.parametrize(
    ("text", "last", "moment"),
    [
        ("2026-07-01", False, "2026-06-30T22:00:00+00:00"),
        ("2026-07-01", True, "2026-07-01T22:00:00+00:00"),
        ("2026-12-01T18:00", False, "2026-12-01T17:00:00+00:00"),
        ("2026-12-01 18:00:30", True, "2026-12-01T17:00:30+00:00"),
        ("2026-12-01T18:00Z", False, "2026-12-01T18:00:00+00:00"),
        ("2026-12-01T18:00:00.5+05:30", False, "2026-12-01T12:30:00.500000+00:00"),
        # Skipped by the clock: the first moment after the gap. Twice on the clock: the first.
        ("2026-03-29T02:30", False, "2026-03-29T01:00:00+00:00"),
        ("2026-10-25T02:30", False, "2026-10-25T00:30:00+00:00"),
    ],
)
def test_moment(text: str, last: bool, moment: str) -> None:
    """A date is its beginning or its end in the zone; a time with offset is what it says."""
    assert parse_moment(text, PARIS, last=last).isoformat() == moment


@pytest.mark.parametrize(
    "text", ["tomorrow", "2026-02-30", "2026-13-01", "2026-1-1", "18:00", "2026-01-01T25:00", ""]
)
def test_no_moment(text: str) -> None:
    """What is no date is refused."""
    with pytest.raises(ValueError, match="write it like"):
        parse_moment(text, PARIS)


def test_moment_without_zone_needs_an_offset() -> None:
    """Where the zone is not known, a local time means nothing."""
    with pytest.raises(ValueError, match="write the offset"):
        parse_moment("2026-01-01T10:00", None)
    assert parse_moment("2026-01-01T10:00Z", None) == datetime(2026, 1, 1, 10, tzinfo=UTC)


@given(
    st.datetimes(datetime(1990, 1, 1), datetime(2037, 1, 1)),  # noqa: DTZ001
    st.sampled_from(
        ["Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "America/St_Johns"]
    ),
)
def test_resolve_is_never_early(local: datetime, name: str) -> None:
    """The moment of a local time shows that time on the clock, or the clock jumped over it right there."""
    where = ZoneInfo(name)
    moment = resolve(local, where)
    shown = moment.astimezone(where).replace(tzinfo=None)
    if shown != local:
        just_before = (moment - timedelta(seconds=1)).astimezone(where).replace(tzinfo=None)
        assert just_before < local < shown + timedelta(seconds=1)


@pytest.mark.parametrize("local", [datetime(2026, 3, 29, 2), datetime(2026, 3, 29, 2, 59, 59)])  # noqa: DTZ001
def test_whole_gap_means_its_end(local: datetime) -> None:
    """Each time inside the hour that a clock change skips means the first moment after it."""
    assert resolve(local, PARIS) == datetime(2026, 3, 29, 1, tzinfo=UTC)


def test_clock_and_date() -> None:
    """Times of day and dates have one form each."""
    assert parse_clock("09:05") == (9, 5)
    assert [parse_clock(text) for text in ("9:05", "24:00", "09:60", "0905", "")] == [None] * 5
    assert str(parse_date("2026-02-28")) == "2026-02-28"
    assert parse_date("2026-02-29") is None


@pytest.mark.parametrize(
    "name", ["Europe/Pariss", "", "../etc/passwd", "/etc/localtime", "Europe", "x" * 300, "a\0b"]
)
def test_no_zone(name: str) -> None:
    """A name that is no IANA zone gives none, whatever it is."""
    assert zone(name) is None
