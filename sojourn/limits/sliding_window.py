"""Counting calls in slots of time: what a cap allows now. Pure arithmetic; whoever keeps the slots has the clock."""

from __future__ import annotations

from collections import Counter
from typing import Any

PER_PERIOD = 50
"""Slots in one period of a cap. A call counts until its whole slot is a period old, so that no stretch of time as
long as the period ever holds more calls than the cap says, wherever it begins. The price: a cap that is always full
lets through 50/51 of its rate."""


class Slots:
    """The calls that were made lately, by slots of time.

    Args:
        period: Seconds of the cap's period.
        now: Seconds since 1970, by the clock that all who count share.
        stored: What `dump` returned at the end of the last count, also one with another period; anything else
            counts as nothing.
    """

    def __init__(self, period: float, now: float, stored: Any = None) -> None:
        self._width = period / PER_PERIOD
        self._now = now
        self._current = int(now / self._width)
        self._counts: Counter[int] = Counter()
        for number, count in self._stored(stored):
            # A clock that was set back leaves slots in the future: they count as if they were made now.
            if self._current - number <= PER_PERIOD:
                self._counts[min(number, self._current)] += count

    def take(self, calls: int, wanted: int) -> int:
        """Count calls that are about to be made.

        Args:
            calls: Most calls in a period.
            wanted: How many are to be made.

        Returns:
            How many of them may be made; they are counted.
        """
        granted = max(0, min(wanted, calls - self._counts.total()))
        if granted:
            self._counts[self._current] += granted
        return granted

    def full_for(self) -> float:
        """Return the seconds until the oldest calls stop counting; 0 where none are counted."""
        if not self._counts:
            return 0.0
        return max(0.0, (min(self._counts) + PER_PERIOD + 1) * self._width - self._now)

    def dump(self) -> dict[str, Any]:
        """Return the counts as plain JSON."""
        return {
            "width": self._width,
            "counts": sorted([number, count] for number, count in self._counts.items()),
        }

    def _stored(self, stored: Any) -> list[tuple[int, int]]:
        if not isinstance(stored, dict) or not isinstance(stored.get("counts"), list):
            return []
        width = stored.get("width")
        if width == self._width:
            return [(number, count) for number, count in stored["counts"]]
        # After a change of the period: by the end of the old slot, so that the change lets nothing through.
        return [(int((number + 1) * width / self._width), count) for number, count in stored["counts"]]
