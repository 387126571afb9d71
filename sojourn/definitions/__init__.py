"""What a journey is: events, sources, actions and journeys, read from files and checked."""

from __future__ import annotations

from sojourn.definitions.durations import parse_duration
from sojourn.definitions.hashing import content_hash
from sojourn.definitions.kinds.endpoint import EndpointDefinition
from sojourn.definitions.kinds.event import EventDefinition
from sojourn.definitions.kinds.journey import JourneyDefinition
from sojourn.definitions.kinds.profile import ProfileDefinition
from sojourn.definitions.problems import Problem
from sojourn.definitions.project import Project, load_project, load_texts
from sojourn.definitions.schema import json_schema

__all__ = [
    "EndpointDefinition",
    "EventDefinition",
    "JourneyDefinition",
    "Problem",
    "ProfileDefinition",
    "Project",
    "content_hash",
    "json_schema",
    "load_project",
    "load_texts",
    "parse_duration",
]
