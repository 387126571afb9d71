"""The router: takes events, returns what became of each."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from weakref import WeakValueDictionary

from temporalio.client import Client

from sojourn.contract.event_result import (
    EventResult,
    IncomingEvent,
    InstanceEffect,
    Refusal,
    RoutingUnavailable,
)
from sojourn.routing import instance_keys
from sojourn.routing.admission import Admission, Outcome
from sojourn.routing.delivery import Visit
from sojourn.routing.event_check import unfit
from sojourn.routing.event_index import EventPlan, Plan
from sojourn.routing.instance_gateway import Temporal, Unreachable
from sojourn.settings import Settings
from sojourn.store import Store, StoreUnavailable

MOST_AT_ONCE = 32
"""Most profiles whose events are applied at the same time, in one process. More start no more instances a
second, but each takes longer, until calls to a busy Temporal run into their deadline."""

ABANDONED = 60.0
"""Seconds after its lease ended for which a reservation is left to the sender's next attempt."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Maintenance:
    """What an hourly clean-up did.

    Attributes:
        purged: Event ids that were forgotten, being older than `Settings.dedup_window_days`.
        resolved: Entries that a dead process had left half done, and that are settled now.
    """

    purged: int
    resolved: int


@dataclass(slots=True)
class _Work:
    """An event that passed its checks, and where its result goes."""

    index: int
    event: IncomingEvent
    key: str
    plan: EventPlan


@dataclass(slots=True)
class _Batch:
    """What one call has to do: results so far, and what stopped it."""

    arrived: datetime
    results: list[EventResult | None]
    failure: Exception | None = None


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
        self._settings = settings
        self._clock = clock
        self._admission = Admission(
            store.ledger,
            Temporal(client, settings),
            private_keys=settings.private_keys,
            most=settings.max_instances,
        )
        self._known: Plan | None = None
        self._slots = asyncio.Semaphore(MOST_AT_ONCE)
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def route(self, events: Sequence[IncomingEvent]) -> list[EventResult]:
        """Route events to the instances they concern.

        Events of one profile take effect in their order, those of different profiles side by side.

        Returns:
            One result for each event, in their order. By then Temporal has durably what it was to get.

        Raises:
            RoutingUnavailable: Temporal or the database cannot be reached. `done` has what was finished.
        """
        batch = _Batch(self._clock(), [None] * len(events))
        try:
            plan = await self._plan()
        except StoreUnavailable as error:
            raise RoutingUnavailable(str(error), batch.results) from error
        profiles: dict[str, list[_Work]] = {}
        for index, event in enumerate(events):
            work = self._check(plan, batch, index, event)
            if work is not None:
                profiles.setdefault(work.key, []).append(work)
        if len(profiles) == 1:
            await self._profile(batch, *profiles.popitem())
        elif profiles:
            await asyncio.gather(*(self._profile(batch, key, work) for key, work in profiles.items()))
        return _finished(batch)

    async def enter(
        self, journey: str, key: str, entry: Callable[[str], IncomingEvent]
    ) -> InstanceEffect | Refusal:
        """Let a profile into one journey, as an event does that concerns no other and no running instance.

        Args:
            journey: The journey.
            key: The profile key; that of the event is not evaluated.
            entry: Makes the entry event, given its name.

        Returns:
            What was started, or why nothing was.

        Raises:
            RoutingUnavailable: Temporal or the database cannot be reached. The same event again completes the work.
        """
        arrived = self._clock()
        try:
            plan = await self._plan()
            record = plan.catalog.journeys.get(journey)
            if record is None:
                return Refusal(journey, "no_journey", f"no journey named {journey!r} is published")
            kind = plan.events[record.latest.definition["entry"]["event"]]
            event = entry(kind.name)
            if kind.check is None:
                raise Unreachable(kind.problem)
            if (refused := kind.check.refusal(event)) is not None:
                return refused.refusals[0]
            if (problem := unfit(event.data)) is not None:
                return Refusal(journey, "invalid", problem)
            # To whom it may be delivered is left out: a profile that is inside stays where it is.
            listener = next(item for item in kind.listeners if item.name == journey)
            visit = Visit(event, key, arrived, replace(listener, versions=frozenset()))
            async with self._slots:
                outcomes = await instance_keys.apply(self._admission, visit)
        except (Unreachable, StoreUnavailable) as error:
            raise RoutingUnavailable(str(error)) from error
        told = [outcome for outcome in outcomes if outcome is not None]
        # With a second key there may be several: what was started is told first.
        return next((one for one in told if isinstance(one, InstanceEffect)), told[0])

    async def maintain(self) -> Maintenance:
        """Forget old event ids and settle what dead processes left half done. To be called hourly.

        Raises:
            RoutingUnavailable: Temporal or the database cannot be reached.
        """
        ledger, resolved = self._store.ledger, 0
        try:
            purged = await ledger.purge(self._clock() - timedelta(days=self._settings.dedup_window_days))
            for entry in await ledger.abandoned(for_longer_than=ABANDONED):
                await self._admission.settle(entry)
                resolved += 1
        except (StoreUnavailable, Unreachable) as error:
            raise RoutingUnavailable(str(error)) from error
        return Maintenance(purged, resolved)

    async def _plan(self) -> Plan:
        catalog = await self._store.catalog()
        if self._known is None or self._known.catalog is not catalog:
            self._known = Plan.of(catalog)
        return self._known

    def _check(self, plan: Plan, batch: _Batch, index: int, event: IncomingEvent) -> _Work | None:
        """Note the result of an event that concerns nobody; return what is left to do for any other."""
        if not event.id:
            batch.results[index] = EventResult.refused(
                event, "invalid", "the event's id is empty: leave it out"
            )
            return None
        kind = plan.events.get(event.name)
        if kind is None:
            batch.results[index] = EventResult.refused(event, "no_journey", plan.unknown(event.name))
            return None
        if kind.check is None:
            batch.failure = batch.failure or Unreachable(kind.problem)
            return None
        key = kind.check.apply(event)
        if isinstance(key, EventResult):
            batch.results[index] = key
            return None
        if not kind.listeners:
            batch.results[index] = EventResult.refused(event, "no_journey", kind.nobody)
            return None
        if (problem := unfit(event.data)) is not None:
            batch.results[index] = EventResult.refused(event, "invalid", problem)
            return None
        return _Work(index, event, key, kind)

    async def _profile(self, batch: _Batch, key: str, works: list[_Work]) -> None:
        """Apply the events of one profile, in order."""
        # The turn is taken before the slot: whoever has a slot never waits for one who has none.
        turn = self._turns.setdefault(key, asyncio.Lock())
        async with turn, self._slots:
            for work in works:
                if batch.failure is not None:
                    return
                try:
                    batch.results[work.index] = await self._apply(batch.arrived, work)
                except (Unreachable, StoreUnavailable) as error:
                    batch.failure = error

    async def _apply(self, arrived: datetime, work: _Work) -> EventResult:
        visits = [Visit(work.event, work.key, arrived, listener) for listener in work.plan.listeners]
        outcomes: list[Outcome] = []
        if len(visits) == 1:
            outcomes = await instance_keys.apply(self._admission, visits[0])
        else:
            # None is cut short by the failure of another: what it does half has to be undone or waited for.
            calls = (instance_keys.apply(self._admission, visit) for visit in visits)
            answers = await asyncio.gather(*calls, return_exceptions=True)
            for answer in answers:
                if isinstance(answer, BaseException):
                    raise answer
                outcomes += answer
        effects = [outcome for outcome in outcomes if isinstance(outcome, InstanceEffect)]
        refusals = [outcome for outcome in outcomes if isinstance(outcome, Refusal)]
        if not effects and not refusals:
            return EventResult.refused(work.event, "no_journey", work.plan.nobody)
        return EventResult.of(work.event, effects, refusals)


def _finished(batch: _Batch) -> list[EventResult]:
    if batch.failure is not None:
        _log.warning("events could not be routed: %s", batch.failure)
        raise RoutingUnavailable(str(batch.failure), batch.results) from batch.failure
    return [result for result in batch.results if result is not None]
