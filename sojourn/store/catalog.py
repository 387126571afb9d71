"""What is published: the catalog that routing works from, kept in memory and replaced when it changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

JourneyState = Literal["draft", "live", "paused", "closed", "stopped", "finished"]


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
class Catalog:
    """All that was published, as of one revision. Immutable; a later revision is another object.

    Attributes:
        revision: Grows with every change.
        events: The stored JSON of each event definition, by name.
        endpoints: The stored JSON of each endpoint, by (kind, name).
        journeys: By name, sorted.
    """

    revision: int
    events: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    endpoints: Mapping[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    journeys: Mapping[str, JourneyRecord] = field(default_factory=dict)
