"""What a journey is: events, sources, actions and journeys, read from files and checked."""

from __future__ import annotations

from sojourn.definitions.durations import parse_duration
from sojourn.definitions.endpoints import EndpointDefinition
from sojourn.definitions.events import EventDefinition

__all__ = ["EndpointDefinition", "EventDefinition", "parse_duration"]
