"""Visits: events at the doors of journeys."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sojourn.contract import names
from sojourn.contract.event_result import IncomingEvent
from sojourn.routing.event_index import Listener
from sojourn.routing.recent_effects import Effect
from sojourn.store.entries.records import event_key


@dataclass(frozen=True, slots=True)
class Value:
    """A value of a journey's second key: as the text that tells it from others, and as the event has it."""

    text: str
    plain: Any


@dataclass(frozen=True, slots=True)
class Visit:
    """An event at a journey's door.

    Attributes:
        event: The event.
        key: The profile key.
        arrived: When the event arrived at the API, which is the clock of admission.
        listener: What the event means to the journey.
        per: The second key of the instance that it is about, as the ledger has it; `""` where the journey has none.
        value: The second key, where the event carries it.
        running: Instances of the profile that were found to run while this event is being applied, by workflow id.
    """

    event: IncomingEvent
    key: str
    arrived: datetime
    listener: Listener
    per: str = ""
    value: Value | None = None
    running: set[str] = field(default_factory=set)

    @property
    def effect(self) -> Effect:
        """Journey, profile, second key and event, as the ledger keeps them."""
        return self.listener.name, names.profile_part(self.key), self.per, event_key(self.event.id)
