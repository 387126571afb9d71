"""One profile's run through one version of a journey: what every kind of journey stands on.

The interpreter of YAML journeys and the authoring API of Python journeys both drive an `Instance`. It holds all that
the run knows, takes the signals, and carries everything over a continue-as-new.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import SearchAttributeKey
from temporalio.exceptions import ApplicationError

from sojourn.contract import names
from sojourn.expressions import EvaluationError
from sojourn.workflows.engine import details, evaluate, limits, snapshot
from sojourn.workflows.engine.arrivals import Exits
from sojourn.workflows.engine.burst import Breath
from sojourn.workflows.engine.clock import Clock
from sojourn.workflows.engine.endings import Ending, StepError
from sojourn.workflows.engine.inbox import Inbox
from sojourn.workflows.engine.messages import EventMessage, StartMessage
from sojourn.workflows.engine.pauses import Holds
from sojourn.workflows.engine.position import Position
from sojourn.workflows.engine.profile import Profile
from sojourn.workflows.engine.trace import Trace
from sojourn.workflows.engine.values import moment, pack, shorten, weight

_STEP = SearchAttributeKey.for_keyword(names.SEARCH_STEP)
_NAME = SearchAttributeKey.for_keyword(names.SEARCH_JOURNEY)
_NOTES = 20


class Instance:
    """The state of one instance.

    Args:
        start: The checked start input; where it carries an earlier run's state, that is taken over.
    """

    def __init__(self, start: StartMessage) -> None:
        self.start = start
        self.definition = start.definition
        self.clock = Clock(start.clock)
        self.entered_at = self.clock.began()
        self.inbox = Inbox(
            self.definition.get("listens", []),
            max_pending=self.definition.get("max_pending", 100),
            remember=self.definition.get("uses_since_entry", False),
        )
        self.inbox.knows(start.event.id)
        self.inbox.note(start.event)
        self.doing = "begins"
        self.trace = Trace()
        self.results: dict[str, Any] = {}
        self._weights: dict[str, int] = {}
        self.visits: dict[str, int] = {}
        self.last_error: dict[str, Any] | None = None
        self.position = Position(self.definition["first"])
        self.profile = Profile(self)
        self.exits = Exits(self)
        self.holds = Holds()
        self.notes = 0
        self.moving: dict[str, Any] | None = None
        """The definition in which the instance is to go on from its wait, see `moving`."""
        self.ending: Ending | None = None
        self.arrivals: deque[EventMessage | Ending] = deque()
        """What came and was not looked at yet: events, and exits that operators ask for, in the history's order."""
        self.breath = Breath()
        self._listening = True
        self._task: asyncio.Task[Ending] | None = None
        self._too_large = False
        self.shown_step: str | None = self.definition["first"]
        # Where the start set none, the namespace may not know the attributes, and an upsert would fail the task.
        self._searchable = workflow.info().typed_search_attributes.get(_NAME) is not None
        if start.state is not None:
            snapshot.restore(self, start.state)
        self.deadline = self.entered_at + timedelta(seconds=self.definition.get("timeout", 91 * 86_400))

    @property
    def paused(self) -> bool:
        """Whether the instance begins no further step."""
        return self.holds.any

    def now(self) -> datetime:
        """Return the time, UTC: Temporal's, or a scenario's. Nothing about an instance asks another clock."""
        return self.clock.now()

    def variables(self, event: EventMessage | None = None) -> dict[str, Any]:
        """Return what expressions may name now (DESIGN.md, section 3).

        Args:
            event: The event that arrived, where there is one.
        """
        known: dict[str, Any] = {
            "entry": self.start.event.data,
            "events": self.inbox.latest,
            "profile": self.profile.attributes,
            "steps": self.results,
            "journey": {
                "name": self.definition["name"],
                "version": self.definition["version"],
                "instance": workflow.info().workflow_id,
                "mode": self.start.mode,
                "entered_at": self.entered_at,
                "step": self.position.step,
                "last_error": self.last_error,
            },
            "now": self.now(),
        }
        if self.start.per is not None:
            known["journey"]["per"] = self.start.per
        if event is not None:
            known["event"] = event.data
        return known

    def keep(self, step: str, result: Any, code: str = "invalid_response") -> None:
        """Keep a step's result as `steps.<id>`.

        Args:
            step: The step's id.
            result: The result.
            code: The error's code where it cannot be kept.

        Raises:
            StepError: The instance holds too much already, or the result is nothing that could be carried over.
        """
        try:
            pack(result)
        except EvaluationError as error:
            raise StepError(code, f"the step's result cannot be kept: {error.message}") from None
        # Weighed once each: a loop that is passed a thousand times in one go would weigh all of it each time.
        for name in self.results.keys() - self._weights.keys():
            self._weights[name] = weight(self.results[name])
        here = weight(result)
        if sum(self._weights.values()) - self._weights.get(step, 0) + here > limits.RESULT_BYTES:
            raise StepError(
                code,
                f"the results of this instance's steps would come to more than {limits.RESULT_BYTES // 1024} kB; "
                "ask for less, or keep fewer fields of it",
            )
        self.results[step] = result
        self._weights[step] = here

    def receive(self, event: EventMessage) -> None:
        """Take an event: count its id once, end if it is an exit criterion, else keep it for the steps."""
        self.clock.reached(event.time)
        self.breath.count()
        if self.ending is None and not self.inbox.knows(event.id):
            self.arrive(event)

    def arrive(self, what: EventMessage | Ending) -> None:
        """Take what came, in its turn.

        All signals of a workflow task are handed out before any step goes on. Were an exit to take effect then and
        there, it would undo an event that came before it: so, while the instance waits for events, the wait looks at
        what came one by one. At any other time nothing is to be lost by looking at once.
        """
        self.arrivals.append(what)
        if not self._listening:
            self.settle()

    def look(self) -> None:
        """Look at the oldest arrival: an exit ends the instance, another event is kept for the steps."""
        came = self.arrivals.popleft()
        if isinstance(came, Ending):
            self.end(came)
            return
        # It may tell of a change of the profile: its own conditions are to see what is known behind it.
        self.profile.forget()
        self.exits.take(came)

    def settle(self) -> None:
        """Look at all that came."""
        while self.arrivals and self.ending is None:
            self.look()

    def heed(self) -> None:
        """Look at all that came; called by the steps before anything that takes time.

        Raises:
            asyncio.CancelledError: It ended the instance.
        """
        self.settle()
        if self.ending is not None:
            raise asyncio.CancelledError

    def listen(self, listening: bool) -> None:
        """Say whether the steps look at what comes one by one; where not, it is looked at as it comes.

        What is there already is looked at when the steps next stand still, whatever they stand still for.
        """
        self._listening = listening
        if not listening:
            asyncio.get_running_loop().call_soon(self._settle_if_deaf)

    def _settle_if_deaf(self) -> None:
        # By now the steps may have come to a wait, which looks by itself.
        if not self._listening:
            self.settle()

    def fits(self, criterion: dict[str, Any], event: EventMessage, field: str) -> bool:
        """Say whether an event meets a condition; one that cannot be evaluated is noted, and does not fit."""
        text = criterion.get("when")
        if text is None:
            return True
        try:
            return evaluate.condition(text, self.variables(event), field)
        except StepError as error:
            self.note(f"{event.name} passed over: {error.message}")
            return False

    def end(self, ending: Ending) -> None:
        """End the instance at once, wherever it stands."""
        if self.ending is None:
            self.ending = ending
            if self._task is not None:
                self._task.cancel()

    def note(self, text: str) -> None:
        """Record in the trace what an operator should know though no step was passed. Bounded in number."""
        self.notes += 1
        if self.notes <= _NOTES:
            now = self.now()
            step = self.position.step or ""
            self.trace.add(step=step, kind="note", visit=0, began=now, ended=now, result=text, following=None)

    async def run(self, main: Callable[[], Awaitable[Ending]]) -> dict[str, Any]:
        """Drive the journey to its end.

        Args:
            main: Walks through the steps and returns how that ended.

        Returns:
            The workflow's result, with the trace.

        Raises:
            ApplicationError: The instance failed; of type `sojourn.JourneyFailed`, its details hold the result.
        """
        if self.ending is None:
            self._task = asyncio.ensure_future(self._walk(main))
            try:
                self.ending = await self._task
            except asyncio.CancelledError:
                # Cancelled from outside, by an operator, unless an exit did it.
                self.ending = self.ending or Ending("stopped", "cancelled in Temporal")
        return self._finish(self.ending)

    async def _walk(self, main: Callable[[], Awaitable[Ending]]) -> Ending:
        self.listen(False)
        # What an earlier run could not decide.
        self.exits.start()
        ending = await main()
        # An exit that came first stands, wherever the steps got to before they heard of it; one that came behind the
        # end does not.
        self.ending = self.ending or ending
        return self.ending

    def _finish(self, ending: Ending) -> dict[str, Any]:
        if ending.outcome in ("exited", "stopped", "timed_out"):
            began = self.position.began or self.now()
            self.trace.add(
                step=self.position.step or "",
                kind=ending.outcome,
                visit=self.visits.get(self.position.step or "", 0),
                began=began,
                ended=self.now(),
                result=ending.text or ending.outcome,
                following=None,
            )
        text = None if ending.text is None else shorten(ending.text, limits.OUTCOME_LENGTH)
        self.position.until = None
        self.show(f"ended as {ending.outcome}")
        result = {
            "journey": self.definition["name"],
            "version": self.definition["version"],
            "profile": self.start.key,
            **snapshot.second_key(self),
            "outcome": ending.outcome,
            "text": text,
            "entered_at": moment(self.entered_at),
            "ended_at": moment(self.now()),
            "dropped": self.inbox.dropped,
            "steps": self.trace.dump(),
        }
        if ending.error is None:
            return result
        raise ApplicationError(
            f"step {ending.error['step']}: {text}",
            result | {"error": ending.error},
            type=names.ERROR_JOURNEY_FAILED,
            non_retryable=True,
        )

    def come_to(self, step: str) -> int:
        """Note that the instance came to a step.

        Args:
            step: The step's id.

        Returns:
            Which visit of it this is, from 1; in a continued run the visit that was under way.

        Raises:
            StepError: The step was visited too often.
        """
        if self.position.resumes(step):
            return self.position.visit
        self._too_large = False
        visit = self.visits.get(step, 0) + 1
        self.visits[step] = visit
        self.position = Position(step, visit, self.now())
        most = self.definition.get("max_visits", 1000)
        if visit > most:
            raise StepError("refused", f"this step was visited more than {most} times in one instance")
        return visit

    def leave(self, kind: str, result: str, following: str | None) -> None:
        """Record that the instance passed the step at which it stands."""
        here = self.position
        assert here.step is not None
        self.trace.add(
            step=here.step,
            kind=kind,
            visit=here.visit,
            began=here.began or self.now(),
            ended=self.now(),
            result=result,
            following=following,
        )
        self.position = Position(following)

    async def proceed(self) -> None:
        """Go on only while not paused, in time, and while no exit is being decided; called before each step."""
        await self.resumed()
        await self.exits.decided()
        if self.now() >= self.deadline:
            raise TimedOut

    async def resumed(self) -> None:
        """Go on only while not paused; signals that come meanwhile may fill this run's history."""
        while self.paused:
            self.heed()
            self.continue_if_suggested()
            self.show("paused")
            await workflow.wait_condition(lambda: not self.paused or self.may_continue())
            self.profile.forget()

    def show(self, waiting: str, *, searchable: bool = False) -> None:
        """Tell operators where the instance is.

        Args:
            waiting: What it waits for, in plain words.
            searchable: Also set the search attribute `JourneyStep`: one history event where it changed.
        """
        details.show(self, waiting)
        if searchable and self._searchable and self.shown_step != self.position.step and self.position.step:
            self.shown_step = self.position.step
            workflow.upsert_search_attributes([_STEP.value_set(self.position.step)])

    def continue_if_suggested(self) -> None:
        """Begin a new run with everything that this one knows, where Temporal suggests it."""
        # What was not looked at yet is to be, in its turn, before anything is carried over.
        if self.ending is not None or self.arrivals or not self.may_continue():
            return
        carried = snapshot.carry(self)
        if carried is None:
            # Not asked again before the next step: this run's history has room for ten times as many events.
            self._too_large = True
            return
        workflow.continue_as_new(carried)

    def may_continue(self) -> bool:
        """Say whether Temporal suggests a new run, and this one can be left now."""
        # What code has done so far is in its history alone: a journey that is code begins a new run by itself.
        if self._too_large or "workflow" in self.definition or self.exits.holding:
            return False
        info = workflow.info()
        if not info.is_continue_as_new_suggested():
            return False
        # No run is left over a burst that the waits in front of it would still take: it does not fit what is carried.
        return self._takes_along() or info.get_current_history_length() > limits.HISTORY_EVENTS

    def _takes_along(self) -> bool:
        """Say whether all that came and was not looked at could be kept as pending."""
        return not self.arrivals or self.inbox.holds(
            [e for e in self.arrivals if isinstance(e, EventMessage)]
        )


class TimedOut(Exception):
    """The instance reached the end of the time that its journey allows."""
