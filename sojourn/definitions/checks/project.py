"""All checks of what was read, in one place."""

from __future__ import annotations

from sojourn.definitions.checks.endpoint import check_endpoint, check_event_document, check_profile_document
from sojourn.definitions.checks.journey import check_journey, links_of
from sojourn.definitions.checks.journey_expressions import (
    check_endpoint_expressions,
    check_event_expressions,
    check_journey_expressions,
)
from sojourn.definitions.checks.jumps import check_loops
from sojourn.definitions.documents.reading import Reading


def check(reading: Reading) -> None:
    """Report everything that is wrong with a project's definitions into `reading.problems`."""
    for event in reading.events.values():
        check_event_document(event)
        check_event_expressions(event, reading)
    if reading.profile is not None:
        check_profile_document(reading.profile)
    for endpoint in reading.endpoints.values():
        check_endpoint(endpoint)
        check_endpoint_expressions(endpoint)
    for journey in reading.journeys.values():
        check_journey(journey, reading)
        check_journey_expressions(journey, reading, links_of(journey))
    check_loops(reading)
