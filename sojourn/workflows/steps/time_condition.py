"""The step `time_condition`: branches on hours, days and dates in the journey's time zone."""

from __future__ import annotations

from datetime import date

from sojourn.definitions.compiled import CompiledStep
from sojourn.workflows.engine import calendars, evaluate
from sojourn.workflows.engine.instance import Instance
from sojourn.workflows.steps.kind import Passed, StepKind, place

_DAY = 24 * 60


async def run(step: CompiledStep, instance: Instance) -> Passed:
    """Compare the current time with the step's hours, days and dates."""
    timezone = instance.definition.get("timezone", "UTC")
    await instance.profile.ensure(timezone)
    zone = evaluate.zone(timezone, instance.variables())
    with evaluate.explained(place(instance, "time_condition")):
        within = calendars.in_window(instance.now(), step, zone)
    return Passed("true", step["next"]) if within else Passed("else", step.get("else"))


def check(step: CompiledStep) -> None:
    """Check hours, days and dates.

    Raises:
        TypeError: One of them has the wrong type.
        ValueError: One of them is invalid.
    """
    for start, end in step.get("hours") or []:
        if not 0 <= start < _DAY or not 0 <= end <= _DAY or start == end:
            raise ValueError("`hours` must be pairs of minutes of the day")
    calendars.check_days(step.get("days"))
    for field in ("from", "to"):
        if step.get(field) is not None and date.fromisoformat(step[field]).isoformat() != step[field]:
            raise ValueError(f"`{field}` must be a date such as 2026-12-31")


KIND = StepKind(run, ("next",), check=check)
