"""Documents as read: the source of each event, endpoint and profile with its model."""

from __future__ import annotations

from dataclasses import dataclass

from sojourn.definitions.documents.validate import Source
from sojourn.definitions.kinds.endpoint import EndpointDefinition
from sojourn.definitions.kinds.event import EventDefinition
from sojourn.definitions.kinds.profile import ProfileDefinition


@dataclass(slots=True)
class ReadEvent:
    """An event document; `model` is None if it does not have the shape of an event."""

    source: Source
    model: EventDefinition | None


@dataclass(slots=True)
class ReadEndpoint:
    """A document of a source or an action; `model` is None if it does not have the shape of one."""

    source: Source
    model: EndpointDefinition | None


@dataclass(slots=True)
class ReadProfile:
    """The document that describes profiles; `model` is None if it does not have the shape of one."""

    source: Source
    model: ProfileDefinition | None
