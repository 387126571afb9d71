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
from sojourn.definitions.compiled import CompiledJourney
from sojourn.definitions.dates import parse_moment, zone
from sojourn.definitions.durations import whole
from sojourn.definitions.kinds.endpoint import EndpointDefinition
from sojourn.definitions.kinds.journey import CodeJourney, JourneyDefinition, JourneyHead

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
        ValueError: The journey was not checked, and has a date that cannot be compiled.
    """
    start, end = compile_dates(journey)
    steps = journey.steps.values()
    listens = {event for step in steps for event in step.listens()}
    listens |= {criterion.event for criterion in journey.exit_when}
    code = journey if isinstance(journey, CodeJourney) else None
    listens |= set(code.listens) if code else set()
    order = list(journey.steps)
    following: Iterable[str | None] = [*order[1:], None] if order else []
    compiled: CompiledJourney = {
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
        "uses_since_entry": code is not None or any(step.counts_earlier_events() for step in steps),
        "first": order[0] if order else None,
        "endpoints": _endpoints(journey, endpoints),
        "steps": {
            name: {"kind": step.kind, "label": step.label} | step.compile(step.next or after)
            for (name, step), after in zip(journey.steps.items(), following, strict=True)
        },
    }
    if code is not None:
        # Whatever its code asks of the profile: what that is, only a run of it shows.
        compiled["first"] = code.first
        compiled["workflow"] = code.workflow
        compiled["profile"] = {"attributes": None}
        if code.jumps:
            compiled["jumps"] = code.jumps
        return dict(compiled)
    profile = profile_use(compiled)
    # A journey that does not use it compiles as before there were profiles: the same version, not a new one.
    if profile is not None:
        compiled["profile"] = profile
    return dict(compiled)


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
        called = step.endpoint()
        if called is not None:
            used[endpoints[called].name] = (called, endpoints[called])
    return {name: compile_endpoint(definition) for name, (_, definition) in sorted(used.items())}


def compile_endpoint(definition: EndpointDefinition) -> dict[str, Any]:
    """Return what a compiled journey says of an endpoint that it calls."""
    throttle = definition.throttle
    said = {"kind": definition.kind, "throttled": throttle is not None, "capped": definition.cap is not None}
    return said if throttle is None else {**said, "expire": whole(throttle.expire)}
