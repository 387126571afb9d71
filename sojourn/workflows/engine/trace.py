"""The trace of an instance: one record for each step that it passed."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sojourn.workflows.engine import limits
from sojourn.workflows.engine.values import moment, shorten


@dataclass(slots=True)
class Trace:
    """The steps that an instance passed, oldest first.

    Attributes:
        entries: The records, as plain JSON.
        count: How many records there were in all; also the latest one's sequence number.
    """

    entries: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=limits.TRACE))
    count: int = 0

    def add(
        self,
        *,
        step: str,
        kind: str,
        visit: int,
        began: datetime,
        ended: datetime,
        result: str,
        following: str | None,
    ) -> None:
        """Record that a step was passed.

        Args:
            step: The step's id.
            kind: Its kind, or `exited`, `note` and the like for records that are not steps.
            visit: Which visit of the step it was, from 1.
            began: When the instance came to the step.
            ended: When it left.
            result: The result in a few words, without a customer's data.
            following: The next step; None at the end, or if it is not known yet.
        """
        self.count += 1
        self.entries.append(
            {
                "seq": self.count,
                "at": moment(began),
                "step": step,
                "kind": kind,
                "visit": visit,
                "result": shorten(result, limits.TRACE_LENGTH),
                "next": following,
                "duration": round((ended - began).total_seconds(), 3),
            }
        )

    def link(self, step: str) -> None:
        """Set the step that followed the latest one, if its record lacks it: Python journeys learn it only then."""
        # Notes are not steps.
        latest = next((record for record in reversed(self.entries) if record["kind"] != "note"), None)
        if latest is not None and latest["next"] is None:
            latest["next"] = step

    def shed(self, least: int) -> bool:
        """Drop the oldest half of the records if at least `least` remain. Returns whether it did."""
        half = len(self.entries) // 2
        if half < least:
            return False
        for _ in range(half):
            self.entries.popleft()
        return True

    def dump(self) -> list[dict[str, Any]]:
        """Return the records as plain JSON."""
        return list(self.entries)

    @classmethod
    def load(cls, entries: list[dict[str, Any]], count: int) -> Trace:
        """Return the trace that `dump` wrote."""
        return cls(deque(entries, maxlen=limits.TRACE), count)
