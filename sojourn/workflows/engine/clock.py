"""The clock of an instance: Temporal's, or the scenario's in a scenario."""

from __future__ import annotations

import contextlib
from datetime import datetime, timedelta
from typing import Any

from temporalio import workflow

from sojourn.workflows.engine.messages import BadMessage, parse_time

_MARGIN = timedelta(hours=1)


class Clock:
    """The time of one instance.

    Live instances use Temporal's time. An instance of a scenario (`sojourn.testing`) uses the scenario's: it begins at
    the moment that the start input names, whatever today's date is, and moves only to moments at which something
    happens. So no time of this machine gets into a trace. It depends only on the start input, signals and timers, all
    of which are in the history: a replay finds the same times.

    Args:
        begin: When the scenario begins; None for Temporal's time.

    Attributes:
        timer: When the running timer is due, by this clock and by Temporal's; None if no timer is running.
    """

    def __init__(self, begin: datetime | None) -> None:
        self._moment = begin
        self.timer: tuple[datetime, datetime] | None = None

    @property
    def scripted(self) -> bool:
        """Whether a scenario moves this clock."""
        return self._moment is not None

    def now(self) -> datetime:
        """Return the time, UTC."""
        return workflow.now() if self._moment is None else self._moment

    def began(self) -> datetime:
        """Return when the instance was started, UTC."""
        # Not `now`: if no worker was running, the first task came later than the entry.
        return workflow.info().workflow_start_time if self._moment is None else self._moment

    def reached(self, moment: datetime) -> None:
        """Move a scenario's clock to a moment at which something happened, unless that is in its past."""
        if self._moment is not None:
            self._moment = max(self._moment, moment)

    def observe(self, *message: Any) -> None:
        """Move a scenario's clock to the moment that an operator's message ends with; ignore anything else."""
        if self._moment is None or not message:
            return
        with contextlib.suppress(BadMessage):
            self.reached(parse_time(message[-1], "moment"))

    def armed(self, due: datetime | None) -> timedelta:
        """Record that a timer starts, or with None that no timer is running any more; return the timer's length."""
        length = timedelta() if due is None else due - self.now()
        if self.scripted:
            # Temporal's clock runs on while a scenario's stands still, and must not fire the timer meanwhile.
            length += _MARGIN
        self.timer = None if due is None else (due, workflow.now() + length)
        return length
