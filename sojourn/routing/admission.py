"""One event, one profile, one journey: let it in, deliver it, or say why not.

The ledger decides who may start an instance; Temporal is the truth about what was started. Between the two, a
process may die at any line: what it leaves is a reservation, and whoever comes next asks Temporal what became
of it, by the entry event's id in the instance's memo. `docs/explanation/admission.md` has the argument.
"""

from __future__ import annotations

import asyncio
import random
import time
from contextlib import suppress
from dataclasses import dataclass

from sojourn.contract import names
from sojourn.contract.event_result import InstanceEffect, Refusal
from sojourn.routing import refusals
from sojourn.routing.delivery import Visit
from sojourn.routing.instance_gateway import Rejected, Run, Temporal, TooManySignals, Unreachable
from sojourn.routing.recent_effects import Recent
from sojourn.store import StoreUnavailable
from sojourn.store.entries.ledger import Ledger
from sojourn.store.entries.records import (
    Adopt,
    Claim,
    Close,
    Confirm,
    Entry,
    Handle,
    Release,
    RollBack,
    standing,
)

PATIENCE = 20.0
"""Seconds after which an event that others keep from being settled is given up, for the sender to send again.
Longer than a lease: a dead process's reservation is waited for."""

IN_DOUBT = 1.0
"""Seconds for which a start without an answer is left alone: one that is still on its way arrives by then."""

_FRESH = 2 / 3
# The part of a lease in which a start may begin: the rest is longer than any call to Temporal takes.

_POLL = (0.01, 0.15)

Outcome = InstanceEffect | Refusal | None
"""What an event did to a journey; None: it does not concern this profile there."""


class Admission:
    """Applies events to journeys. Safe for concurrent use, here and in other processes."""

    def __init__(self, ledger: Ledger, temporal: Temporal, *, private_keys: bool, most: int = 10) -> None:
        """Keep what is needed.

        Args:
            ledger: Says who may start an instance.
            temporal: Says what was started.
            private_keys: Hash keys in workflow ids.
            most: Most instances of a profile in a journey with a second key.
        """
        self._ledger = ledger
        self._temporal = temporal
        self._private = private_keys
        self._most = most
        self._recent = Recent()

    async def apply(self, visit: Visit) -> Outcome:
        """Return what an event did to a journey.

        Raises:
            Unreachable: Temporal cannot be reached; sending the event again completes what was begun.
            StoreUnavailable: The same of the database.
        """
        if visit.effect in self._recent:
            return refusals.duplicate(visit)
        deadline = time.monotonic() + PATIENCE
        pause = _POLL[0]
        while time.monotonic() < deadline:
            outcome = await self._attempt(visit)
            if not isinstance(outcome, _Again):
                if isinstance(outcome, InstanceEffect):
                    self._recent.add(visit.effect)
                return outcome
            if outcome.wait:
                await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - spreads pollers, no secret
                pause = min(pause * 1.5, _POLL[1])
        raise Unreachable(f"others keep changing the entry of this profile into {visit.listener.name}")

    async def settle(self, entry: Entry) -> bool:
        """Find out what became of an abandoned reservation, and write it down.

        Returns:
            Whether its instance was started.

        Raises:
            Unreachable: Temporal cannot say.
        """
        run = await self._temporal.latest(entry.workflow_id)
        started = run is not None and run.event_id == entry.event_id
        await self._ledger.write(Confirm(entry, entry.entered_at) if started else RollBack(entry))
        return started

    async def _attempt(self, visit: Visit) -> Outcome | _Again:
        """Take one step, after which either the outcome is known or the ledger has changed."""
        began = time.monotonic()
        door = visit.listener.door(visit.arrived) if visit.listener.entry else None
        journey, profile, per, event_id = visit.effect
        if visit.listener.entry and door is None:
            verdict = await self._ledger.reserve(self._claim(visit))
        else:
            asked = event_id if visit.listener.entry else None
            verdict = standing(await self._ledger.look(journey, profile, asked, per=per))
        entry = verdict.entry
        if verdict.kind == "duplicate":
            return refusals.duplicate(visit)
        if verdict.kind == "shut":
            return visit.listener.shut(verdict.state)
        if verdict.kind == "full":
            return await self._full(visit, verdict.others)
        if verdict.kind == "busy" or entry is None:
            return _WAIT if verdict.kind == "busy" else door
        if verdict.kind == "reserved":
            return await self._start(visit, entry, began)
        if verdict.kind == "stale":
            started = await self.settle(entry)
            return _started(entry) if started and entry.event_id == event_id else _AT_ONCE
        if verdict.kind == "inside":
            return await self._inside(visit, entry, door)
        if verdict.kind == "reentry_refused":
            return refusals.reentry(visit, entry)
        return door

    def _claim(self, visit: Visit) -> Claim:
        journey, profile, per, event_id = visit.effect
        rule = visit.listener.definition["reentry"]
        text = None if visit.value is None else visit.value.text
        return Claim(
            journey,
            profile,
            event_id,
            names.workflow_id(journey, visit.key, text, private=self._private),
            visit.listener.record.latest.version,
            visit.arrived,
            allow=rule["allow"],
            after=rule["after"],
            per=per,
            most=self._most,
        )

    async def inside(self, visit: Visit) -> list[Entry]:
        """Return the entries of a visit's profile, by whichever second keys, that may still be running.

        Raises:
            StoreUnavailable: The database cannot be reached.
        """
        journey, profile, *_ = visit.effect
        return await self._ledger.inside(journey, profile)

    async def _start(self, visit: Visit, entry: Entry, began: float) -> Outcome | _Again:
        """Start the instance of an entry that is ours."""
        try:
            if time.monotonic() - began > self._ledger.lease * _FRESH:
                # This process was held up: by the time the start arrived, the entry might be somebody else's.
                await self._ledger.write(Release(entry, 0.0))
                return _AT_ONCE
            started = await self._temporal.start(
                visit.listener.definition, entry, visit.event, visit.key, visit.value and visit.value.plain
            )
            run = None if started else await self._temporal.latest(entry.workflow_id)
        except Rejected as error:
            await self._ledger.write(RollBack(entry))
            return Refusal(entry.journey, "invalid", str(error))
        except (Unreachable, asyncio.CancelledError):
            # Best effort: without it, whoever comes next waits for the lease to run out.
            with suppress(StoreUnavailable):
                await self._ledger.write(Release(entry, IN_DOUBT))
            raise
        if started or (run is not None and run.event_id == entry.event_id):
            if not await self._ledger.write(Confirm(entry, visit.arrived)):
                await self._adopt_own(entry)
            return _started(entry)
        await self._ledger.write(
            RollBack(entry) if run is None else Adopt(_entry_of(run, entry), over=entry.token)
        )
        return _AT_ONCE

    async def _adopt_own(self, entry: Entry) -> None:
        # Our lease ran out on the way and somebody rolled the reservation back; but the instance runs.
        run = await self._temporal.latest(entry.workflow_id)
        if run is not None and run.event_id == entry.event_id:
            await self._ledger.write(Adopt(_entry_of(run, entry)))

    async def _inside(self, visit: Visit, entry: Entry, door: Refusal | None) -> Outcome | _Again:
        """Apply an event to a profile whose last instance may still run."""
        if visit.listener.listens(entry.version):
            return await self._deliver(visit, entry)
        if not visit.listener.entry or door is not None:
            return door
        run = await self._temporal.latest(entry.workflow_id)
        if run is not None and run.running:
            return refusals.already_inside(entry)
        await self._ledger.write(Close(entry))
        return _AT_ONCE

    async def _full(self, visit: Visit, others: tuple[Entry, ...]) -> Outcome | _Again:
        """Refuse a profile that has all the instances that it may have, once they are known to run."""
        if any(other.reserved and not other.stale for other in others):
            return _WAIT
        unsure = [other for other in others if other.workflow_id not in visit.running]
        running = await asyncio.gather(*(self._runs(other) for other in unsure))
        if not all(running):
            return _AT_ONCE
        visit.running.update(other.workflow_id for other in unsure)
        return refusals.full(visit, len(others))

    async def _runs(self, entry: Entry) -> bool:
        """Say whether the instance of an entry runs; write down what was not known of it."""
        if entry.reserved:
            await self.settle(entry)
            return False
        run = await self._temporal.latest(entry.workflow_id)
        if run is not None and run.running:
            return True
        await self._ledger.write(Close(entry))
        return False

    async def _deliver(self, visit: Visit, entry: Entry) -> Outcome | _Again:
        try:
            delivered = await self._temporal.signal(entry.workflow_id, visit.event)
        except TooManySignals as error:
            return Refusal(entry.journey, "too_many_pending", str(error))
        except Rejected as error:
            return Refusal(entry.journey, "invalid", str(error))
        if not delivered:
            await self._ledger.write(Close(entry))
            return _AT_ONCE
        if visit.listener.entry:
            journey, profile, per, event_id = visit.effect
            await self._ledger.write(Handle(journey, profile, event_id, visit.arrived, per))
        return InstanceEffect(entry.journey, entry.version, entry.workflow_id, "signalled")


@dataclass(frozen=True, slots=True)
class _Again:
    """The step changed what the ledger says, or somebody else is changing it (wait): take another one."""

    wait: bool


_AT_ONCE = _Again(wait=False)
_WAIT = _Again(wait=True)


def _started(entry: Entry) -> InstanceEffect:
    return InstanceEffect(entry.journey, entry.version, entry.workflow_id, "started")


def _entry_of(run: Run, entry: Entry) -> Entry:
    """Return the entry that a run which the ledger does not know belongs to."""
    return Entry(
        entry.journey,
        entry.profile,
        run.event_id,
        entry.workflow_id,
        entry.version if run.version is None else run.version,
        entry.entered_at if run.event_id == entry.event_id else run.started_at,
        closed=not run.running,
        per=entry.per,
    )
