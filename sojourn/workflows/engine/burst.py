"""Taking a burst of events in portions that a workflow task can hold."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow

from sojourn.workflows.engine import limits


class Breath:
    """Counts the events that one workflow task takes in and offers to waits.

    A worker gives a task two seconds before it takes the workflow for hung, and would then try the same task again for
    ever. Temporal hands all that came while no worker ran to one task, up to 10,000 events.
    """

    def __init__(self) -> None:
        self._task = -1
        self._events = 0

    def count(self) -> None:
        """Count an event that this task takes in, or offers to a wait."""
        # The length as it was when the task began: another one for each task, and the same on replay.
        task = workflow.info().get_current_history_length()
        if task != self._task:
            self._task, self._events = task, 0
        self._events += 1

    async def take(self) -> None:
        """Count an event; above the bound, go on in another workflow task. What comes meanwhile comes behind."""
        self.count()
        if self._events > limits.EVENTS_IN_TASK:
            await workflow.sleep(timedelta(milliseconds=1), summary="takes many events in portions")
