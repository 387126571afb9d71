"""Events and journeys as callers give them, for `sojourn.client` and `sojourn.external`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic_core import PydanticSerializationError, to_jsonable_python

from sojourn.contract import names
from sojourn.workflows.authoring.define import settings_of
from sojourn.workflows.authoring.events import Event, spec_of


def event_message(
    event: Event | str, data: Any, *, event_id: str, time: datetime, given: datetime | None
) -> dict[str, Any]:
    """Return an event as it is sent.

    Args:
        event: An instance of an event class, or a name.
        data: The data that belongs to a name.
        event_id: Its id.
        time: When it happened, if neither the caller nor the event says so.
        given: When it happened, as the caller says.

    Raises:
        TypeError: Name and data do not belong together, the data is not JSON, or a time has no zone.
    """
    if isinstance(event, Event):
        if data is not None:
            raise TypeError(f"{type(event).__name__} has its data: leave out data=…")
        name, plain = spec_of(type(event)).name, event.model_dump(mode="json", by_alias=True)
        given = given or event.event_time
    elif isinstance(event, str):
        name, plain = event, _plain(event, data)
    else:
        raise TypeError(
            f"{type(event).__name__} is no event: give an instance of an event class, or a name and data"
        )
    moment = given or time
    if moment.tzinfo is None:
        raise TypeError("the time of an event needs a time zone: datetime(…, tzinfo=UTC)")
    return {"id": event_id, "name": name, "time": moment.isoformat(), "data": plain}


def id_of(event: Event | str, given: str | None) -> str | None:
    """Return the id of an event that its sender or the event itself says."""
    return given or (event.event_id or None if isinstance(event, Event) else None)


def instance_of(journey: str | type, key: str, per: str | None, private: bool) -> str:
    """Return the workflow id of an instance.

    Args:
        journey: The journey's name, or the class of a Python journey.
        key: The profile key.
        per: The value of the journey's second key, where it has one.
        private: The deployment hashes keys.

    Raises:
        JourneyError: The class is no journey.
        ValueError: The name is none that a journey can have, or the key is empty.
    """
    name = journey if isinstance(journey, str) else settings_of(journey).name
    if not names.JOURNEY_NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name of a journey")
    if not key:
        raise ValueError("the profile key is empty")
    return names.workflow_id(name, key, per, private=private)


def _plain(name: str, data: Any) -> Any:
    try:
        return to_jsonable_python({} if data is None else data)
    except PydanticSerializationError as error:
        raise TypeError(f"the data of {name} is nothing that JSON can hold: {type(error).__name__}") from None
