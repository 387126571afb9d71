"""The catalog, turned round: from an event's name to its check and the journeys that it concerns."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from sojourn import expressions
from sojourn.contract.event_result import Refusal
from sojourn.routing.event_check import EventCheck, UnusableDefinition
from sojourn.store import Catalog, JourneyRecord

_MOST_SUGGESTIONS = 500


@dataclass(frozen=True, slots=True)
class Listener:
    """What one event means to one journey.

    Attributes:
        record: The journey with its versions.
        entry: The event starts an instance of the newest version.
        versions: The versions that listen for it in a step or an exit criterion.
        per: Yields the journey's second key from an event's data, where it has one; it is the same in all versions.
    """

    record: JourneyRecord
    entry: bool
    versions: frozenset[int]
    per: expressions.Expression | None = None

    @property
    def name(self) -> str:
        """The journey's name."""
        return self.record.name

    @property
    def definition(self) -> dict[str, Any]:
        """The compiled definition that new entries get."""
        return self.record.latest.definition

    def listens(self, version: int) -> bool:
        """Say whether an instance of a version listens for the event. One of an unknown version may."""
        return version in self.versions or (bool(self.versions) and version not in self.record.versions)

    def shut(self, state: str) -> Refusal:
        """Return the refusal of a journey in a state in which it lets nobody in."""
        if state == "paused":
            return Refusal(
                self.name, "paused", f"{self.name} is paused: it lets nobody in until it is resumed"
            )
        return Refusal(self.name, "not_live", f"{self.name} is {state}: it lets nobody in")

    def door(self, arrived: datetime) -> Refusal | None:
        """Return why nobody may enter the journey at a moment, or None where they may."""
        state = self.record.state
        start, end = (_moment(self.definition, bound) for bound in ("start", "end"))
        # One that is finished because its end has passed goes on saying so.
        if state != "live" and not (state == "finished" and end is not None and arrived >= end):
            return self.shut(state)
        if start is not None and arrived < start:
            return Refusal(self.name, "outside_dates", f"{self.name} starts at {start.isoformat()}")
        if end is not None and arrived >= end:
            return Refusal(self.name, "outside_dates", f"{self.name} ended at {end.isoformat()}")
        return None


@dataclass(frozen=True, slots=True)
class EventPlan:
    """What to do with one kind of event.

    Attributes:
        name: The event's name.
        check: What it must be; None where this version of Sojourn cannot work with its definition.
        problem: Why not.
        listeners: The journeys that it concerns.
    """

    name: str
    check: EventCheck | None
    problem: str
    listeners: tuple[Listener, ...]

    @property
    def nobody(self) -> str:
        """What to tell the sender of an event that reached nobody."""
        if not self.listeners:
            return f"no journey starts on or listens for {self.name!r}"
        journeys = ", ".join(listener.name for listener in self.listeners)
        return f"journeys listen for {self.name!r} ({journeys}), but the profile is in none of them"


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do with each kind of event, as of one revision of the catalog."""

    catalog: Catalog
    events: dict[str, EventPlan] = field(default_factory=dict)

    @classmethod
    def of(cls, catalog: Catalog) -> Plan:
        """Make the plan of a catalog."""
        listeners: dict[str, list[Listener]] = {}
        broken: dict[str, str] = {}
        for record in catalog.journeys.values():
            per, problem = _second_key(record)
            for name, listener in _listeners(record, per).items():
                listeners.setdefault(name, []).append(listener)
                if problem:
                    broken[name] = problem
        plans = {}
        for name, definition in catalog.events.items():
            check, problem = _check(name, definition)
            if name in broken:
                check, problem = None, broken[name]
            plans[name] = EventPlan(name, check, problem, tuple(listeners.get(name, ())))
        return cls(catalog, plans)

    def unknown(self, name: str) -> str:
        """Return what to tell the sender of an event that is not defined."""
        known = list(self.events)
        near = difflib.get_close_matches(name[:128], known, n=1) if len(known) <= _MOST_SUGGESTIONS else []
        shown = repr(name if len(name) <= 128 else name[:127] + "…")
        return f"no event named {shown} is defined" + (f": did you mean {near[0]!r}?" if near else "")


def _check(name: str, definition: dict[str, Any]) -> tuple[EventCheck | None, str]:
    try:
        return EventCheck.of({**definition, "name": name}), ""
    except UnusableDefinition as error:
        return None, str(error)


def _second_key(record: JourneyRecord) -> tuple[expressions.Expression | None, str]:
    text = record.latest.definition["entry"].get("per")
    try:
        return None if text is None else expressions.compile(text), ""
    except ValueError as error:
        return None, f"the definition of the journey {record.name!r} cannot be used here: {error}"


def _listeners(record: JourneyRecord, per: expressions.Expression | None) -> dict[str, Listener]:
    versions: dict[str, set[int]] = {}
    for number, version in record.versions.items():
        for name in version.definition["listens"]:
            versions.setdefault(name, set()).add(number)
    entry = record.latest.definition["entry"]["event"]
    return {
        name: Listener(record, name == entry, frozenset(versions.get(name, ())), per)
        for name in {*versions, entry}
    }


@lru_cache(maxsize=1024)
def _parsed(text: str, zone: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        # A time zone that is an expression differs between profiles; the journey's own dates need one for all.
        moment = moment.replace(tzinfo=UTC if "${" in zone else ZoneInfo(zone))
    return moment


def has_ended(definition: dict[str, Any], moment: datetime) -> bool:
    """Say whether a journey's `end` has passed."""
    end = _moment(definition, "end")
    return end is not None and moment >= end


def _moment(definition: dict[str, Any], bound: str) -> datetime | None:
    text = definition.get(bound)
    return None if text is None else _parsed(text, definition.get("timezone") or "UTC")
