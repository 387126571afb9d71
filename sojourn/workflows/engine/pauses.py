"""Why an instance is paused: by itself, with its journey, or both. Each reason is taken back by itself."""

from __future__ import annotations

from typing import Any


class Holds:
    """The reasons for which an instance stands still.

    A signal without input, or with anything but an operation's, means this instance. One of an operation over the
    journey's instances carries `{"operation": NUMBER, "version": ONE or null, "through": NEWEST}`. Operations are
    numbered in the order in which operators began them, and their signals may come in any other: a lower number than
    one that was heeded before is passed over.
    """

    def __init__(self) -> None:
        self.alone = False
        self.journey = False
        self.operation = 0

    @property
    def any(self) -> bool:
        """Whether there is a reason to stand still."""
        return self.alone or self.journey

    @property
    def reasons(self) -> list[str]:
        """What paused it: `instance` for an operator who meant this one, `journey` for an operation over all."""
        return ["instance"] * self.alone + ["journey"] * self.journey

    def told(self, hold: bool, message: tuple[Any, ...], version: int) -> None:
        """Take a signal `pause` or `resume`.

        Args:
            hold: Whether it is `pause`.
            message: What it carries.
            version: The version of the journey that the instance runs.
        """
        order = message[0] if message and isinstance(message[0], dict) else None
        if order is None or not isinstance(number := order.get("operation"), int):
            self.alone = hold
        elif number > self.operation and _concerns(order, version):
            self.operation, self.journey = number, hold

    def dump(self) -> dict[str, Any]:
        """Return plain JSON that `load` reads."""
        return {"alone": self.alone, "journey": self.journey, "operation": self.operation}

    def load(self, saved: Any) -> None:
        """Take over what `dump` wrote; of releases without operations, whether the instance was paused."""
        if not isinstance(saved, dict):
            self.alone = bool(saved)
            return
        self.alone, self.journey, self.operation = saved["alone"], saved["journey"], saved["operation"]


def _concerns(order: dict[str, Any], version: int) -> bool:
    one, through = order.get("version"), order.get("through")
    if isinstance(one, int):
        return version == one
    return not isinstance(through, int) or version <= through
