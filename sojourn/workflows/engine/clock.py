"""The one clock of an instance: Temporal's, or in a scenario the scenario's."""

from __future__ import annotations

import contextlib
from datetime import datetime, timedelta
from typing import Any

from temporalio import workflow

from sojourn.workflows.engine.messages import BadMessage, parse_time

_MARGIN = timedelta(hours=1)


class Clock:
    """Tells an instance the time.

    Live instances have Temporal's time. An instance of a scenario (`sojourn.testing`) has the scenario's: it begins at
    a moment that the start input names, whatever the date of today, and moves only to moments at which something
    happens, so that no time of the machine's gets into a trace. It is made of the start input, of signals and of timers
    alone, all of which are in the history: a replay finds the same times.

    Args:
        begin: The scenario's moment of the start; nothing for Temporal's time.
    """

    def __init__(self, begin: datetime | None) -> None:
        self._moment = begin
        self.timer: tuple[datetime, datetime] | None = None
        """When the timer that runs is due, by this clock and by Temporal's."""

    @property
    def scripted(self) -> bool:
        """Whether a scenario moves this clock."""
        return self._moment is not None

    def now(self) -> datetime:
        """Return the time, UTC."""
        return workflow.now() if self._moment is None else self._moment

    def began(self) -> datetime:
        """Return when the instance was started, UTC."""
        # Not now: where no worker was there, the first task comes later than the entry.
        return workflow.info().workflow_start_time if self._moment is None else self._moment

    def reached(self, moment: datetime) -> None:
        """Note that something happened at a moment. Nothing but a scenario's clock is moved by it."""
        if self._moment is not None:
            self._moment = max(self._moment, moment)

    def told(self, *moment: Any) -> None:
        """Note the moment that an operator's message carries last in a scenario; anything else is passed over."""
        if self._moment is None or not moment:
            return
        with contextlib.suppress(BadMessage):
            self.reached(parse_time(moment[-1], "moment"))

    def armed(self, due: datetime | None) -> timedelta:
        """Note that a timer is started, or with nothing that none runs any more; return its length."""
        length = timedelta() if due is None else due - self.now()
        if self.scripted:
            # Temporal's clock goes on while a scenario's stands still: a timer fires when it is told to, not before.
            length += _MARGIN
        self.timer = None if due is None else (due, workflow.now() + length)
        return length
