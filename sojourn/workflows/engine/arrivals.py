"""Exit criteria: they take effect at once, wherever the instance stands.

One that names the profile needs it as it is behind the event. Until it is read, which takes some milliseconds, the
event and those behind it are held: no step begins, and none is offered them. Where the profile cannot be read, the
steps get the held events after all, so that nothing is lost or blocked, and the criterion is decided as soon as a
worker can.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any

from temporalio import workflow

from sojourn.workflows.engine import limits
from sojourn.workflows.engine.endings import Ending, StepError
from sojourn.workflows.engine.inbox import dump_event, load_event, weight_of
from sojourn.workflows.engine.messages import EventMessage

if TYPE_CHECKING:
    from sojourn.workflows.engine.instance import Instance


class Exits:
    """Decides which events end an instance, and lets the others through to its steps.

    Args:
        instance: The instance.
    """

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._criteria: list[dict[str, Any]] = instance.definition.get("exit_when", [])
        self._held: deque[EventMessage] = deque()
        self._undecided: deque[EventMessage] = deque()
        self._task: asyncio.Task[None] | None = None
        self._dropped_at: tuple[str | None, int] | None = None

    @property
    def holding(self) -> bool:
        """Whether events are held that no step may overtake."""
        return bool(self._held)

    def take(self, event: EventMessage) -> None:
        """Take an event: end the instance if it is a criterion, else let it through, or hold it until that is known."""
        if self._meets(event, later=False):
            return
        profiled = self._needs_profile(event)
        if (profiled and not self._undecided) or self._held:
            self._hold(event)
            return
        if profiled:
            self._leave_undecided(event)
            self.start()
        self._let_through(event)

    def start(self) -> None:
        """Begin to decide what is undecided, if anything is, unless that is under way."""
        if (self._held or self._undecided) and (self._task is None or self._task.done()):
            self._task = asyncio.ensure_future(self._decide())

    async def decided(self) -> None:
        """Go on only while no event is held."""
        if not self._held:
            return
        await workflow.wait_condition(lambda: not self._held or self._task is None or self._task.done())
        if self._held and self._task is not None:
            # A mistake in this module would otherwise leave the instance waiting for ever.
            self._task.result()

    def _hold(self, event: EventMessage) -> None:
        size = sum(map(weight_of, self._held)) + weight_of(event)
        if self._held and (
            size > limits.PENDING_BYTES or len(self._held) >= self._instance.inbox.max_pending
        ):
            self._instance.inbox.dropped += 1
            self._note_dropped(event)
            return
        self._held.append(event)
        self.start()

    def _let_through(self, event: EventMessage) -> None:
        if not self._instance.inbox.put(event):
            self._note_dropped(event)

    def _note_dropped(self, event: EventMessage) -> None:
        """Note that an event is lost to the steps; once for each visit of a step, and the counter has them all."""
        here = (self._instance.position.step, self._instance.position.visit)
        if here != self._dropped_at:
            self._dropped_at = here
            self._instance.note(
                f"{event.name} dropped: too many events are pending; `dropped` counts all that were"
            )

    def _leave_undecided(self, event: EventMessage) -> None:
        self._undecided.append(event)
        while len(self._undecided) > 1 and (
            sum(map(weight_of, self._undecided)) > limits.PENDING_BYTES
            or len(self._undecided) > self._instance.inbox.max_pending
        ):
            self.shed()

    def _needs_profile(self, event: EventMessage) -> bool:
        return any(
            criterion["event"] == event.name and self._instance.profile.named_in(criterion.get("when"))
            for criterion in self._criteria
        )

    def _meets(self, event: EventMessage, *, later: bool) -> bool:
        """Say whether an event is a criterion, of those that name the profile or of the others, and end if it is."""
        instance = self._instance
        for index, criterion in enumerate(self._criteria):
            if (
                criterion["event"] == event.name
                and instance.profile.named_in(criterion.get("when")) == later
                and instance.fits(criterion, event, f"exit_when[{index}].when")
            ):
                instance.end(Ending("exited", _describe(criterion)))
                return True
        return False

    async def _decide(self) -> None:
        """Read the profile for all that have arrived, until nothing is undecided or the instance ends."""
        while self._instance.ending is None:
            if self._held:
                await self._decide_held(len(self._held))
            elif self._undecided:
                await self._decide_undecided(len(self._undecided))
            else:
                return

    async def _decide_held(self, count: int) -> None:
        instance = self._instance
        readable = True
        try:
            if any(self._needs_profile(event) for event in list(self._held)[:count]):
                await instance.profile.read()
        except StepError as error:
            readable = False
            # All of them: what arrived meanwhile would fare no better.
            count = len(self._held)
            instance.note(f"exit_when is decided later: {error.message}")
        for _ in range(count):
            event = self._held.popleft()
            if not readable and self._needs_profile(event):
                self._leave_undecided(event)
            elif readable and self._meets(event, later=True):
                self._held.clear()
                return
            self._let_through(event)

    async def _decide_undecided(self, count: int) -> None:
        instance = self._instance
        try:
            await instance.profile.read(patient=True)
        except StepError as error:
            instance.note(f"exit_when passed over: {error.message}")
            for _ in range(min(count, len(self._undecided))):
                self._undecided.popleft()
            return
        for _ in range(min(count, len(self._undecided))):
            if self._meets(self._undecided.popleft(), later=True):
                return

    def shed(self) -> bool:
        """Let go of the oldest undecided event; says whether there was one."""
        if not self._undecided:
            return False
        event = self._undecided.popleft()
        self._instance.note(f"exit_when passed over for {event.name}: the profile could not be read in time")
        return True

    def dump(self) -> list[Any]:
        """Return what is undecided as plain JSON, to be carried over. Nothing is held when a new run begins."""
        return [dump_event(event) for event in self._undecided]

    def load(self, saved: list[Any]) -> None:
        """Take over what `dump` wrote."""
        self._undecided.extend(map(load_event, saved))


def _describe(criterion: dict[str, Any]) -> str:
    when = criterion.get("when")
    return f"{criterion['event']} when {when}" if when else str(criterion["event"])
