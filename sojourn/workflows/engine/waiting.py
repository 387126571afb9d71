"""Waiting for events and for time: one primitive under every wait of every journey."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from temporalio import workflow

from sojourn.workflows import moving
from sojourn.workflows.engine.cleanup import Leaving
from sojourn.workflows.engine.endings import Ending
from sojourn.workflows.engine.instance import Instance, TimedOut
from sojourn.workflows.engine.messages import EventMessage


@dataclass(frozen=True, slots=True)
class Arrival:
    """The event that ended a wait.

    Attributes:
        event: The event.
        listen: The entry of the step's `events` that it fitted.
    """

    event: EventMessage
    listen: dict[str, Any]


class Wait:
    """One visit of a waiting step.

    Args:
        instance: The instance that waits, already at the step.
        listens: The step's events: mappings with `event`, `when`, `restart`.
        length: How long to wait, for `restart` and for a first deadline; nothing: until an event fits.
        until: The moment at which the wait is over, instead of `length`.
        earlier: Whether events that arrived before the wait count too (`since: entry`).
        summary: What the Web UI shows at the timer. No customer's data.
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
        """Wait.

        Returns:
            The event that fitted, or nothing when the time was up. Where an event and the timer come in one workflow
            task, the SDK does not say which was first: the event wins unless it says of itself that it happened behind
            the moment at which the time was up.

        Raises:
            asyncio.CancelledError: An exit came.
            TimedOut: The instance came to the end of its own time first.
            temporalio.workflow.ContinueAsNewError: Temporal suggested a new run, which goes on with this wait.
        """
        self._instance.listen(True)
        with Leaving(self._leave):
            if (found := await self._offer_earlier()) is not None:
                return found
            while True:
                await moving.go_on(self._instance)
                if (found := await self._offer()) is not None:
                    return found
                if self._is_due():
                    return None
                self._instance.continue_if_suggested()
                self._arm()
                self._instance.show(self._words(), searchable=True)
                await workflow.wait_condition(lambda: self._wakes())
                self._instance.profile.forget()

    def _leave(self) -> None:
        self._instance.listen(False)
        if self._timer is not None:
            self._timer.cancel()
            self._instance.clock.armed(None)

    def _words(self) -> str:
        """Say in plain words what is waited for."""
        ends, begins_again = (
            " or ".join(
                dict.fromkeys(one["event"] for one in self._listens if bool(one.get("restart")) == restart)
            )
            for restart in (False, True)
        )
        if not self._listens:
            return "waits for time to pass"
        words = f"waits for {ends or 'time to pass'}"
        return f"{words}; {begins_again} begins its time again" if begins_again else words

    def _wakes(self) -> bool:
        return self._comes() or self._timer_fired() or self._instance.moving is not None

    def _comes(self) -> bool:
        return len(self._instance.arrivals) > 0 or len(self._instance.inbox) > 0

    async def _offer_earlier(self) -> Arrival | None:
        """Find one that fits among the events that came before the wait, where they count."""
        if not self._earlier or self._resumed:
            return None
        for event in self._instance.inbox.earlier():
            await self._instance.breath.take()
            await self._read_profile(event, leave=False)
            if (found := self._match(event)) is not None:
                self._instance.inbox.count(event)
                return found
        return None

    async def _offer(self) -> Arrival | None:
        """Take pending events until one fits; the others are remembered, and those behind it stay pending."""
        while (event := await self._next()) is not None:
            if (found := self._match(event)) is not None:
                self._instance.inbox.count(event)
                return found
        return None

    async def _next(self) -> EventMessage | None:
        """Return the next event that came in time, or nothing.

        Raises:
            asyncio.CancelledError: An exit came before it.
        """
        instance = self._instance
        while True:
            if self._comes():
                await instance.breath.take()
            coming = instance.inbox.peek() or (instance.arrivals[0] if instance.arrivals else None)
            if coming is None or (isinstance(coming, EventMessage) and self._is_late(coming)):
                return None
            if (event := instance.inbox.peek()) is not None:
                await self._read_profile(event)
                return instance.inbox.take()
            instance.look()
            if instance.ending is not None:
                raise asyncio.CancelledError
            if instance.exits.holding:
                # Whatever comes meanwhile is looked at as it comes: another exit need not wait for this one.
                await self._deaf(instance.exits.decided())

    async def _deaf(self, work: Awaitable[None]) -> None:
        """Wait for something else than events, which are looked at as they come."""
        self._instance.listen(False)
        await work
        self._instance.heed()
        self._instance.listen(True)

    async def _read_profile(self, event: EventMessage, *, leave: bool = True) -> None:
        """Have the profile that an event's conditions name, however long it takes: an event may not be lost.

        The wait's time goes on meanwhile, but the event came first: it is offered before the time is up. What does not
        pass by trying again leaves the profile as it was known.

        Args:
            event: The event, still pending.
            leave: Whether a new run may begin meanwhile; it would find the event pending.

        Raises:
            TimedOut: The instance came to the end of its own time first.
        """
        needed = self._instance.profile.needed_by
        if any(listen["event"] == event.name and needed(listen.get("when")) for listen in self._listens):
            await self._deaf(self._read(leave))
            if self._instance.now() >= self._instance.deadline:
                raise TimedOut

    async def _read(self, leave: bool) -> None:
        instance = self._instance
        reading = asyncio.ensure_future(instance.profile.read_at_length())
        with Leaving(reading.cancel):
            while not reading.done():
                await workflow.wait_condition(lambda: reading.done() or (leave and instance.may_continue()))
                if not reading.done():
                    instance.continue_if_suggested()
        reading.result()

    def _is_late(self, event: EventMessage) -> bool:
        """Say whether the time is up by now, and the event says of itself that it happened behind that."""
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
        # The timer that fired counts, whatever the clock's last digit says: a second one for the rest would cost five
        # more history events.
        if self._timer_fired():
            self._instance.clock.reached(self._timer_due or due)
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
        """Start a timer where none runs.

        A restart moves the deadline and leaves the running timer alone: when it fires early, the next one takes the
        rest. So an event that restarts costs no more history than one that does not fit, however many come.
        """
        if self._timer is not None and not self._timer.done():
            return
        due = self._due()
        self._timer_due = due
        length = self._instance.clock.armed(due)
        self._timer = asyncio.ensure_future(workflow.sleep(length, summary=self._summary or None))


async def sleep(instance: Instance, until: datetime, summary: str) -> None:
    """Wait for a moment, listening for nothing: what arrives meanwhile is only remembered.

    Args:
        instance: The instance that waits.
        until: The moment; one that has passed is over at once.
        summary: What the Web UI shows at the timer.

    Raises:
        TimedOut: The instance came to the end of its own time first.
    """
    await Wait(instance, listens=[], until=until, summary=summary).over()


def timed_out() -> Ending:
    """Return the ending of an instance that came to the end of its time."""
    return Ending("timed_out", "the journey's timeout")
