"""Times as scenarios write and show them."""

from __future__ import annotations

from datetime import datetime, timedelta

from sojourn.definitions.durations import write_duration


def span(seconds: float) -> timedelta:
    """Return a length of time."""
    return timedelta(seconds=seconds)


def since(begin: datetime, moment: datetime) -> str:
    """Return how long after the scenario's beginning a moment is: `+1d2h`."""
    seconds = (moment - begin).total_seconds()
    return f"+{write_duration(seconds)}" if seconds >= 0 else f"-{write_duration(-seconds)}"
