"""Caps: whether one more call may be made."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any, Protocol

from sojourn.activities.errors import CAPPED, NETWORK, CallError
from sojourn.definitions.durations import write_duration
from sojourn.definitions.kinds.endpoint import Cap, EndpointDefinition
from sojourn.limits.sliding_window import Slots

logger = logging.getLogger("sojourn.activities")


class Caps(Protocol):
    """Counts the calls of capped endpoints. Asked before each attempt, a retry too."""

    async def take(self, kind: str, name: str, cap: Cap) -> bool:
        """Take one of the calls that a cap allows.

        Args:
            kind: `source` or `action`.
            name: The endpoint's name.
            cap: Its cap as it is now.

        Returns:
            Whether the call may be made.

        Raises:
            Exception: It cannot be known at the moment, because the database is away.
        """
        ...


class LocalCaps:
    """Counts the calls of this process alone: for hosts without Sojourn's database, and for tests.

    With several worker processes each allows as many calls as the cap says.

    Args:
        clock: Seconds that only ever go forwards.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: dict[tuple[str, str], dict[str, Any]] = {}

    async def take(self, kind: str, name: str, cap: Cap) -> bool:
        """Take one of the calls that a cap allows; False where none is left."""
        slots = Slots(cap.per, self._clock(), self._kept.get((kind, name)))
        taken = slots.take(cap.calls, 1) == 1
        self._kept[(kind, name)] = slots.dump()
        return taken


class CapCheck:
    """Asks a counter before each attempt.

    Args:
        caps: The counter.
    """

    def __init__(self, caps: Caps) -> None:
        self._caps = caps

    async def allow(self, definition: EndpointDefinition) -> bool:
        """Take one of the calls that an endpoint's cap allows, where it has a cap; False where none is left.

        Raises:
            CallError: It cannot be known at the moment.
        """
        if definition.cap is None:
            return True
        try:
            return await self._caps.take(definition.kind, definition.name, definition.cap)
        except Exception as error:
            kind = type(error).__name__
            logger.error("the cap of %s cannot be checked: %s", definition.id, kind)
        message = f"the cap cannot be checked at the moment ({kind})"
        raise CallError(NETWORK, message, retryable=True, expected=False)

    async def require(self, definition: EndpointDefinition) -> None:
        """Take one of the calls that an endpoint's cap allows.

        Raises:
            CallError: `capped`: none is left. Or it cannot be known at the moment.
        """
        if await self.allow(definition) or definition.cap is None:
            return
        cap = definition.cap
        raise CallError(
            CAPPED, f"the call was not made: the cap of {cap.calls} in {write_duration(cap.per)} is used up"
        )
