"""Jumps between journeys: the same admission as for events from outside, for one journey and one profile."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from weakref import WeakKeyDictionary

from temporalio.client import Client

from sojourn.contract.event_result import IncomingEvent, InstanceEffect
from sojourn.routing.router import Router
from sojourn.settings import Settings
from sojourn.store import Store


class RoutedJumps:
    """Lets profiles into journeys for instances that jump. Safe for concurrent use.

    Args:
        store: Where journeys and entries are kept.
        settings: As the API has them: a jump makes the same workflow ids as an event.
    """

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self._routers: WeakKeyDictionary[Client, Router] = WeakKeyDictionary()

    async def jump(
        self, client: Client, target: str, key: str, event_id: str, time: datetime, data: Any
    ) -> dict[str, Any]:
        """Start a profile on the newest version of a journey, see `sojourn.activities.jump.Jumps`."""
        if client not in self._routers:
            self._routers[client] = Router(self._store, client, self._settings)
        return await enter(self._routers[client], target, key, event_id, time, data)


async def enter(
    router: Router, target: str, key: str, event_id: str, time: datetime, data: Any
) -> dict[str, Any]:
    """Let a profile into a journey by a jump.

    Args:
        router: Applies the jump.
        target: The journey.
        key: The profile key.
        event_id: The id of the entry event.
        time: Its time.
        data: Its data.

    Returns:
        `{"effect": "started" or "already_inside", "journey", "version"}`, or
        `{"effect": "refused", "reason", "message"}`.

    Raises:
        RoutingUnavailable: Temporal or the database cannot be reached. Trying again completes the jump.
    """
    outcome = await router.enter(target, key, lambda name: IncomingEvent(event_id, name, time, data))
    if isinstance(outcome, InstanceEffect):
        return {"effect": "started", "journey": target, "version": outcome.version}
    if outcome.reason in ("already_inside", "duplicate"):
        # A duplicate is the jump itself, whose answer was lost: its event id is known to nobody else.
        effect = "started" if outcome.reason == "duplicate" else "already_inside"
        return {"effect": effect, "journey": target, "version": None}
    return {"effect": "refused", "reason": outcome.reason, "message": outcome.message}
