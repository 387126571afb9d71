"""A limit on the events that one workflow task processes, so that a burst of events spreads over several tasks."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow

from sojourn.workflows.engine import limits


class BurstLimit:
    """Counts the events that one workflow task receives and offers to waits, and bounds them.

    A worker gives a task two seconds. Then it takes the workflow for hung, and would try the same task again forever.
    Temporal delivers all that came while no worker ran in one task, up to 10,000 events.
    """

    def __init__(self) -> None:
        self._task = -1
        self._events = 0

    def count(self) -> None:
        """Count an event that this task receives, or offers to a wait."""
        # The history's length at the beginning of the task identifies the task, on replay as well.
        task = workflow.info().get_current_history_length()
        if task != self._task:
            self._task, self._events = task, 0
        self._events += 1

    async def wait(self) -> None:
        """Count an event; above the limit, continue in another workflow task. What arrives meanwhile comes later."""
        self.count()
        if self._events > limits.EVENTS_IN_TASK:
            await workflow.sleep(timedelta(milliseconds=1), summary="takes many events in portions")
