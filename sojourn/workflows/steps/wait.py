"""The step `wait`: lets time pass, for a length of time or until a moment."""

from __future__ import annotations

import re
from datetime import datetime

from sojourn.definitions.compiled import CompiledStep
from sojourn.workflows.engine import calendars, evaluate
from sojourn.workflows.engine.instance import Instance
from sojourn.workflows.engine.waiting import check_longest, sleep
from sojourn.workflows.steps.kind import Passed, StepKind, place


async def run(step: CompiledStep, instance: Instance) -> Passed:
    """Wait. Events that arrive meanwhile are only remembered."""
    # A wait that continues in a new run keeps its moment.
    until = instance.position.until or await _until(step, instance)
    instance.state.inbox.discard()
    await sleep(instance, until, f"{instance.position.step}: waits for time to pass")
    return Passed("waited", step["next"])


async def _until(step: CompiledStep, instance: Instance) -> datetime:
    """Return the moment at which the wait is over.

    Raises:
        StepError: It cannot be evaluated, or the wait would be too long.
    """
    timezone = instance.definition.get("timezone", "UTC")
    named = [timezone if "until_time" in step else None, step.get("until"), step.get("for")]
    await instance.profile.ensure(*named)
    variables = instance.variables()
    began = instance.position.began or instance.now()
    if "until_time" in step:
        zone = evaluate.zone(timezone, variables)
        with evaluate.explained(place(instance, "wait.until_time")):
            return calendars.next_time(began, step["until_time"], step.get("on"), zone)
    if "until" in step:
        field = place(instance, "wait.until")
        until = evaluate.instant(step["until"], variables, field)
        check_longest(instance, until - began, field)
        return until
    field = place(instance, "wait.for")
    length = evaluate.duration(step["for"], variables, field)
    check_longest(instance, length, field)
    return began + length


def check(step: CompiledStep) -> None:
    """Check that the step says how long it waits.

    Raises:
        KeyError: It has neither `for` nor `until` nor `until_time`.
        TypeError: A time of day or a day has the wrong type.
        ValueError: A time of day or a day is invalid.
    """
    if "for" not in step and "until_time" not in step:
        step["until"]
    if "until_time" in step and not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", step["until_time"]):
        raise ValueError("`until_time` must be a time of day such as 09:00")
    calendars.check_days(step.get("on"))


KIND = StepKind(run, ("next",), check=check)
