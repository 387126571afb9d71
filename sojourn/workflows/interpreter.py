"""Walking through the steps of a compiled definition."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from temporalio import workflow

from sojourn.workflows.engine import calendars, evaluate, jumping, splitting
from sojourn.workflows.engine.calling import call
from sojourn.workflows.engine.endings import Ending, StepError
from sojourn.workflows.engine.instance import Instance, TimedOut
from sojourn.workflows.engine.waiting import Wait, sleep, timed_out

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
            "time_condition": self._time_condition,
            "split": self._split,
            "fetch": self._call,
            "action": self._call,
            "set": self._set,
            "update_profile": self._update_profile,
            "jump": self._jump,
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
            length = await self._length(timeout["after"], field)
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
        # A wait that goes on in a new run keeps its moment.
        until = self._instance.position.until or await self._until(name, step)
        self._instance.inbox.discard()
        await sleep(self._instance, until, f"{name}: waits for time to pass")
        return Passed("waited", step["next"])

    async def _length(self, after: Any, field: str) -> timedelta:
        """Return how long a wait for events takes; computed once for each visit, also where a new run goes on with it.

        Raises:
            StepError: It cannot be evaluated, or the wait would be too long.
        """
        here = self._instance.position
        if here.length is None or not here.waits:
            await self._read_profile(after)
            length = evaluate.duration(after, self._instance.variables(), field)
            self._limit(length, field)
            here.length = length.total_seconds()
            return length
        return timedelta(seconds=here.length)

    async def _until(self, name: str, step: Step) -> datetime:
        """Return the moment at which a `wait` is over.

        Raises:
            StepError: It cannot be evaluated, or the wait would be too long.
        """
        zone = self._instance.definition.get("timezone", "UTC") if "until_time" in step else None
        named = [zone, step.get("until"), step.get("for")]
        await self._read_profile(*named)
        variables, field = self._instance.variables(), f"steps.{name}.wait"
        began = self._instance.position.began or self._instance.now()
        if "until_time" in step:
            place = evaluate.zone(self._instance.definition.get("timezone", "UTC"), variables)
            with evaluate.explained(f"{field}.until_time"):
                return calendars.next_time(began, step["until_time"], step.get("on"), place)
        if "until" in step:
            until = evaluate.instant(step["until"], variables, f"{field}.until")
            self._limit(until - began, f"{field}.until")
            return until
        length = evaluate.duration(step["for"], variables, f"{field}.for")
        self._limit(length, f"{field}.for")
        return began + length

    def _limit(self, length: timedelta, field: str) -> None:
        most = self._instance.definition.get("max_wait")
        if most is not None and length > timedelta(seconds=most):
            message = f"{field}: gave a wait of more than {most / 86_400:g} days, which is the longest"
            raise StepError("expression", message)

    async def _time_condition(self, name: str, step: Step) -> Passed:
        zone = self._instance.definition.get("timezone", "UTC")
        await self._read_profile(zone)
        place = evaluate.zone(zone, self._instance.variables())
        with evaluate.explained(f"steps.{name}.time_condition"):
            holds = calendars.in_window(self._instance.now(), step, place)
        return Passed("true", step["next"]) if holds else Passed("else", step.get("else"))

    async def _condition(self, name: str, step: Step) -> Passed:
        variables = self._instance.variables()
        for index, branch in enumerate(step["branches"]):
            when = branch["when"]
            if await self._read_profile(when=when):
                variables = self._instance.variables()
            if evaluate.condition(when, variables, f"steps.{name}.condition[{index}].when"):
                return Passed(f"branch {index + 1}", branch["next"])
        return Passed("else", step.get("else"))

    async def _split(self, name: str, step: Step) -> Passed:
        start, journey = self._instance.start, self._instance.definition["name"]
        if step["by"] == "random":
            place = workflow.random().random() * 100
        else:
            place = splitting.place_of(start.key, journey, name)
        index = splitting.branch_at(place, [branch["share"] for branch in step["branches"]])
        return Passed(f"branch {index + 1}", step["branches"][index]["next"])

    async def _call(self, name: str, step: Step) -> Passed:
        await self._read_profile(step["with"])
        parameters = evaluate.parameters(step["with"], self._instance.variables(), f"steps.{name}.with")
        result = await call(self._instance, step["endpoint"], parameters)
        if self._instance.definition["endpoints"][step["endpoint"]].get("throttled"):
            # It may have queued for hours.
            self._instance.profile.forget()
        self._instance.keep(name, result)
        return Passed(str(result.get("status") or "ok"), step["next"])

    async def _set(self, name: str, step: Step) -> Passed:
        await self._read_profile(step["values"])
        values = evaluate.template(step["values"], self._instance.variables(), f"steps.{name}.set")
        self._instance.keep(name, values, "expression")
        return Passed("set", step["next"])

    async def _update_profile(self, name: str, step: Step) -> Passed:
        await self._read_profile(step["values"])
        field = f"steps.{name}.update_profile"
        changes = evaluate.parameters(step["values"], self._instance.variables(), field)
        self._instance.show("writes the profile")
        await self._instance.profile.update(changes)
        return Passed("updated", step["next"])

    async def _jump(self, name: str, step: Step) -> Passed:
        data = self._instance.start.event.data
        if step["with"] is not None:
            await self._read_profile(step["with"])
            data = evaluate.parameters(step["with"], self._instance.variables(), f"steps.{name}.with")
        answer = await jumping.jump(self._instance, step["journey"], data)
        return Passed(jumping.described(answer), step["next"])

    async def _read_profile(self, *templates: Any, when: str | None = None) -> bool:
        """Read the profile where what is evaluated next names it; says whether that was so.

        Meanwhile the instance may have been paused, or an exit may have come: it does not go on before it may, and
        reads the profile again behind a pause.

        Args:
            templates: The templates that are evaluated next.
            when: The condition that is evaluated next.

        Raises:
            StepError: It cannot be read.
            TimedOut: The instance came to the end of its own time.
        """
        profile, read = self._instance.profile, False
        while profile.needed_by(when) or any(map(profile.needed_in, templates)):
            self._instance.show("reads the profile")
            await profile.read()
            read = True
            paused = self._instance.paused
            await self._instance.proceed()
            if not paused:
                break
        return read

    async def _end(self, name: str, step: Step) -> Passed:
        await self._read_profile(step["outcome"])
        text = evaluate.text(step["outcome"], self._instance.variables(), f"steps.{name}.end")
        # What an expression gave may be a customer's data, which has no place in a trace.
        computed = isinstance(step["outcome"], str) and "${" in step["outcome"]
        return Passed("ended" if computed or not text else text, None, text)
