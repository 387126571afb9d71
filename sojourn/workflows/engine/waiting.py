"""Waiting for events and for time: the primitive that every wait of every journey uses."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from temporalio import workflow

from sojourn.workflows.engine.cleanup import Cleanup
from sojourn.workflows.engine.endings import StepError, TimedOut
from sojourn.workflows.engine.instance import Instance
from sojourn.workflows.engine.messages import EventMessage


@dataclass(frozen=True, slots=True)
class Arrival:
    """The event that ended a wait.

    Attributes:
        event: The event.
        listen: The entry of the step's `events` that it met.
    """

    event: EventMessage
    listen: dict[str, Any]


class Wait:
    """One visit of a waiting step.

    Args:
        instance: The instance that waits, already at the step.
        listens: The step's events: mappings with `event`, `when`, `restart`.
        length: How long to wait, at first and after each `restart`; None: until an event fits.
        until: The moment at which the wait is over, instead of `length`.
        earlier: Whether events that arrived before the wait count too (`since: entry`).
        summary: What the Web UI shows at the timer, without a customer's data.
    """

    def __init__(
        self,
        instance: Instance,
        *,
        listens: list[dict[str, Any]],
        length: timedelta | None = None,
        until: datetime | None = None,
        earlier: bool = False,
        summary: str = "",
    ) -> None:
        self._instance = instance
        self._arrivals = instance.arrivals
        self._inbox = instance.state.inbox
        self._listens = listens
        self._length = length
        self._earlier = earlier
        self._summary = summary[:190]
        self._timer: asyncio.Task[None] | None = None
        self._timer_due: datetime | None = None
        here = instance.position
        self._resumed = here.waits
        if not self._resumed:
            here.waiting_for = [listen["event"] for listen in listens]
            here.until = until if length is None else instance.now() + length

    async def over(self) -> Arrival | None:
        """Wait until an event fits or the time is up.

        If an event and the timer come in one workflow task, the SDK does not say which came first. The event wins,
        unless its own time is later than the moment at which the time was up.

        Returns:
            The event that fitted; None if the time was up.

        Raises:
            asyncio.CancelledError: An exit came.
            TimedOut: The instance reached the end of its own time first.
            temporalio.workflow.ContinueAsNewError: Temporal suggested a new run, which continues this wait.
        """
        self._arrivals.set_one_by_one(True)
        with Cleanup(self._leave):
            if (found := await self._offer_earlier()) is not None:
                return found
            while True:
                await self._instance.next_run.begin_in_version()
                if (found := await self._offer()) is not None:
                    return found
                if self._is_due():
                    return None
                self._instance.next_run.begin_if_suggested()
                self._arm()
                self._instance.show(self._summarize(), searchable=True)
                await workflow.wait_condition(lambda: self._wakes())
                self._instance.profile.forget()

    def _leave(self) -> None:
        self._arrivals.set_one_by_one(False)
        if self._timer is not None:
            self._timer.cancel()
            self._instance.state.clock.armed(None)

    def _summarize(self) -> str:
        """Return in plain words what the wait waits for."""
        ends, restarts = (
            " or ".join(
                dict.fromkeys(one["event"] for one in self._listens if bool(one.get("restart")) == restart)
            )
            for restart in (False, True)
        )
        if not self._listens:
            return "waits for time to pass"
        words = f"waits for {ends or 'time to pass'}"
        return f"{words}; {restarts} restarts the timer" if restarts else words

    def _wakes(self) -> bool:
        return self._has_coming() or self._timer_fired() or self._instance.next_run.version is not None

    def _has_coming(self) -> bool:
        return len(self._arrivals) > 0 or len(self._inbox) > 0

    async def _offer_earlier(self) -> Arrival | None:
        """Offer the events that came before the wait, if they count; return the first that fits."""
        if not self._earlier or self._resumed:
            return None
        for event in self._inbox.earlier():
            await self._instance.burst.wait()
            await self._read_profile(event, leave=False)
            if (found := self._match(event)) is not None:
                self._inbox.count(event)
                return found
        return None

    async def _offer(self) -> Arrival | None:
        """Offer events until one fits. Those before it are remembered, those after it stay pending."""
        while (event := await self._next()) is not None:
            if (found := self._match(event)) is not None:
                self._inbox.count(event)
                return found
        return None

    async def _next(self) -> EventMessage | None:
        """Return the next event that came in time; None if there is none.

        Raises:
            asyncio.CancelledError: An exit came before it.
        """
        while True:
            if self._has_coming():
                await self._instance.burst.wait()
            coming = self._arrivals.coming
            if coming is None or (isinstance(coming, EventMessage) and self._is_late(coming)):
                return None
            if (event := self._inbox.peek()) is not None:
                await self._read_profile(event)
                return self._inbox.take()
            self._arrivals.process_next()
            if self._arrivals.ending is not None:
                raise asyncio.CancelledError
            if self._arrivals.holding:
                # Another exit need not wait until this event is decided.
                await self._while_draining(self._arrivals.decided())

    async def _while_draining(self, work: Awaitable[None]) -> None:
        """Wait for something other than events. Meanwhile, arrivals are processed as they come."""
        self._arrivals.set_one_by_one(False)
        await work
        self._arrivals.check_ended()
        self._arrivals.set_one_by_one(True)

    async def _read_profile(self, event: EventMessage, *, leave: bool = True) -> None:
        """Read the profile if an event's conditions name it, however long that takes: no event may be lost.

        The wait's timer keeps running. But the event came first, so it is offered before the time is up. After an error
        that no retry can cure, the profile stays as it was known.

        Args:
            event: The event, still pending.
            leave: Whether a new run may begin meanwhile; it would find the event pending.

        Raises:
            TimedOut: The instance reached the end of its own time first.
        """
        needed = self._instance.profile.needed_by
        if any(listen["event"] == event.name and needed(listen.get("when")) for listen in self._listens):
            await self._while_draining(self._read(leave))
            if self._instance.now() >= self._instance.deadline:
                raise TimedOut

    async def _read(self, leave: bool) -> None:
        next_run = self._instance.next_run
        reading = asyncio.ensure_future(self._instance.profile.read_at_length())
        with Cleanup(reading.cancel):
            while not reading.done():
                await workflow.wait_condition(lambda: reading.done() or (leave and next_run.may_begin()))
                if not reading.done():
                    next_run.begin_if_suggested()
        reading.result()

    def _is_late(self, event: EventMessage) -> bool:
        """Return whether the time is up by now, and the event happened after that by its own time."""
        due = self._due()
        return event.time > due and self._reached(due)

    def _match(self, event: EventMessage) -> Arrival | None:
        step = self._instance.position.step
        for index, listen in enumerate(self._listens):
            field = f"steps.{step}.wait_for[{index}].when"
            if listen["event"] != event.name or not self._fits(listen, event, field):
                continue
            if not listen.get("restart"):
                return Arrival(event, listen)
            if self._length is not None:
                self._instance.position.until = self._instance.now() + self._length
            return None
        return None

    def _fits(self, listen: dict[str, Any], event: EventMessage, field: str) -> bool:
        return self._instance.fits(listen, event, field)

    def _due(self) -> datetime:
        until = self._instance.position.until
        return self._instance.deadline if until is None else min(until, self._instance.deadline)

    def _is_due(self) -> bool:
        due = self._due()
        # A timer that fired counts, even if the clock is a fraction short: a second timer for the rest would cost five
        # more history events.
        if self._timer_fired():
            self._instance.state.clock.reached(self._timer_due or due)
        if not self._reached(due):
            return False
        if due == self._instance.position.until:
            return True
        raise TimedOut

    def _reached(self, due: datetime) -> bool:
        fired = self._timer_due if self._timer_fired() else None
        return self._instance.now() >= due or (fired is not None and fired >= due)

    def _timer_fired(self) -> bool:
        return self._timer is not None and self._timer.done()

    def _arm(self) -> None:
        """Start a timer unless one is running.

        A restart moves the deadline but leaves the running timer alone: if the timer fires early, the next one takes
        the rest. So an event that restarts the wait costs no more history than one that does not fit.
        """
        if self._timer is not None and not self._timer.done():
            return
        due = self._due()
        self._timer_due = due
        length = self._instance.state.clock.armed(due)
        self._timer = asyncio.ensure_future(workflow.sleep(length, summary=self._summary or None))


async def sleep(instance: Instance, until: datetime, summary: str) -> None:
    """Wait for a moment. Events that arrive meanwhile are only remembered.

    Args:
        instance: The instance that waits.
        until: The moment; one in the past is over at once.
        summary: What the Web UI shows at the timer.

    Raises:
        TimedOut: The instance reached the end of its own time first.
    """
    await Wait(instance, listens=[], until=until, summary=summary).over()


def check_longest(instance: Instance, length: timedelta, what: str) -> None:
    """Check that a wait is not longer than its journey allows.

    Args:
        instance: The instance.
        length: How long it would wait.
        what: What gave the length, for the error: a field of the definition, or a function.

    Raises:
        StepError: It is longer than the journey's longest wait.
    """
    most = instance.definition.get("max_wait")
    if most is not None and length > timedelta(seconds=most):
        raise StepError("expression", f"{what}: more than {most / 86_400:g} days, which is the longest wait")
