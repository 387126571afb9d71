"""What `journey.defn` is told, checked, and as the compiled definition that is published."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from pydantic import ValidationError

from sojourn.definitions import limits
from sojourn.definitions.compiler import FORMAT, compile_dates
from sojourn.definitions.durations import STORED
from sojourn.definitions.endpoints import EndpointDefinition
from sojourn.definitions.journeys import JourneyHead
from sojourn.workflows.authoring.events import Event, spec_of
from sojourn.workflows.authoring.found import endpoints_in, events_in

Moment = str | date | datetime
ExitCriterion = str | type[Event] | tuple[str | type[Event], str]


@dataclass(frozen=True, slots=True)
class JourneySettings:
    """A Python journey, as its decorator was told.

    Attributes:
        head: Name, entry, rules and times, checked as a YAML journey's.
        entry: The class of the entry event.
        listens: Event classes that the code waits for beyond those that are found in it.
        body: The class of the journey.
        run: Its method that was marked with `journey.run`.
    """

    head: JourneyHead
    entry: type[Event]
    listens: tuple[type[Event], ...]
    body: type
    run: Callable[..., Any]

    @property
    def name(self) -> str:
        """The journey's name, which is its workflow type as well."""
        return self.head.name

    def events(self) -> list[type[Event]]:
        """Return the event classes that concern this journey: its entry and what it waits for."""
        found = {spec_of(event).name: event for event in [self.entry, *self.listens, *events_in(self.body)]}
        return list(found.values())

    def definition(self, endpoints: Mapping[str, EndpointDefinition] | None = None) -> dict[str, Any]:
        """Return the compiled definition, which is published and which instances start with.

        Args:
            endpoints: The project's endpoints by id, such as `source:crm.customer`. Those that the code names are
                written into it, so that a throttled one need not be found out at its first call.
        """
        head = self.head
        start, end = compile_dates(head)
        waits = {spec_of(event).name for event in [*self.listens, *events_in(self.body)]} - {head.entry.event}
        entry_again = spec_of(self.entry).name if self.entry in self.listens else None
        listens = waits | {item.event for item in head.exit_when} | ({entry_again} if entry_again else set())
        return {
            "format": FORMAT,
            "name": head.name,
            "workflow": head.name,
            "description": head.description,
            "timezone": head.timezone,
            "timeout": head.timeout,
            "call_timeout": head.call_timeout,
            "max_visits": limits.MAX_VISITS,
            "max_pending": limits.MAX_PENDING,
            "entry": {"event": head.entry.event},
            "reentry": {"allow": head.reentry.allow, "after": head.reentry.after},
            "start": start,
            "end": end,
            "exit_when": [{"event": item.event, "when": item.when} for item in head.exit_when],
            "listens": sorted(listens),
            "uses_since_entry": True,
            "first": None,
            "endpoints": endpoints_in(self.body, endpoints or {}),
            "steps": {},
        }


def read_settings(
    *,
    name: str,
    description: str | None,
    entry: type[Event],
    reentry: bool,
    reentry_after: timedelta,
    exit_when: Iterable[ExitCriterion],
    timezone: str,
    timeout: timedelta,
    call_timeout: timedelta,
    start: Moment | None,
    end: Moment | None,
) -> JourneyHead:
    """Check what `journey.defn` was told, by the rules of YAML journeys.

    Raises:
        ValueError: Something is not as it must be; the text names the argument.
    """
    document: dict[str, Any] = {
        "name": name,
        "description": description,
        "entry": {"event": spec_of(entry).name},
        "reentry": {"allow": reentry, "after": _seconds("reentry_after", reentry_after)},
        "timezone": timezone,
        "timeout": _seconds("timeout", timeout),
        "call_timeout": _seconds("call_timeout", call_timeout),
        "start": _moment(start),
        "end": _moment(end),
        "exit_when": [_criterion(item) for item in exit_when],
    }
    try:
        return JourneyHead.model_validate(document, context=STORED)
    except ValidationError as error:
        raise ValueError("; ".join(_explained(item) for item in error.errors())) from None


def _seconds(argument: str, value: timedelta) -> float:
    if not isinstance(value, timedelta):
        raise TypeError(
            f"{argument} is to be a timedelta, such as timedelta(days=1), and is {type(value).__name__}"
        )
    seconds = value.total_seconds()
    if seconds < 0:
        raise ValueError(f"{argument} is negative: write a timedelta that is not")
    return int(seconds) if seconds == int(seconds) else seconds


def _moment(value: Moment | None) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return value.isoformat()


def _criterion(item: ExitCriterion) -> dict[str, Any]:
    event, when = item if isinstance(item, tuple) else (item, None)
    name = event if isinstance(event, str) else spec_of(event).name
    return {"event": name, "when": when}


_ARGUMENTS = {"start": "start", "end": "end", "after": "reentry_after"}


def _explained(item: Any) -> str:
    place: Sequence[Any] = item["loc"]
    argument = _ARGUMENTS.get(str(place[-1]), str(place[0])) if place else "the journey"
    return f"{argument}: {item['msg']}"
