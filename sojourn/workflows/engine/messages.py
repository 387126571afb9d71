"""What comes into an instance: its start input and its events, checked here and not by the data converter.

A converter that refuses a start leaves the workflow running for ever, and one that refuses a signal drops it with a
line in a log. So handlers take what comes, and these functions say what is wrong with it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from temporalio.exceptions import ApplicationError

from sojourn.contract import names
from sojourn.contract.json_values import deeper_than
from sojourn.contract.profile_keys import key_text
from sojourn.workflows import compiled_check
from sojourn.workflows.engine import limits
from sojourn.workflows.engine.values import weight

FORMAT = 1
"""The format of compiled definitions that this code interprets."""


@dataclass(frozen=True, slots=True)
class EventMessage:
    """An event as an instance receives it.

    Attributes:
        id: What makes it count once.
        name: The event's name.
        time: When it happened, as the sender says.
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
        mode: `live`, or what later kinds of run are called.
        local_fetch: Run fetches as local activities. Recorded with the start, since replay must find the same.
        state: What an earlier run of this instance carried over, or nothing.
        per: The value of the journey's second key, as the entry event has it; nothing where it has none.
        clock: The moment at which a scenario begins this run (`sojourn.workflows.engine.clock`); nothing for a live one.
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
    """A message that is not what it should be. The text says what is wrong with it."""


def only(arguments: tuple[Any, ...]) -> Any:
    """Return the one value that a handler was called with.

    Handlers take any number of arguments of any type: with a fixed signature, one argument too many would fail the
    workflow task for ever.

    Raises:
        BadMessage: There is not exactly one argument.
    """
    if len(arguments) != 1:
        raise BadMessage(f"one JSON object is wanted, {len(arguments)} arguments came")
    return arguments[0]


def parse_time(value: Any, what: str) -> datetime:
    """Return an RFC 3339 text as a moment in UTC.

    Raises:
        BadMessage: It is no text of that form, or names no offset.
    """
    try:
        parsed = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise BadMessage(f"`{what}` is to be an RFC 3339 time such as 2026-05-01T09:30:00Z") from None
    if parsed.tzinfo is None:
        raise BadMessage(f"`{what}` has no offset: write Z or +02:00 at its end")
    try:
        return parsed.astimezone(UTC)
    except OverflowError:
        raise BadMessage(f"`{what}` is before the year 1 or behind the year 9999 in UTC") from None


def parse_event(value: Any) -> EventMessage:
    """Check an event.

    Raises:
        BadMessage: What is wrong with it.
    """
    if not isinstance(value, dict):
        raise BadMessage("an event is a JSON object {id, name, time, data}")
    for field in ("id", "name"):
        if not isinstance(value.get(field), str) or not value[field]:
            raise BadMessage(f"`{field}` of the event is to be a text that is not empty")
    if deeper_than(value, limits.EVENT_DEPTH):
        raise BadMessage(f"the event's data is nested more than {limits.EVENT_DEPTH} levels deep")
    if (size := weight(value)) > limits.EVENT_BYTES:
        raise BadMessage(
            f"the event takes {size // 1024} kB and at most {limits.EVENT_BYTES // 1024} kB are taken"
        )
    return EventMessage(value["id"], value["name"], parse_time(value.get("time"), "time"), value.get("data"))


@lru_cache(maxsize=256)
def _check_definition(text: str) -> None:
    """Check that a compiled journey can be run: a mistake in it would fail the same workflow task for ever.

    Kept by text, so that a worker checks each version once.

    Raises:
        BadMessage: What is wrong with it.
    """
    problem = compiled_check.problem(json.loads(text))
    if problem is not None:
        raise BadMessage(f"`definition` cannot be run by this worker: {problem}")


def parse_definition(definition: Any) -> dict[str, Any]:
    """Check a compiled journey.

    Raises:
        BadMessage: It cannot be run by this worker; the text says why.
    """
    if not isinstance(definition, dict) or not {"name", "version", "first", "steps"} <= definition.keys():
        raise BadMessage("`definition` is to be a compiled journey with its version")
    if definition.get("format") != FORMAT:
        raise BadMessage(
            f"`definition` has format {definition.get('format')!r}; this worker knows format {FORMAT}: update it"
        )
    _check_definition(json.dumps(definition))
    return definition


def parse_start(value: Any) -> StartMessage:
    """Check the input of a start.

    Raises:
        BadMessage: What is wrong with it.
    """
    if not isinstance(value, dict):
        raise BadMessage("the input is a JSON object {definition, event, key}")
    definition = parse_definition(value.get("definition"))
    if not isinstance(value.get("key"), str) or not value["key"]:
        raise BadMessage("`key` is to be the profile key, a text that is not empty")
    per = value.get("per")
    if per is not None and key_text(per) is None:
        raise BadMessage("`per` is to be a value of the second key, a text that is not empty or a number")
    return StartMessage(
        definition=definition,
        event=parse_event(value.get("event")),
        key=value["key"],
        mode=str(value.get("mode", "live")),
        local_fetch=value.get("local_fetch", True) is not False,
        state=value.get("state"),
        clock=None if value.get("clock") is None else parse_time(value["clock"], "clock"),
        per=per,
    )


def bad_input(error: BadMessage) -> ApplicationError:
    """Return the failure of a workflow whose input is bad: no retry can mend it."""
    return ApplicationError(f"bad start input: {error}", type=names.ERROR_BAD_INPUT, non_retryable=True)
