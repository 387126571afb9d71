"""The position of an instance in its journey."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(slots=True)
class Position:
    """A position in a journey.

    Attributes:
        step: The step's id; None after the last one.
        visit: The number of this visit of the step, from 1; 0 while the instance is on its way to it.
        began: When the visit began.
        waiting_for: Names of the events that the step waits for.
        until: When the step's wait is over.
        length: How many seconds the wait takes each time its timer starts again, if that was computed.
        kind: The step's kind.
    """

    step: str | None
    visit: int = 0
    began: datetime | None = None
    waiting_for: list[str] = field(default_factory=list)
    until: datetime | None = None
    length: float | None = None
    kind: str | None = None

    @property
    def waits(self) -> bool:
        """Whether the step's wait has begun, in this run or in an earlier one."""
        return bool(self.waiting_for) or self.until is not None

    def resumes(self, step: str) -> bool:
        """Return whether this visit of a step began in the previous run."""
        return self.step == step and self.visit > 0

    def dump(self) -> dict[str, Any]:
        """Return the position as plain JSON."""
        return {
            "step": self.step,
            "visit": self.visit,
            "began": self.began.isoformat() if self.began else None,
            "waiting_for": self.waiting_for,
            "until": self.until.isoformat() if self.until else None,
            "length": self.length,
        }

    @classmethod
    def load(cls, saved: dict[str, Any]) -> Position:
        """Return the position that `dump` wrote."""
        return cls(
            saved["step"],
            saved["visit"],
            datetime.fromisoformat(saved["began"]) if saved["began"] else None,
            saved["waiting_for"],
            datetime.fromisoformat(saved["until"]) if saved["until"] else None,
            saved.get("length"),
        )
