"""What this process has done lately, so that a resend is answered without asking anybody."""

from __future__ import annotations

from collections import OrderedDict

Effect = tuple[str, str, str, str]
"""Journey, profile, second key (as entries have them), event id (as `event_key` gives it)."""


class Recent:
    """The last effects, up to a number. Only what is complete is remembered."""

    def __init__(self, size: int = 10_000) -> None:
        self._size = size
        self._effects: OrderedDict[Effect, None] = OrderedDict()

    def __contains__(self, effect: Effect) -> bool:
        return effect in self._effects

    def add(self, effect: Effect) -> None:
        """Remember an effect, and forget the oldest one where there are too many."""
        self._effects[effect] = None
        self._effects.move_to_end(effect)
        if len(self._effects) > self._size:
            self._effects.popitem(last=False)
