"""Times as scenarios write and show them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sojourn.definitions.durations import write_duration


def since(begin: datetime, moment: datetime) -> str:
    """Return how long after the scenario's beginning a moment is: `+1d2h`."""
    seconds = (moment - begin).total_seconds()
    return f"+{write_duration(seconds)}" if seconds >= 0 else f"-{write_duration(-seconds)}"


def left(record: Mapping[str, Any]) -> datetime:
    """Return when a step was over: its record says when it began and how long it took."""
    return datetime.fromisoformat(record["at"]) + timedelta(seconds=record["duration"])
