"""Walking through the steps of a compiled definition."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from temporalio import workflow

from sojourn.workflows import evaluate
from sojourn.workflows.calling import call
from sojourn.workflows.endings import Ending, StepError
from sojourn.workflows.instance import Instance, TimedOut
from sojourn.workflows.waiting import Wait, sleep, timed_out

Step = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Passed:
    """What came of a step.

    Attributes:
        result: In a few words, for the trace.
        following: The next step; nothing where the journey ends.
        text: The text of the `end` step.
    """

    result: str
    following: str | None
    text: str | None = None


class Interpreter:
    """Runs an instance through its definition.

    Args:
        instance: The instance.
    """

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._steps: dict[str, Step] = instance.definition["steps"]
        self._kinds: dict[str, Callable[[str, Step], Awaitable[Passed]]] = {
            "wait_for": self._wait_for,
            "wait": self._wait,
            "condition": self._condition,
            "split": self._split,
            "fetch": self._call,
            "action": self._call,
            "set": self._set,
            "end": self._end,
        }

    async def run(self) -> Ending:
        """Walk from where the instance stands to its end."""
        try:
            while (step := self._instance.position.step) is not None:
                await self._instance.proceed()
                self._instance.continue_if_suggested()
                ending = await self._pass(step, self._steps[step])
                if ending is not None:
                    return ending
        except TimedOut:
            # What falls due during a pause happens behind it.
            await self._instance.resumed()
            return timed_out()
        return Ending("completed")

    async def _pass(self, name: str, step: Step) -> Ending | None:
        """Do one step; returns the ending where it is the last."""
        try:
            self._instance.come_to(name)
        except StepError as error:
            # Not to the error path: it may lead back here.
            return self._fail(name, {**step, "on_error": None}, error)
        try:
            passed = await self._kinds[step["kind"]](name, step)
        except StepError as error:
            return self._fail(name, step, error)
        self._instance.leave(step["kind"], passed.result, passed.following)
        return Ending("completed", passed.text) if passed.following is None else None

    def _fail(self, name: str, step: Step, error: StepError) -> Ending | None:
        """Take the step's error path, or end as failed."""
        described = error.describe(name)
        self._instance.last_error = described
        following = step.get("on_error")
        self._instance.leave(step["kind"], f"error {error.code}: {error.message}", following)
        if following is not None:
            return None
        visible = {field: described[field] for field in ("step", "code", "status", "message")}
        return Ending("failed", error.message, visible)

    async def _wait_for(self, name: str, step: Step) -> Passed:
        timeout = step.get("timeout")
        length = None
        if timeout is not None:
            field = f"steps.{name}.timeout.after"
            length = evaluate.duration(timeout["after"], self._instance.variables(), field)
        arrival = await Wait(
            self._instance,
            listens=step["events"],
            length=length,
            earlier=step.get("since") == "entry",
            summary=f"{name}: waits for {' or '.join(listen['event'] for listen in step['events'])}",
        ).over()
        if arrival is None:
            return Passed("timeout", timeout["next"] if timeout else None)
        return Passed(arrival.event.name, arrival.listen["next"])

    async def _wait(self, name: str, step: Step) -> Passed:
        if "for" in step:
            length = evaluate.duration(step["for"], self._instance.variables(), f"steps.{name}.wait.for")
            until = (self._instance.position.began or self._instance.now()) + length
        else:
            until = evaluate.instant(step["until"], self._instance.variables(), f"steps.{name}.wait.until")
        self._instance.inbox.discard()
        await sleep(self._instance, until, f"{name}: waits for time to pass")
        return Passed("waited", step["next"])

    async def _condition(self, name: str, step: Step) -> Passed:
        variables = self._instance.variables()
        for index, branch in enumerate(step["branches"]):
            if evaluate.condition(branch["when"], variables, f"steps.{name}.condition[{index}].when"):
                return Passed(f"branch {index + 1}", branch["next"])
        return Passed("else", step.get("else"))

    async def _split(self, name: str, step: Step) -> Passed:
        place = workflow.random().random() * 100 if step["by"] == "random" else self._sticky(name)
        for index, branch in enumerate(step["branches"]):
            place -= branch["share"]
            if place < 0 or index == len(step["branches"]) - 1:
                return Passed(f"branch {index + 1}", branch["next"])
        raise AssertionError("a split has branches")

    def _sticky(self, name: str) -> float:
        """Return where a profile falls between 0 and 100: the same whenever it comes to this step."""
        text = "\x00".join((self._instance.start.key, self._instance.definition["name"], name))
        digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        return int.from_bytes(digest, "big") / 2**64 * 100

    async def _call(self, name: str, step: Step) -> Passed:
        parameters = evaluate.parameters(step["with"], self._instance.variables(), f"steps.{name}.with")
        result = await call(self._instance, step["endpoint"], parameters)
        self._instance.keep(name, result)
        return Passed(str(result.get("status") or "ok"), step["next"])

    async def _set(self, name: str, step: Step) -> Passed:
        values = evaluate.template(step["values"], self._instance.variables(), f"steps.{name}.set")
        self._instance.keep(name, values, "expression")
        return Passed("set", step["next"])

    async def _end(self, name: str, step: Step) -> Passed:
        text = evaluate.text(step["outcome"], self._instance.variables(), f"steps.{name}.end")
        # What an expression gave may be a customer's data, which has no place in a trace.
        computed = isinstance(step["outcome"], str) and "${" in step["outcome"]
        return Passed("ended" if computed or not text else text, None, text)
