"""One instance of a scenario: asked where it is, and moved on from timer to timer."""

from __future__ import annotations

import asyncio
import contextlib
import time
from datetime import datetime, timedelta
from typing import Any

from temporalio.client import WorkflowFailureError, WorkflowHandle, WorkflowQueryFailedError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment

from sojourn.contract import names
from sojourn.simulation.times import left, since

PATIENCE = 60.0
"""Seconds of the machine's time after which an instance that does not come to rest is given up."""

_LAST_WORDS = 3
"""How often an instance that has ended is asked for its state; one that Temporal terminated never says it has."""

_PAUSES = (0.002, 0.05)
_DEADLOCK = "TMPRL1101"
_ASK_AGAIN = (_DEADLOCK, names.QUERY_TOO_EARLY)


class Stuck(Exception):
    """An instance did not come to rest. The message says where it is."""


class Instance:
    """One profile's run through a journey, as a test sees it.

    Attributes:
        journey: The journey's name.
        version: The version that it runs.
        profile: The profile key.
        workflow_id: The instance's workflow id.
        started: When it entered, by the scenario's clock.
        state: What it last said of itself, see the query `state`.
        result: The workflow's result once it has ended, also of one that failed.
    """

    def __init__(
        self,
        environment: WorkflowEnvironment,
        start: dict[str, Any],
        handle: WorkflowHandle[Any, Any],
        started: datetime,
    ) -> None:
        self.journey: str = start["definition"]["name"]
        self.version: int = start["definition"]["version"]
        self.profile: str = start["key"]
        self.workflow_id = handle.id
        self.started = started
        self.state: dict[str, Any] = {}
        self.result: dict[str, Any] | None = None
        self._environment = environment
        self._handle: WorkflowHandle[Any, Any] = environment.client.get_workflow_handle(handle.id)
        run: WorkflowHandle[Any, Any] = environment.client.get_workflow_handle(
            handle.id, run_id=handle.first_execution_run_id, result_type=dict
        )
        self._end = asyncio.ensure_future(run.result())

    # Where it is

    @property
    def ended(self) -> bool:
        """Whether the instance has ended."""
        return self.result is not None

    @property
    def outcome(self) -> str | None:
        """How it ended: `completed`, `exited`, `timed_out`, `stopped` or `failed`; nothing while it runs."""
        return self.result["outcome"] if self.result else None

    @property
    def text(self) -> str | None:
        """The text of its outcome."""
        return self.result.get("text") if self.result else None

    @property
    def steps(self) -> list[dict[str, Any]]:
        """The records of the steps that it passed, oldest first; without notes."""
        records = (self.result or self.state).get("steps", [])
        return [record for record in records if record["kind"] != "note"]

    @property
    def last_error(self) -> dict[str, Any] | None:
        """The last error of a step."""
        return self.state.get("last_error")

    @property
    def waiting_at(self) -> str | None:
        """The step at which it waits; nothing where it waits for nothing, or has ended."""
        return None if self.ended else self.state.get("step")

    @property
    def due(self) -> datetime | None:
        """When its next timer is due, by the scenario's clock."""
        timer = None if self.ended else self._scenario.get("timer")
        return datetime.fromisoformat(timer["due"]) if timer else None

    @property
    def clock(self) -> datetime | None:
        """The time by its own clock; nothing where it has ended."""
        now = None if self.ended else self._scenario.get("now")
        return datetime.fromisoformat(now) if now else None

    @property
    def path(self) -> list[str]:
        """The ids of the steps that it passed, in order."""
        return [record["step"] for record in self.steps]

    @property
    def trace(self) -> str:
        """The trace as lines of text: how long after the entry each step was over, its id, and what came of it."""
        lines = [
            f"{since(self.started, left(record)):>10}  {record['step']}  ({record['result']})"
            for record in self.steps
        ]
        ending = self.outcome or f"waits at {self.waiting_at}"
        return "\n".join([f"{self.journey} v{self.version}, profile {self.profile}: {ending}", *lines])

    # What a test asserts

    def assert_outcome(self, outcome: str, text: str | None = None) -> None:
        """Fail unless the instance ended so.

        Args:
            outcome: `completed`, `exited`, `timed_out`, `failed` or `stopped`.
            text: The text of the outcome; not compared if left out.
        """
        if self.outcome != outcome or text not in (None, self.text):
            shown = f"{outcome}: {text}" if text is not None else outcome
            raise AssertionError(f"expected {shown}, but it is {self.outcome}: {self.text}\n{self.trace}")

    def assert_path(self, *steps: str) -> None:
        """Fail unless the instance passed these steps, in this order, and no others."""
        if self.path != list(steps):
            raise AssertionError(
                f"expected the steps {' > '.join(steps)}\nbut it passed  {' > '.join(self.path)}\n{self.trace}"
            )

    def assert_waits_at(self, step: str) -> None:
        """Fail unless the instance waits at this step."""
        if self.waiting_at != step:
            state = self.outcome or f"at {self.waiting_at}"
            raise AssertionError(f"expected it to wait at {step}, but it is {state}\n{self.trace}")

    @property
    def _scenario(self) -> dict[str, Any]:
        return self.state.get("scenario") or {}

    # Moving it on

    async def settle(self) -> None:
        """Wait until nothing is under way: the instance waits, is parked, or has ended.

        Raises:
            Stuck: It did not come to rest.
        """
        await self._until(lambda: True)

    async def fire(self) -> None:
        """Let time pass for this instance until its next timer has fired, and what followed is done.

        Raises:
            Stuck: It did not come to rest.
        """
        timer = self._scenario["timer"]
        now = await self._environment.get_current_time(self._handle)
        # To a moment just before it, at which nothing is under way. With a target that is passed while the instance
        # works, the server goes on to skip: the next timer fires as well.
        length = datetime.fromisoformat(timer["fires"]) - now - timedelta(milliseconds=1)
        if length > timedelta():
            with contextlib.suppress(RPCError):  # it has ended already
                await self._environment.fast_forward(self._handle, length)
        await self._until(lambda: self._scenario.get("timer") != timer)

    async def signal(self, name: str, *arguments: Any) -> bool:
        """Send a signal; returns whether the instance still ran."""
        try:
            await self._handle.signal(name, args=list(arguments))
        except RPCError:
            return False
        return True

    async def cancel(self) -> bool:
        """Ask it to end as stopped; returns whether it still ran."""
        try:
            await self._handle.cancel()
        except RPCError:
            return False
        return True

    async def close(self) -> None:
        """End the instance, if it has not ended: the next scenario may have the same profile."""
        if not self._end.done():
            self._end.cancel()
            with contextlib.suppress(RPCError):
                await self._handle.terminate("the scenario is over")
        await asyncio.gather(self._end, return_exceptions=True)

    async def _until(self, moved: Any) -> None:
        give_up = time.monotonic() + PATIENCE
        pause = _PAUSES[0]
        while time.monotonic() < give_up:
            if self._end.done():
                # What it said before its end may lack the last steps: what an instance that has ended says is whole.
                for _ in range(_LAST_WORDS):
                    if await self._ask() and self._scenario["ended"]:
                        break
                self._finish()
                return
            if await self._ask() and moved():
                if self._scenario["ended"]:
                    await asyncio.wait([self._end], timeout=pause)
                elif self._scenario["idle"]:
                    return
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, _PAUSES[1])
        where = self.state.get("step") or "no step"
        raise Stuck(f"{self.workflow_id} did not come to rest within {PATIENCE:g} s: it is at {where}")

    async def _ask(self) -> bool:
        """Ask the instance for its state; says whether it answered."""
        try:
            self.state = dict(await self._handle.query(names.QUERY_STATE))
            self.version = self.state.get("version", self.version)
        except (RPCError, WorkflowFailureError):
            # Temporal lets a moment pass between two runs, and answers no query in it.
            return False
        except WorkflowQueryFailedError as error:
            # The machine stood still while it was answered, so that the SDK saw a deadlock; or the instance goes on.
            if not any(reason in error.message for reason in _ASK_AGAIN):
                raise
            return False
        return "scenario" in self.state

    def _finish(self) -> None:
        error = self._end.exception()
        if error is None:
            self.result = self._end.result()
            return
        cause = error.cause if isinstance(error, WorkflowFailureError) else error
        if isinstance(cause, ApplicationError) and cause.type == names.ERROR_JOURNEY_FAILED and cause.details:
            self.result = cause.details[0]
            self.state["last_error"] = self.result.get("error") if self.result else None
            return
        what = str(cause or error)
        ended = {"outcome": "stopped", "text": what, "steps": self.state.get("steps", [])}
        self.result = {"journey": self.journey, "version": self.version, "profile": self.profile, **ended}
