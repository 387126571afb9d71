"""From a checked journey to the compiled one: plain JSON, self-contained, every `next` resolved.

The compiled journey is the start input of an instance and stays with it to its end. `FORMAT` is raised when a change
of it needs other workflow code.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sojourn.definitions import limits
from sojourn.definitions.checks.profile_usage import profile_use
from sojourn.definitions.dates import parse_moment, zone
from sojourn.definitions.durations import whole
from sojourn.definitions.kinds.endpoint import EndpointDefinition
from sojourn.definitions.kinds.journey import CodeJourney, JourneyDefinition, JourneyHead
from sojourn.definitions.steps import (
    ActionStep,
    ConditionStep,
    EndStep,
    FetchStep,
    JumpStep,
    SetStep,
    SplitStep,
    Step,
    TimeConditionStep,
    UpdateProfileStep,
    WaitForStep,
    WaitStep,
)

FORMAT = 1
"""Version of the compiled form."""


def compile_journey(
    journey: JourneyDefinition,
    endpoints: Mapping[str, EndpointDefinition],
    most: limits.Limits = limits.DEFAULT_LIMITS,
) -> dict[str, Any]:
    """Return the compiled journey, as described in `docs/reference/definitions.md`.

    Args:
        journey: A journey without errors.
        endpoints: The project's endpoints by id, such as `source:crm.customer`.
        most: What the project may hold; an instance keeps the limits that it entered under.

    Returns:
        Plain JSON. Durations are seconds; expressions are text; templates are JSON with `${...}` in its texts.

    Raises:
        ValueError: The journey was not checked, and has a date or a kind of step that cannot be compiled.
    """
    start, end = compile_dates(journey)
    waits = [step for step in journey.steps.values() if isinstance(step, WaitForStep)]
    listens = {event.event for step in waits for event in step.wait_for}
    listens |= {criterion.event for criterion in journey.exit_when}
    code = journey if isinstance(journey, CodeJourney) else None
    listens |= set(code.listens) if code else set()
    order = list(journey.steps)
    following: Iterable[str | None] = [*order[1:], None] if order else []
    compiled = {
        "format": FORMAT,
        "name": journey.name,
        "description": journey.description,
        "timezone": journey.timezone,
        "timeout": whole(min(journey.timeout, most.timeout)),
        "call_timeout": whole(journey.call_timeout),
        "max_visits": limits.MAX_VISITS,
        "max_pending": limits.MAX_PENDING,
        "max_wait": whole(most.wait),
        # Without a second key it is left out: such journeys compile as before there were any.
        "entry": journey.entry.model_dump(exclude_none=True),
        "reentry": {"allow": journey.reentry.allow, "after": whole(journey.reentry.after)},
        "start": start,
        "end": end,
        "exit_when": [{"event": item.event, "when": item.when} for item in journey.exit_when],
        "listens": sorted(listens),
        "uses_since_entry": code is not None or any(step.since == "entry" for step in waits),
        "first": order[0] if order else None,
        "endpoints": _endpoints(journey, endpoints),
        "steps": {
            name: _step(step, after)
            for (name, step), after in zip(journey.steps.items(), following, strict=True)
        },
    }
    if code is not None:
        # Whatever its code asks of the profile: what that is, only a run of it shows.
        jumps = {"jumps": code.jumps} if code.jumps else {}
        return compiled | {
            "first": code.first,
            "workflow": code.workflow,
            "profile": {"attributes": None},
            **jumps,
        }
    profile = profile_use(compiled)
    # A journey that does not use it compiles as before there were profiles: the same version, not a new one.
    return compiled if profile is None else compiled | {"profile": profile}


def compile_dates(journey: JourneyHead) -> tuple[str | None, str | None]:
    """Return the first and the last moment of a journey's entries, as RFC 3339 text.

    Args:
        journey: Its dates are days or moments in its own time zone, or in UTC where that is an expression.

    Raises:
        ValueError: A date or the time zone is none.
    """
    where = zone("UTC" if "${" in journey.timezone else journey.timezone)
    start = parse_moment(journey.start, where) if journey.start else None
    end = parse_moment(journey.end, where, last=True) if journey.end else None
    return _moment(start), _moment(end)


def _moment(value: datetime | None) -> str | None:
    return value.isoformat().replace("+00:00", "Z") if value else None


def _endpoints(
    journey: JourneyDefinition, endpoints: Mapping[str, EndpointDefinition]
) -> dict[str, dict[str, Any]]:
    used = {}
    if isinstance(journey, CodeJourney):
        named = [
            *(f"source:{name}" for name in journey.sources),
            *(f"action:{name}" for name in journey.actions),
        ]
        used = {endpoints[key].name: (key, endpoints[key]) for key in named if key in endpoints}
    for step in journey.steps.values():
        if isinstance(step, FetchStep):
            used[step.fetch] = ("source", endpoints[f"source:{step.fetch}"])
        elif isinstance(step, ActionStep):
            used[step.action] = ("action", endpoints[f"action:{step.action}"])
    return {name: compile_endpoint(definition) for name, (_, definition) in sorted(used.items())}


def compile_endpoint(definition: EndpointDefinition) -> dict[str, Any]:
    """Return what a compiled journey says of an endpoint that it calls."""
    throttle = definition.throttle
    said = {"kind": definition.kind, "throttled": throttle is not None, "capped": definition.cap is not None}
    return said if throttle is None else {**said, "expire": whole(throttle.expire)}


def _step(step: Step, following: str | None) -> dict[str, Any]:
    onward = step.next or following
    compiled: dict[str, Any] = {"kind": step.kind, "label": step.label}
    if isinstance(step, WaitForStep):
        return compiled | _wait_for(step, onward)
    if isinstance(step, WaitStep):
        return compiled | _wait(step) | {"next": onward}
    if isinstance(step, ConditionStep):
        branches = [{"when": branch.when, "next": branch.next or onward} for branch in step.condition]
        return compiled | {"on_error": step.on_error, "branches": branches, "else": step.else_}
    if isinstance(step, TimeConditionStep):
        return compiled | _window(step) | {"next": onward, "else": step.else_}
    if isinstance(step, SplitStep):
        shares = [
            {"share": whole(branch.share), "next": branch.next or onward} for branch in step.split.branches
        ]
        return compiled | {"branches": shares, "by": step.split.by}
    if isinstance(step, FetchStep):
        return compiled | _call(step.fetch, step, onward)
    if isinstance(step, ActionStep):
        return compiled | _call(step.action, step, onward)
    if isinstance(step, SetStep):
        return compiled | {"values": step.set, "next": onward}
    if isinstance(step, UpdateProfileStep):
        return compiled | {"on_error": step.on_error, "values": step.update_profile, "next": onward}
    if isinstance(step, JumpStep):
        said = {"on_error": step.on_error, "journey": step.jump, "with": step.with_, "next": onward}
        return compiled | said
    if isinstance(step, EndStep):
        return compiled | {"outcome": step.end}
    raise AssertionError(f"{step.kind} steps are not compiled")


def _wait_for(step: WaitForStep, onward: str | None) -> dict[str, Any]:
    events = [
        {
            "event": event.event,
            "when": event.when,
            "next": None if event.restart else event.next or onward,
            "restart": event.restart,
        }
        for event in step.wait_for
    ]
    timeout = None
    if step.timeout:
        timeout = {"after": _span(step.timeout.after), "next": step.timeout.next or onward}
    return {"events": events, "timeout": timeout, "since": step.since}


def _wait(step: WaitStep) -> dict[str, Any]:
    wait = step.wait
    if wait.for_ is not None:
        return {"for": _span(wait.for_)}
    if wait.until_time is not None:
        return {"until_time": wait.until_time, "on": wait.on}
    return {"until": wait.until}


def _window(step: TimeConditionStep) -> dict[str, Any]:
    window = step.time_condition
    dates = window.dates
    return {
        "on_error": step.on_error,
        "hours": [list(pair) for pair in window.hours] if window.hours else None,
        "days": window.days,
        "from": dates.from_.strip() if dates and dates.from_ else None,
        "to": dates.to.strip() if dates and dates.to else None,
    }


def _span(value: float | str) -> float | str:
    return value if isinstance(value, str) else whole(value)


def _call(endpoint: str, step: FetchStep | ActionStep, onward: str | None) -> dict[str, Any]:
    return {"on_error": step.on_error, "endpoint": endpoint, "with": step.with_, "next": onward}
