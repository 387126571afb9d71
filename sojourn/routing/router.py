"""The router: takes events, returns what became of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from temporalio.client import Client

from sojourn.routing.model import EventResult, IncomingEvent
from sojourn.settings import Settings
from sojourn.store import Store


@dataclass(frozen=True, slots=True)
class Maintenance:
    """What an hourly clean-up did.

    Attributes:
        purged: Event ids that were forgotten, being older than `Settings.dedup_window_days`.
        resolved: Entries that a dead process had left half done, and that are settled now.
    """

    purged: int
    resolved: int


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Router:
    """Routes events to the instances they concern. One for each process; safe for concurrent use."""

    def __init__(
        self, store: Store, client: Client, settings: Settings, *, clock: Callable[[], datetime] = _utc_now
    ) -> None:
        """Keep what is needed.

        Args:
            store: Where journeys and entries are kept.
            client: A client of Temporal, connected or lazy.
            settings: Task queue, search attributes, privacy.
            clock: Tells the time of arrival, which is what admission goes by. For tests.
        """
        self._store = store
        self._client = client
        self._settings = settings
        self._clock = clock

    async def route(self, events: Sequence[IncomingEvent]) -> list[EventResult]:
        """Route events to the instances they concern.

        Events of one profile take effect in their order, those of different profiles side by side.

        Returns:
            One result for each event, in their order. By then Temporal has durably what it was to get.

        Raises:
            RoutingUnavailable: Temporal or the database cannot be reached. `done` has what was finished.
        """
        raise NotImplementedError

    async def maintain(self) -> Maintenance:
        """Forget old event ids and settle what dead processes left half done. To be called hourly.

        Raises:
            RoutingUnavailable: Temporal or the database cannot be reached.
        """
        raise NotImplementedError
