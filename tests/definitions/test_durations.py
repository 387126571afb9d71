"""Durations as authors write them."""

from __future__ import annotations

import pytest

from sojourn.definitions import parse_duration
from sojourn.definitions.durations import write_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("250ms", 0.25),
        ("30s", 30),
        ("1.5s", 1.5),
        ("5m", 300),
        ("1h", 3600),
        ("1h30m", 5400),
        ("1d", 86_400),
        ("2w", 1_209_600),
        ("1w2d3h4m5s6ms", 788_645.006),
        ("0s", 0),
        (" 1h ", 3600),
        ("90m", 5400),
    ],
)
def test_length(text: str, seconds: float) -> None:
    """A duration has the length of its parts together, as an int where it is whole."""
    found = parse_duration(text)
    assert found == seconds
    assert type(found) is type(seconds)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not a duration"),
        ("1", "not a duration"),
        ("1 h", "not a duration"),
        ("h", "not a duration"),
        ("-1h", "not a duration"),
        ("1h-30m", "not a duration"),
        ("1H", "not a duration"),
        ("1:30", "not a duration"),
        ("PT1H", "not a duration"),
        ("1d\n", None),
        ("30m1h", "out of order"),
        ("1h1h", "twice"),
        ("1mo", "no fixed length"),
        ("2 months", "no fixed length"),
        ("1y", "no fixed length"),
        ("P1M", "no fixed length"),
        ("1 Year", "no fixed length"),
        ("99999999d", "ten years"),
        ("x" * 1000, "not a duration"),
    ],
)
def test_refused(text: str, says: str | None) -> None:
    """What is no duration is refused with the reason; a line end around one does no harm."""
    if says is None:
        assert parse_duration(text) == 86_400
        return
    with pytest.raises(ValueError, match=says) as raised:
        parse_duration(text)
    assert len(str(raised.value)) < 200


@pytest.mark.parametrize(
    "text", ["0s", "250ms", "30s", "1s500ms", "5m", "1h30m", "1d", "30d", "3660d", "1d2h3m4s5ms"]
)
def test_written_as_read(text: str) -> None:
    """What is written for people is what they would write, and means the same."""
    assert write_duration(parse_duration(text)) == text
