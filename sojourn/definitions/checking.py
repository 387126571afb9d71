"""All checks of what was read, in one place."""

from __future__ import annotations

from sojourn.definitions.journeychecks import check_journey, check_jumps
from sojourn.definitions.reading import Reading


def check(reading: Reading) -> None:
    """Report everything that is wrong with a project's definitions into `reading.problems`."""
    for journey in reading.journeys.values():
        check_journey(journey, reading)
    check_jumps(reading)
