"""What is published: the catalog that routing works from, kept in memory and replaced when it changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sojourn.contract.journey_states import JourneyState


@dataclass(frozen=True, slots=True)
class JourneyVersion:
    """One published version. It never changes.

    Attributes:
        version: Its number, from 1.
        definition: The compiled journey, with `version` in it.
        published_at: When it was published, UTC.
    """

    version: int
    definition: dict[str, Any]
    published_at: datetime


@dataclass(frozen=True, slots=True)
class JourneyRecord:
    """A journey and every version of it that was published.

    Attributes:
        name: The journey's name.
        state: The state of the newest version; those before it are closed.
        versions: By number, ascending.
    """

    name: str
    state: JourneyState
    versions: Mapping[int, JourneyVersion]

    @property
    def latest(self) -> JourneyVersion:
        """The newest version: the one that new entries get."""
        return self.versions[max(self.versions)]

    def version_state(self, version: int) -> JourneyState:
        """Return the state of one version: publishing closes the version before."""
        return self.state if version == max(self.versions) else "closed"


@dataclass(frozen=True, slots=True)
class OperatorLimits:
    """What an operator set for an endpoint, in force in place of what was published.

    Attributes:
        cap: `{"calls", "per"}`, seconds; None: as published.
        throttle: `{"calls", "per", "expire"}`, seconds; None: as published.
        changed_at: When it was set, UTC.
    """

    cap: dict[str, Any] | None
    throttle: dict[str, Any] | None
    changed_at: datetime

    def values(self) -> dict[str, Any]:
        """Return the limits that were set, by name."""
        both = {"cap": self.cap, "throttle": self.throttle}
        return {name: value for name, value in both.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Catalog:
    """All that was published, as of one revision. Immutable; a later revision is another object.

    Attributes:
        revision: Grows with every change.
        events: The stored JSON of each event definition, by name.
        endpoints: The JSON of each endpoint as it is to be called, by (kind, name): with the limits that
            operators set.
        journeys: By name, sorted: those of which a version was published.
        drafts: The next versions of journeys that nobody enters yet, by the journey's name, sorted.
        published_endpoints: The JSON of each endpoint as it was published, by (kind, name).
        limits: What operators set, by (kind, name).
        profile: The stored JSON of the document that describes profiles, where one was published.
    """

    revision: int
    events: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    endpoints: Mapping[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    journeys: Mapping[str, JourneyRecord] = field(default_factory=dict)
    published_endpoints: Mapping[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    limits: Mapping[tuple[str, str], OperatorLimits] = field(default_factory=dict)
    profile: Mapping[str, Any] | None = None
    drafts: Mapping[str, JourneyVersion] = field(default_factory=dict)

    @property
    def profile_schema(self) -> Mapping[str, Any] | None:
        """The JSON Schema of profiles' attributes, or None where all are allowed."""
        return None if self.profile is None else self.profile.get("schema")
