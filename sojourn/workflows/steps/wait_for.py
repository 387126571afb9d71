"""The step `wait_for`: waits for events, with or without a timeout."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sojourn.definitions.compiled import CompiledStep
from sojourn.workflows.engine import evaluate
from sojourn.workflows.engine.instance import Instance
from sojourn.workflows.engine.waiting import Wait, check_longest
from sojourn.workflows.steps.kind import Obstacle, Passed, StepKind, Waiting, place


async def run(step: CompiledStep, instance: Instance) -> Passed:
    """Wait until an event fits, or the timeout is over."""
    timeout = step.get("timeout")
    length = None if timeout is None else await _length(timeout["after"], instance)
    arrival = await Wait(
        instance,
        listens=step["events"],
        length=length,
        earlier=step.get("since") == "entry",
        summary=f"{instance.position.step}: waits for {' or '.join(one['event'] for one in step['events'])}",
    ).over()
    if arrival is None:
        return Passed("timeout", timeout["next"] if timeout else None)
    return Passed(arrival.event.name, arrival.listen["next"])


async def _length(after: Any, instance: Instance) -> timedelta:
    """Return how long the wait takes. It is computed once for each visit, even if a new run continues the wait."""
    here = instance.position
    if here.length is None or not here.waits:
        field = place(instance, "timeout.after")
        await instance.profile.ensure(after)
        length = evaluate.duration(after, instance.variables(), field)
        check_longest(instance, length, field)
        here.length = length.total_seconds()
        return length
    return timedelta(seconds=here.length)


def can_move(waiting: Waiting) -> Obstacle | None:
    """Return why the wait cannot continue in another version: events that it lacks, or another timeout."""
    name, old, new, version = waiting.name, waiting.old, waiting.new, waiting.version
    lost = {listen["event"] for listen in old["events"]} - {listen["event"] for listen in new["events"]}
    if lost:
        shown = " and ".join(sorted(lost))
        return Obstacle("events", f"it waits at {name} for {shown}, for which version {version} does not")
    if (old.get("timeout") is None) != (new.get("timeout") is None):
        has = "has a timeout" if new.get("timeout") else "has no timeout"
        return Obstacle("timeout", f"{name} {has} in version {version}, and the wait began otherwise")
    return None


KIND = StepKind(run, ("events",), can_move=can_move)
