"""Messages to an instance: its start input and its events.

They are checked here and not by the data converter. If a converter rejects a start, the workflow runs forever; if it
rejects a signal, the signal is lost with a line in a log. So handlers accept any input, and these functions check it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from temporalio.exceptions import ApplicationError

from sojourn.contract import names
from sojourn.contract.json_values import deeper_than
from sojourn.workflows.engine import limits
from sojourn.workflows.engine.values import weight


@dataclass(frozen=True, slots=True)
class EventMessage:
    """An event as an instance receives it.

    Attributes:
        id: Its id; each id counts once.
        name: The event's name.
        time: When it happened, by the sender's clock.
        data: Its data, plain JSON.
    """

    id: str
    name: str
    time: datetime
    data: Any


@dataclass(frozen=True, slots=True)
class StartMessage:
    """The input of `sojourn.Journey`.

    Attributes:
        definition: The compiled journey, with its version.
        event: The event that the profile entered on.
        key: The profile key.
        mode: `live`, or the name of another kind of run.
        local_fetch: Run fetches as local activities. It is part of the start because replay must find the same.
        state: What an earlier run of this instance carried over; None in the first run.
        per: The instance's key within the profile, as the entry event has it; None if the journey has no `per`.
        clock: When a scenario begins this run (`sojourn.workflows.engine.clock`); None for live runs.
    """

    definition: dict[str, Any]
    event: EventMessage
    key: str
    mode: str
    local_fetch: bool
    state: dict[str, Any] | None
    clock: datetime | None = None
    per: str | int | float | None = None


class BadMessage(ValueError):
    """An invalid message. The text says what is wrong with it."""


def only(arguments: tuple[Any, ...]) -> Any:
    """Return the one argument of a handler.

    Handlers accept any number of arguments of any type: with a fixed signature, one argument too many would fail the
    workflow task forever.

    Raises:
        BadMessage: There is not exactly one argument.
    """
    if len(arguments) != 1:
        raise BadMessage(f"expected one JSON object, got {len(arguments)} arguments")
    return arguments[0]


def parse_time(value: Any, what: str) -> datetime:
    """Return an RFC 3339 text as a moment in UTC.

    Args:
        value: The text.
        what: The name of the field, for the error.

    Raises:
        BadMessage: It is not such a text, or has no offset.
    """
    try:
        parsed = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise BadMessage(f"`{what}` must be an RFC 3339 time such as 2026-05-01T09:30:00Z") from None
    if parsed.tzinfo is None:
        raise BadMessage(f"`{what}` has no offset: write Z or +02:00 at its end")
    try:
        return parsed.astimezone(UTC)
    except OverflowError:
        raise BadMessage(f"`{what}` is before the year 1 or after the year 9999 in UTC") from None


def parse_event(value: Any) -> EventMessage:
    """Check an event.

    Raises:
        BadMessage: What is wrong with it.
    """
    if not isinstance(value, dict):
        raise BadMessage("an event is a JSON object {id, name, time, data}")
    for field in ("id", "name"):
        if not isinstance(value.get(field), str) or not value[field]:
            raise BadMessage(f"`{field}` of the event must be a text that is not empty")
    if deeper_than(value, limits.EVENT_DEPTH):
        raise BadMessage(f"the event's data is nested more than {limits.EVENT_DEPTH} levels deep")
    if (size := weight(value)) > limits.EVENT_BYTES:
        raise BadMessage(
            f"the event has {size // 1024} kB; at most {limits.EVENT_BYTES // 1024} kB are allowed"
        )
    return EventMessage(value["id"], value["name"], parse_time(value.get("time"), "time"), value.get("data"))


def bad_input(error: BadMessage) -> ApplicationError:
    """Return the failure of a workflow whose input is invalid: no retry can cure it."""
    return ApplicationError(f"bad start input: {error}", type=names.ERROR_BAD_INPUT, non_retryable=True)
