"""The state of an instance: all that it knows, and carries from one run to the next."""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta
from typing import Any

from sojourn.expressions import EvaluationError
from sojourn.workflows.engine import limits
from sojourn.workflows.engine.clock import Clock
from sojourn.workflows.engine.endings import StepError, TooManyVisits
from sojourn.workflows.engine.inbox import Inbox, dump_event, load_event
from sojourn.workflows.engine.messages import EventMessage, StartMessage
from sojourn.workflows.engine.pauses import Pauses
from sojourn.workflows.engine.position import Position
from sojourn.workflows.engine.trace import Trace
from sojourn.workflows.engine.values import pack, unpack, weight

_NOTES = 20
_DEFAULT_TIMEOUT = 91 * 86_400
_DEFAULT_VISITS = 1_000


class State:
    """The state of one instance.

    Args:
        start: The checked start input. If it carries the state of an earlier run, that state is loaded.

    Attributes:
        start: The start input.
        definition: The compiled journey that the instance runs.
        clock: The instance's clock.
        entered_at: When the instance began, in its first run.
        position: The step at which the instance is. Only the methods of this class replace it.
        visits: How often the instance came to each step.
        results: The results of steps, by step.
        last_error: The last error of a step, see `StepError.describe`. Only `fail` sets it.
        inbox: The events that the instance received.
        undecided: Events that may end the instance, which is decided when the profile can be read.
        trace: The record of what the instance did.
        notes: How many notes there were, including those that the trace has no room for.
        pauses: Why the instance is paused.
        shown_step: The step in the search attribute `JourneyStep`.
    """

    def __init__(self, start: StartMessage) -> None:
        self.start = start
        self.definition = start.definition
        self.clock = Clock(start.clock)
        self.entered_at = self.clock.began()
        self.position = Position(self.definition["first"])
        self.visits: dict[str, int] = {}
        self.results: dict[str, Any] = {}
        self._weights: dict[str, int] = {}
        self.last_error: dict[str, Any] | None = None
        self.inbox = Inbox(
            self.definition.get("listens", []),
            max_pending=self.definition.get("max_pending", 100),
            remember=self.definition.get("uses_since_entry", False),
        )
        self.inbox.knows(start.event.id)
        self.inbox.note(start.event)
        self.undecided: deque[EventMessage] = deque()
        self.trace = Trace()
        self.notes = 0
        self.pauses = Pauses()
        self.shown_step: str | None = self.definition["first"]
        if start.state is not None:
            self._load(start.state)

    @property
    def deadline(self) -> datetime:
        """When the instance's own time is over."""
        return self.entered_at + timedelta(seconds=self.definition.get("timeout", _DEFAULT_TIMEOUT))

    def approach(self, step: str | None) -> None:
        """Set the position before a step: the instance is on its way to it.

        Args:
            step: The step's id; None after the last one.
        """
        self.position = Position(step)

    def return_to(self, position: Position) -> None:
        """Set the position back to an earlier one."""
        self.position = position

    def come_to(self, step: str, kind: str) -> bool:
        """Begin a visit of a step.

        Args:
            step: The step's id.
            kind: Its kind.

        Returns:
            Whether this is a new visit; False if a continued run goes on with the visit of the previous one.

        Raises:
            TooManyVisits: The step was visited too often.
        """
        if self.position.resumes(step):
            self.position.kind = kind
            return False
        visit = self.visits.get(step, 0) + 1
        self.visits[step] = visit
        self.position = Position(step, visit, self.clock.now(), kind=kind)
        most = self.definition.get("max_visits", _DEFAULT_VISITS)
        if visit > most:
            raise TooManyVisits(most)
        return True

    def leave(self, kind: str, result: str, following: str | None) -> None:
        """Record the step at which the instance is as passed, and set the position before the next one.

        Args:
            kind: The step's kind.
            result: The result in a few words, without a customer's data.
            following: The next step; None after the last one, or if it is not known yet.
        """
        here = self.position
        assert here.step is not None
        now = self.clock.now()
        self.trace.add(
            step=here.step,
            kind=kind,
            visit=here.visit,
            began=here.began or now,
            ended=now,
            result=result,
            following=following,
        )
        self.position = Position(following)

    def fail(self, step: str, error: StepError) -> None:
        """Keep an error as the last one."""
        self.last_error = error.describe(step)

    def keep(self, step: str, result: Any, code: str = "invalid_response") -> None:
        """Keep a step's result as `steps.<id>`.

        Args:
            step: The step's id.
            result: The result.
            code: The code of the error if the result cannot be kept.

        Raises:
            StepError: The results would be too large, or this one is not a value that can be carried over.
        """
        try:
            pack(result)
        except EvaluationError as error:
            raise StepError(code, f"the step's result cannot be kept: {error.message}") from None
        # Each result is weighed once: a loop of a thousand visits would otherwise weigh all of them each time.
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

    def note(self, text: str) -> None:
        """Add a note to the trace: what an operator should know although no step was passed. Bounded in number."""
        self.notes += 1
        if self.notes <= _NOTES:
            now = self.clock.now()
            step = self.position.step or ""
            self.trace.add(step=step, kind="note", visit=0, began=now, ended=now, result=text, following=None)

    def shed_undecided(self) -> bool:
        """Drop the oldest undecided event. Returns whether there was one."""
        if not self.undecided:
            return False
        event = self.undecided.popleft()
        self.note(f"exit_when passed over for {event.name}: the profile could not be read in time")
        return True

    def carry(self) -> dict[str, Any] | None:
        """Return the start input of the next run, small enough for one payload.

        Each part has its own bound. If the parts together are too large, the oldest of what matters least is dropped:
        records of the trace, then earlier events, then pending events.

        Returns:
            The input; None if even that is too large, which takes a definition of several hundred kB.
        """
        while weight(carried := self.next_start()) > limits.CARRIED_BYTES:
            if not (self.trace.shed(limits.TRACE_KEPT) or self.inbox.shed() or self.shed_undecided()):
                return None
        return carried

    def next_start(self) -> dict[str, Any]:
        """Return the start input of a run that continues from here, whatever its size. Changes nothing."""
        event = self.start.event
        clock = {"clock": self.clock.now().isoformat()} if self.clock.scripted else {}
        per = {} if self.start.per is None else {"per": self.start.per}
        return {
            "definition": self.definition,
            "event": {"id": event.id, "name": event.name, "time": event.time.isoformat(), "data": event.data},
            "key": self.start.key,
            "mode": self.start.mode,
            "local_fetch": self.start.local_fetch,
            **clock,
            **per,
            "state": self._dump(),
        }

    def _dump(self) -> dict[str, Any]:
        # Every field that a step or a signal changes is here: one that is missing is lost with the run.
        return {
            "entered_at": self.entered_at.isoformat(),
            "position": self.position.dump(),
            "visits": self.visits,
            "results": pack(self.results),
            "last_error": pack(self.last_error),
            "inbox": self.inbox.dump(self.start.event),
            "undecided": [dump_event(event) for event in self.undecided],
            "trace": self.trace.dump(),
            "trace_count": self.trace.count,
            "notes": self.notes,
            "paused": self.pauses.dump(),
            "shown_step": self.shown_step,
        }

    def _load(self, saved: dict[str, Any]) -> None:
        self.entered_at = datetime.fromisoformat(saved["entered_at"])
        self.position = Position.load(saved["position"])
        self.visits = saved["visits"]
        self.results = unpack(saved["results"])
        self.last_error = unpack(saved["last_error"])
        self.inbox.load(saved["inbox"], self.start.event)
        # Releases before profiles carried no undecided events.
        self.undecided.extend(map(load_event, saved.get("undecided", [])))
        self.trace = Trace.load(saved["trace"], saved["trace_count"])
        self.notes = saved["notes"]
        self.pauses.load(saved["paused"])
        self.shown_step = saved["shown_step"]
