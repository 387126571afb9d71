"""Settings of `journey.defn`: their checks, and the document that is published."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from pydantic import ValidationError

from sojourn.definitions import EndpointDefinition
from sojourn.definitions.compiler import compile_journey
from sojourn.definitions.durations import STORED
from sojourn.definitions.kinds.journey import CodeJourney
from sojourn.workflows.authoring.events import Event, expression_of, spec_of
from sojourn.workflows.authoring.source_ast import first_step
from sojourn.workflows.authoring.source_scan import awaited_in, calls_in, events_in, named

Moment = str | date | datetime
ExitCriterion = str | type[Event] | tuple[str | type[Event], str]


@dataclass(frozen=True, slots=True)
class JourneySettings:
    """The settings of a Python journey, which declare it as a document `journey: NAME`.

    Attributes:
        head: Name, entry, rules and times, checked as a YAML journey's.
        entry: The class of the entry event.
        awaited: Event classes that the code waits for beyond those that are found in it.
        body: The class of the journey.
        run: Its method that was marked with `journey.run`.
    """

    head: CodeJourney
    entry: type[Event]
    awaited: tuple[type[Event], ...]
    body: type
    run: Callable[..., Any]

    @property
    def file(self) -> str:
        """Path of its Python file."""
        return _place_of(self.body)[0]

    @property
    def line(self) -> int:
        """Its line in that file."""
        return _place_of(self.body)[1]

    @property
    def kind(self) -> str:
        """First key of its document."""
        return "journey"

    @property
    def name(self) -> str:
        """The journey's name, which is its workflow type as well."""
        return self.head.name

    @property
    def module(self) -> str:
        """Name of its Python module."""
        return self.body.__module__

    def events(self) -> list[type[Event]]:
        """Return the event classes that concern this journey: its entry and what it waits for."""
        found = {spec_of(event).name: event for event in [self.entry, *self.awaited, *events_in(self.body)]}
        return list(found.values())

    def model(self) -> CodeJourney:
        """Return the journey as it is published."""
        listens = {spec_of(event).name for event in events_in(self.body)} - {self.head.entry.event}
        # The code names the entry event in any case: it counts only if a wait names it.
        listens |= {spec_of(event).name for event in [*self.awaited, *awaited_in(self.body)]}
        calls = calls_in(self.body)
        found = {
            "first": first_step(self.body, self.run, _name_of),
            "listens": sorted(listens),
            "sources": sorted({name for kind, name in calls if kind == "source"}),
            "actions": sorted({name for kind, name in calls if kind == "action"}),
            "jumps": sorted({name for kind, name in calls if kind == "journey"}),
        }
        return self.head.model_copy(update=found)

    def document(self) -> dict[str, Any]:
        """Return the journey as a document of a project, plain JSON."""
        data = self.model().model_dump(mode="json", exclude_none=True, exclude={"name", "steps"})
        for place, field in ((data, "timeout"), (data, "call_timeout"), (data["reentry"], "after")):
            place[field] = f"{round(place[field] * 1000)}ms"
        return {"journey": self.name, **{key: value for key, value in data.items() if value != []}}

    def definition(self, endpoints: Mapping[str, EndpointDefinition] | None = None) -> dict[str, Any]:
        """Return the compiled definition that instances start with.

        Args:
            endpoints: The project's endpoints by id, such as `source:crm.customer`.
        """
        return compile_journey(self.model(), endpoints or {})


def read_settings(
    *,
    name: str,
    description: str | None,
    entry: type[Event],
    per: str | None,
    reentry: bool,
    reentry_after: timedelta,
    exit_when: Iterable[ExitCriterion],
    timezone: str,
    timeout: timedelta,
    call_timeout: timedelta,
    start: Moment | None,
    end: Moment | None,
) -> CodeJourney:
    """Check the arguments of `journey.defn` by the rules of YAML journeys.

    Raises:
        ValueError: Something is not as it must be; the text names the argument.
        TypeError: Something is of another type.
    """
    document: dict[str, Any] = {
        "name": name,
        "workflow": name,
        "description": description,
        "entry": {
            "event": spec_of(entry).name,
            "per": None if per is None else expression_of(entry, per, "per"),
        },
        "reentry": {"allow": reentry, "after": _seconds("reentry_after", reentry_after)},
        "timezone": timezone,
        "timeout": _seconds("timeout", timeout),
        "call_timeout": _seconds("call_timeout", call_timeout),
        "start": _moment(start),
        "end": _moment(end),
        "exit_when": [_criterion(item) for item in exit_when],
    }
    try:
        return CodeJourney.model_validate(document, context=STORED)
    except ValidationError as error:
        raise ValueError("; ".join(_explained(item) for item in error.errors())) from None


def _name_of(thing: Any) -> str | None:
    spec = getattr(thing, "__sojourn_event__", None)
    return spec.name if spec is not None else named(thing)


def _place_of(body: type) -> tuple[str, int]:
    # Not when the class is made: in Temporal's sandbox it is made anew for each instance.
    try:
        return inspect.getsourcefile(body) or "?", inspect.getsourcelines(body)[1]
    except (OSError, TypeError):
        return "?", 1


def _seconds(argument: str, value: timedelta) -> float:
    if not isinstance(value, timedelta):
        raise TypeError(
            f"{argument} must be a timedelta such as timedelta(days=1), not {type(value).__name__}"
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


def _explained(item: Any) -> str:
    place: Sequence[Any] = item["loc"]
    argument = "reentry_after" if "after" in place else str(place[0]) if place else "the journey"
    return f"{argument}: {item['msg']}"
