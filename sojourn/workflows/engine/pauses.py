"""The reasons for which an instance is paused: an operator paused it, or its journey, or both."""

from __future__ import annotations

from typing import Any


class Pauses:
    """The reasons for which an instance is paused. Each is taken back by itself.

    A signal without input, or with any input that is not an operation's, means this instance. The signal of an
    operation over the journey's instances carries `{"operation": NUMBER, "version": ONE or null, "through": NEWEST}`.
    Operations are numbered in the order in which operators began them, but their signals may arrive in any order: an
    operation with a lower number than the last one applied is ignored.

    Attributes:
        alone: Whether an operator paused this instance.
        journey: Whether an operation paused the journey's instances.
        operation: The number of the last operation that was applied.
    """

    def __init__(self) -> None:
        self.alone = False
        self.journey = False
        self.operation = 0

    @property
    def any(self) -> bool:
        """Whether the instance is paused."""
        return self.alone or self.journey

    @property
    def reasons(self) -> list[str]:
        """What paused the instance: `instance` if an operator did, `journey` if an operation did."""
        return ["instance"] * self.alone + ["journey"] * self.journey

    def apply(self, pause: bool, message: tuple[Any, ...], version: int) -> None:
        """Apply a signal `pause` or `resume`.

        Args:
            pause: Whether it is `pause`.
            message: The signal's input.
            version: The version of the journey that the instance runs.
        """
        order = message[0] if message and isinstance(message[0], dict) else None
        if order is None or not isinstance(number := order.get("operation"), int):
            self.alone = pause
        elif number > self.operation and _concerns(order, version):
            self.operation, self.journey = number, pause

    def dump(self) -> dict[str, Any]:
        """Return the reasons as plain JSON."""
        return {"alone": self.alone, "journey": self.journey, "operation": self.operation}

    def load(self, saved: Any) -> None:
        """Load what `dump` wrote. Releases before operations wrote only whether the instance was paused."""
        if not isinstance(saved, dict):
            self.alone = bool(saved)
            return
        self.alone, self.journey, self.operation = saved["alone"], saved["journey"], saved["operation"]


def _concerns(order: dict[str, Any], version: int) -> bool:
    one, through = order.get("version"), order.get("through")
    if isinstance(one, int):
        return version == one
    return not isinstance(through, int) or version <= through
