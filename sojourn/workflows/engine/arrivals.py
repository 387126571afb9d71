"""The arrivals of an instance: the order in which events and exits take effect.

Events, and exits that operators ask for, form one queue in the order of the history. An event that meets an exit
criterion ends the instance, wherever it is. All other events go to the inbox, which offers them to the steps.

An exit criterion that names the profile needs the profile as it is after the event. Reading it takes some
milliseconds. Until it is read, the event and all later ones are *held*: no step begins, and no step is offered them. If
the profile cannot be read, the steps get the held events, so that nothing is lost or blocked. The events stay
*undecided*, and the criterion is decided as soon as a worker can read the profile.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any

from temporalio import workflow

from sojourn.workflows.engine import limits
from sojourn.workflows.engine.endings import Ending, StepError
from sojourn.workflows.engine.inbox import weight_of
from sojourn.workflows.engine.messages import EventMessage

if TYPE_CHECKING:
    from sojourn.workflows.engine.instance import Instance


class Arrivals:
    """The events and exits that came to an instance, and the end that they brought about.

    Temporal delivers all signals of a workflow task before any step goes on. If an exit took effect at once, it would
    undo an event that came before it. So a wait processes the arrivals one by one, in their order. At any other time
    they are processed as they come, because nothing can be lost by that.

    Args:
        instance: The instance.

    Attributes:
        ending: How the instance ended; None while it runs.
    """

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._state = instance.state
        self._criteria: list[dict[str, Any]] = instance.state.definition.get("exit_when", [])
        self._queue: deque[EventMessage | Ending] = deque()
        self._one_by_one = True
        self._held: deque[EventMessage] = deque()
        self._deciding: asyncio.Task[None] | None = None
        self._dropped_at: tuple[str | None, int] | None = None
        self.ending: Ending | None = None

    def __len__(self) -> int:
        """Return how many arrivals were not processed yet."""
        return len(self._queue)

    @property
    def holding(self) -> bool:
        """Whether events are held that no step may overtake."""
        return bool(self._held)

    @property
    def coming(self) -> EventMessage | Ending | None:
        """What the steps get next: the oldest pending event, else the oldest arrival."""
        return self._state.inbox.peek() or (self._queue[0] if self._queue else None)

    def receive(self, event: EventMessage) -> None:
        """Enqueue an event, unless one with its id came before."""
        if self.ending is None and not self._state.inbox.knows(event.id):
            self.enqueue(event)

    def enqueue(self, arrival: EventMessage | Ending) -> None:
        """Add an event, or an exit that an operator asks for, to the queue."""
        self._queue.append(arrival)
        if not self._one_by_one:
            self.drain()

    def process_next(self) -> None:
        """Process the oldest arrival: an exit ends the instance, an event that is no exit goes to the inbox."""
        arrival = self._queue.popleft()
        if isinstance(arrival, Ending):
            self.end(arrival)
            return
        # The event may tell of a change of the profile: its own conditions need the profile as it is afterwards.
        self._instance.profile.forget()
        self._process(arrival)

    def drain(self) -> None:
        """Process all arrivals."""
        while self._queue and self.ending is None:
            self.process_next()

    def check_ended(self) -> None:
        """Process all arrivals; called by the steps before anything that takes time.

        Raises:
            asyncio.CancelledError: One of them ended the instance.
        """
        self.drain()
        if self.ending is not None:
            raise asyncio.CancelledError

    def set_one_by_one(self, one_by_one: bool) -> None:
        """Set whether a wait processes the arrivals one by one; if not, they are processed as they come.

        What is in the queue already is then processed when the steps next stand still, for whatever reason.
        """
        self._one_by_one = one_by_one
        if not one_by_one:
            asyncio.get_running_loop().call_soon(self._drain_unless_one_by_one)

    def _drain_unless_one_by_one(self) -> None:
        # Meanwhile the steps may have come to a wait, which processes the arrivals itself.
        if not self._one_by_one:
            self.drain()

    def fit_in_inbox(self) -> bool:
        """Return whether all events in the queue could become pending, so that none would be dropped."""
        events = [arrival for arrival in self._queue if isinstance(arrival, EventMessage)]
        return not self._queue or self._state.inbox.holds(events)

    def end(self, ending: Ending) -> None:
        """End the instance, unless it has ended."""
        if self.ending is None:
            self.ending = ending
            self._instance.cancel_steps()

    def decide(self) -> None:
        """Begin to decide on the held and undecided events, if there are any."""
        if (self._held or self._state.undecided) and (self._deciding is None or self._deciding.done()):
            self._deciding = asyncio.ensure_future(self._decide())

    async def decided(self) -> None:
        """Wait until no event is held."""
        if not self._held:
            return
        await workflow.wait_condition(
            lambda: not self._held or self._deciding is None or self._deciding.done()
        )
        if self._held and self._deciding is not None:
            # Raises what ended the task: a mistake in this module would otherwise block the instance for good.
            self._deciding.result()

    def _process(self, event: EventMessage) -> None:
        if self._meets(event, later=False):
            return
        profiled = self._needs_profile(event)
        if (profiled and not self._state.undecided) or self._held:
            self._hold(event)
            return
        if profiled:
            self._leave_undecided(event)
            self.decide()
        self._let_through(event)

    def _hold(self, event: EventMessage) -> None:
        inbox = self._state.inbox
        size = sum(map(weight_of, self._held)) + weight_of(event)
        if self._held and (size > limits.PENDING_BYTES or len(self._held) >= inbox.max_pending):
            inbox.dropped += 1
            self._note_dropped(event)
            return
        self._held.append(event)
        self.decide()

    def _let_through(self, event: EventMessage) -> None:
        if not self._state.inbox.put(event):
            self._note_dropped(event)

    def _note_dropped(self, event: EventMessage) -> None:
        """Note that an event was dropped, once for each visit of a step: `dropped` counts all of them."""
        here = (self._state.position.step, self._state.position.visit)
        if here != self._dropped_at:
            self._dropped_at = here
            self._state.note(
                f"{event.name} dropped: too many events are pending; `dropped` counts all that were"
            )

    def _leave_undecided(self, event: EventMessage) -> None:
        undecided = self._state.undecided
        undecided.append(event)
        while len(undecided) > 1 and (
            sum(map(weight_of, undecided)) > limits.PENDING_BYTES
            or len(undecided) > self._state.inbox.max_pending
        ):
            self._state.shed_undecided()

    def _needs_profile(self, event: EventMessage) -> bool:
        return any(
            criterion["event"] == event.name and self._instance.profile.named_in(criterion.get("when"))
            for criterion in self._criteria
        )

    def _meets(self, event: EventMessage, *, later: bool) -> bool:
        """Return whether an event meets an exit criterion, and end the instance if it does.

        Args:
            event: The event.
            later: Check the criteria that name the profile, instead of the others.
        """
        for index, criterion in enumerate(self._criteria):
            if (
                criterion["event"] == event.name
                and self._instance.profile.named_in(criterion.get("when")) == later
                and self._instance.fits(criterion, event, f"exit_when[{index}].when")
            ):
                self.end(Ending("exited", _describe(criterion)))
                return True
        return False

    async def _decide(self) -> None:
        """Read the profile for all that arrived, until nothing is undecided or the instance ends."""
        while self.ending is None:
            if self._held:
                await self._decide_held(len(self._held))
            elif self._state.undecided:
                await self._decide_undecided(len(self._state.undecided))
            else:
                return

    async def _decide_held(self, count: int) -> None:
        readable = True
        try:
            if any(self._needs_profile(event) for event in list(self._held)[:count]):
                await self._instance.profile.read()
        except StepError as error:
            readable = False
            # All of them: reading the profile again would fail for those that arrived meanwhile, too.
            count = len(self._held)
            self._state.note(f"exit_when is decided later: {error.message}")
        for _ in range(count):
            event = self._held.popleft()
            if not readable and self._needs_profile(event):
                self._leave_undecided(event)
            elif readable and self._meets(event, later=True):
                self._held.clear()
                return
            self._let_through(event)

    async def _decide_undecided(self, count: int) -> None:
        undecided = self._state.undecided
        try:
            await self._instance.profile.read(patient=True)
        except StepError as error:
            self._state.note(f"exit_when passed over: {error.message}")
            for _ in range(min(count, len(undecided))):
                undecided.popleft()
            return
        for _ in range(min(count, len(undecided))):
            if self._meets(undecided.popleft(), later=True):
                return


def _describe(criterion: dict[str, Any]) -> str:
    when = criterion.get("when")
    return f"{criterion['event']} when {when}" if when else str(criterion["event"])
