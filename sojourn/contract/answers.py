"""What senders are told of an event: the same over HTTP and from the workflow `sojourn.Event`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sojourn.contract.event_result import EventResult
from sojourn.contract.incoming_event import Envelope, EnvelopeError


def answer(envelope: Envelope, result: EventResult | None) -> dict[str, Any]:
    """Return what became of an event as plain JSON.

    Args:
        envelope: The event.
        result: What routing said; nothing where it could not say.
    """
    event = envelope.event
    identity = (
        {"id": envelope.id} if envelope.source is None else {"id": envelope.id, "source": envelope.source}
    )
    return {
        **identity,
        "name": event.name,
        "status": "unavailable" if result is None else result.status,
        "protected": event.protected,
        "instances": [] if result is None else [instance.as_dict() for instance in result.instances],
        "refusals": [] if result is None else [_refusal(refusal.as_dict()) for refusal in result.refusals],
    }


def refused(error: EnvelopeError) -> dict[str, Any]:
    """Return what is said of something in a list that is no event."""
    return {
        "id": error.id,
        "name": error.name,
        "status": "refused",
        "protected": error.id is not None,
        "instances": [],
        "refusals": [
            {
                "journey": None,
                "reason": "invalid",
                "message": f"this is not an event: {error}",
                "violations": [violation.as_dict() for violation in error.violations],
            }
        ],
    }


def _refusal(refusal: Mapping[str, Any]) -> Mapping[str, Any]:
    # Routing points into the data, the answer into the event, so that all pointers start at one place.
    for violation in refusal.get("violations", ()):
        violation["path"] = f"/data{violation['path']}"
    return refusal
