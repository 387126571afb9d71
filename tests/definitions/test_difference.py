"""What two versions differ in."""

from __future__ import annotations

import pytest

from sojourn.definitions.difference import compare, duration_text
from tests.definitions.projects import project, steps

OLD = steps(
    "a: {wait_for: [{event: order.placed, next: b}], timeout: {after: 1h, next: c}}\nb: {end: x}\nc: {end: y}"
)


def lines(old: str, new: str) -> list[str]:
    """The difference of two journeys in YAML, as people read it."""
    return [str(change) for change in compare(project(old).compiled()["j"], project(new).compiled()["j"])]


def test_difference_in_words_of_the_files() -> None:
    """Steps that are new, gone or changed, fields with what they were and are, durations as they are written."""
    new = steps(
        "a: {wait_for: [{event: order.placed, when: event.total > 1, next: d}], timeout: {after: 90m, next: c}}\n"
        "d: {end: x}\nc: {end: y}",
        head="reentry: {after: 1d}\ntimezone: Europe/Paris",
    )
    assert lines(OLD, new) == [
        "~ timezone: UTC -> Europe/Paris",
        "~ reentry.after: 5m -> 1d",
        "+ steps.a.events[0].when: event.total > 1",
        "~ steps.a.events[0].next: b -> d",
        "~ steps.a.timeout.after: 1h -> 1h30m",
        "+ steps.d: end",
        "- steps.b: end",
    ]


def test_what_reads_the_same_is_no_difference() -> None:
    """Order of keys, comments, and another way to write the same."""
    new = (
        "# A comment.\nentry:\n  event: cart.updated\njourney: j\nsteps:\n  a:\n"
        "    timeout: {next: c, after: 60m}\n    wait_for:\n      - next: b\n        event: order.placed\n"
        "  b: {end: x}\n  c: {end: y}\n"
    )
    moved = "journey: j\n" + new.replace("journey: j\n", "")
    assert lines(OLD, moved) == []


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0s"), (0.25, "250ms"), (90, "1m30s"), (5400, "1h30m"), (7_862_400, "91d")]
)
def test_durations(seconds: float, text: str) -> None:
    """As one would write them."""
    assert duration_text(seconds) == text
