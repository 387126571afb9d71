"""Waiting for events and for time: one primitive under every wait of every journey."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from temporalio import workflow

from sojourn.workflows.endings import Ending
from sojourn.workflows.instance import Instance, TimedOut
from sojourn.workflows.messages import EventMessage


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
        self._resumed = bool(here.waiting_for) or here.until is not None
        if not self._resumed:
            here.waiting_for = [listen["event"] for listen in listens]
            here.until = until if length is None else instance.now() + length

    async def over(self) -> Arrival | None:
        """Wait.

        Returns:
            The event that fitted, or nothing when the time was up. Of an event and a timer in one workflow task the
            event wins.

        Raises:
            TimedOut: The instance came to the end of its own time first.
            temporalio.workflow.ContinueAsNewError: Temporal suggested a new run, which goes on with this wait.
        """
        if self._earlier and not self._resumed:
            for event in self._instance.inbox.earlier():
                if (found := self._match(event)) is not None:
                    self._instance.inbox.count(event)
                    return found
        try:
            while True:
                if (found := self._offer()) is not None:
                    return found
                if self._is_due():
                    return None
                self._instance.continue_if_suggested()
                self._arm()
                self._instance.show(self._summary, searchable=True)
                await workflow.wait_condition(lambda: len(self._instance.inbox) > 0 or self._timer_fired())
        finally:
            if self._timer is not None:
                self._timer.cancel()
                self._instance.clock.armed(None)

    def _offer(self) -> Arrival | None:
        """Take pending events until one fits; the others are remembered, and those behind it stay pending."""
        while (event := self._instance.inbox.take()) is not None:
            if (found := self._match(event)) is not None:
                self._instance.inbox.count(event)
                return found
        return None

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
        now = self._instance.now()
        reached = now if not self._timer_fired() else max(now, self._timer_due or due)
        if reached < due:
            return False
        if due == self._instance.position.until:
            return True
        raise TimedOut

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
