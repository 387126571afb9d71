"""An instance: one profile's run through one version of a journey.

The interpreter of YAML journeys and the authoring API of Python journeys both drive an `Instance`. It connects the
instance's state, the order of its arrivals, its profile and Temporal.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from temporalio import workflow
from temporalio.common import SearchAttributeKey
from temporalio.exceptions import ApplicationError

from sojourn.contract import names
from sojourn.workflows.engine import details, evaluate, limits, snapshot
from sojourn.workflows.engine.arrivals import Arrivals
from sojourn.workflows.engine.burst import BurstLimit
from sojourn.workflows.engine.endings import Ending, StepError, TimedOut
from sojourn.workflows.engine.messages import EventMessage, StartMessage
from sojourn.workflows.engine.next_run import NextRun
from sojourn.workflows.engine.position import Position
from sojourn.workflows.engine.profile import Profile
from sojourn.workflows.engine.state import State
from sojourn.workflows.engine.step import Step
from sojourn.workflows.engine.values import moment, shorten

_STEP = SearchAttributeKey.for_keyword(names.SEARCH_STEP)
_NAME = SearchAttributeKey.for_keyword(names.SEARCH_JOURNEY)


class Instance:
    """A running instance.

    Args:
        start: The checked start input. If it carries the state of an earlier run, the instance continues from there.

    Attributes:
        start: The start input.
        state: All that is carried from one run to the next.
        arrivals: The order of events and exits, and how the instance ended.
        profile: The built-in profile.
        burst: Bounds the events of one workflow task.
        next_run: Begins the next run.
        doing: What the instance does or waits for, in plain words; set by `show`.
    """

    def __init__(self, start: StartMessage) -> None:
        self.start = start
        self.state = State(start)
        self.profile = Profile(self)
        self.arrivals = Arrivals(self)
        self.burst = BurstLimit()
        self.next_run = NextRun(self)
        self.doing = "begins"
        self._task: asyncio.Task[Ending] | None = None
        # If the start set no search attributes, the namespace may not know them, and an upsert would fail the task.
        self._searchable = workflow.info().typed_search_attributes.get(_NAME) is not None

    @property
    def definition(self) -> dict[str, Any]:
        """The compiled journey that the instance runs."""
        return self.state.definition

    @property
    def position(self) -> Position:
        """The step at which the instance is."""
        return self.state.position

    @property
    def deadline(self) -> datetime:
        """When the instance's own time is over."""
        return self.state.deadline

    @property
    def paused(self) -> bool:
        """Whether the instance begins no further step."""
        return self.state.pauses.any

    def now(self) -> datetime:
        """Return the time, UTC: Temporal's, or a scenario's. Everything about an instance uses this clock."""
        return self.state.clock.now()

    def variables(self, event: EventMessage | None = None) -> dict[str, Any]:
        """Return the variables of expressions (DESIGN.md, section 3).

        Args:
            event: The event that arrived, if the expression is about one.
        """
        state = self.state
        known: dict[str, Any] = {
            "entry": self.start.event.data,
            "events": state.inbox.latest,
            "profile": self.profile.attributes,
            "steps": state.results,
            "journey": {
                "name": self.definition["name"],
                "version": self.definition["version"],
                "instance": workflow.info().workflow_id,
                "mode": self.start.mode,
                "entered_at": state.entered_at,
                "step": state.position.step,
                "last_error": state.last_error,
            },
            "now": self.now(),
        }
        if self.start.per is not None:
            known["journey"]["per"] = self.start.per
        if event is not None:
            known["event"] = event.data
        return known

    def receive(self, event: EventMessage) -> None:
        """Receive an event. Each id counts once."""
        self.state.clock.reached(event.time)
        self.burst.count()
        self.arrivals.receive(event)

    def fits(self, criterion: dict[str, Any], event: EventMessage, field: str) -> bool:
        """Return whether an event meets a condition.

        A condition that cannot be evaluated is noted, and is not met.

        Args:
            criterion: What has the condition as `when`; None or no `when` is always met.
            event: The event.
            field: The place of the condition in the definition, for the note.
        """
        text = criterion.get("when")
        if text is None:
            return True
        try:
            return evaluate.condition(text, self.variables(event), field)
        except StepError as error:
            self.state.note(f"{event.name} passed over: {error.message}")
            return False

    def cancel_steps(self) -> None:
        """Cancel whatever step is under way."""
        if self._task is not None:
            self._task.cancel()

    async def run(self, main: Callable[[], Awaitable[Ending]]) -> dict[str, Any]:
        """Run the journey to its end.

        Args:
            main: Walks through the steps and returns how that ended.

        Returns:
            The workflow's result, with the trace.

        Raises:
            ApplicationError: The instance failed; of type `sojourn.JourneyFailed`, its details hold the result.
        """
        ending = self.arrivals.ending
        if ending is None:
            self._task = asyncio.ensure_future(self._walk(main))
            try:
                ending = await self._task
            except asyncio.CancelledError:
                # Cancelled by an exit, or from outside by an operator.
                ending = self.arrivals.ending or Ending("stopped", "cancelled in Temporal")
            self.arrivals.ending = ending
        return self._finish(ending)

    async def _walk(self, main: Callable[[], Awaitable[Ending]]) -> Ending:
        self.arrivals.set_one_by_one(False)
        # What an earlier run left undecided.
        self.arrivals.decide()
        ending = await main()
        # An exit that came first wins, even if the steps ran on before they heard of it; a later one is ignored.
        self.arrivals.ending = self.arrivals.ending or ending
        return self.arrivals.ending

    def _finish(self, ending: Ending) -> dict[str, Any]:
        state = self.state
        if ending.outcome in ("exited", "stopped", "timed_out"):
            state.trace.add(
                step=state.position.step or "",
                kind=ending.outcome,
                visit=state.visits.get(state.position.step or "", 0),
                began=state.position.began or self.now(),
                ended=self.now(),
                result=ending.text or ending.outcome,
                following=None,
            )
        text = None if ending.text is None else shorten(ending.text, limits.OUTCOME_LENGTH)
        state.position.until = None
        self.show(f"ended as {ending.outcome}")
        result = {
            "journey": self.definition["name"],
            "version": self.definition["version"],
            "profile": self.start.key,
            **snapshot.instance_key(self),
            "outcome": ending.outcome,
            "text": text,
            "entered_at": moment(state.entered_at),
            "ended_at": moment(self.now()),
            "dropped": state.inbox.dropped,
            "steps": state.trace.dump(),
        }
        if ending.error is None:
            return result
        raise ApplicationError(
            f"step {ending.error['step']}: {text}",
            result | {"error": ending.error},
            type=names.ERROR_JOURNEY_FAILED,
            non_retryable=True,
        )

    def step(self, name: str, kind: str, *, on_error: str | None = None) -> Step:
        """Return a visit of a step, for `async with`.

        Args:
            name: The step's id.
            kind: Its kind.
            on_error: The step that follows after an error; None if there is no error path.
        """
        return Step(self, name, kind, on_error)

    async def proceed(self) -> None:
        """Wait until the next step may begin: not while the instance is paused or an exit is being decided.

        Raises:
            TimedOut: The instance reached the end of its own time.
            asyncio.CancelledError: An exit came.
        """
        await self.resumed()
        await self.arrivals.decided()
        if self.now() >= self.deadline:
            raise TimedOut

    async def resumed(self) -> None:
        """Wait until the instance is not paused. Signals that come meanwhile may fill this run's history."""
        while self.paused:
            self.arrivals.check_ended()
            self.next_run.begin_if_suggested()
            self.show("paused")
            await workflow.wait_condition(lambda: not self.paused or self.next_run.may_begin())
            self.profile.forget()

    def show(self, doing: str, *, searchable: bool = False) -> None:
        """Show operators where the instance is.

        Args:
            doing: What it does or waits for, in plain words.
            searchable: Also set the search attribute `JourneyStep`: one history event if it changed.
        """
        details.show(self, doing)
        state = self.state
        if (
            searchable
            and self._searchable
            and state.shown_step != state.position.step
            and state.position.step
        ):
            state.shown_step = state.position.step
            workflow.upsert_search_attributes([_STEP.value_set(state.position.step)])
