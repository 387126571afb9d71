"""Events as senders write them: Sojourn's own form, and what is wrong with one in plain words."""

from __future__ import annotations

import difflib
import re
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from sojourn.contract.event_result import IncomingEvent, Violation
from sojourn.contract.json_values import find_infinite, pointer

MAX_ID = 255
"""Most characters of an event id: what the database keeps."""

_RFC_3339 = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?P<offset>[Zz]|[+-]\d\d:\d\d)?", re.ASCII
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def read_time(text: str) -> datetime:
    """Return the aware datetime that an RFC 3339 text means. Digits beyond microseconds are dropped.

    Raises:
        ValueError: It is not one, or says no offset from UTC; the message says what to write.
    """
    match = _RFC_3339.fullmatch(text)
    if match is None:
        raise ValueError(
            f"{text[:40]!r} is not a time; write date, time and offset, such as 2026-03-01T10:00:00Z"
        )
    if match["offset"] is None:
        raise ValueError(f"{text} says no offset from UTC; write {text}Z if it is UTC, or {text}+01:00")
    try:
        moment = datetime.fromisoformat(text.upper())
        moment.astimezone(UTC)  # The first and last hours of the calendar have no time in UTC.
    except (ValueError, OverflowError):
        raise ValueError(f"{text} is no time of the calendar") from None
    return moment


def _check_time(text: str) -> str:
    read_time(text)
    return text


def no_control_characters(text: str) -> str:
    """Return a text as it is.

    Raises:
        ValueError: It holds control characters, which neither logs nor databases take well.
    """
    if _CONTROL.search(text):
        raise ValueError("must hold no control characters")
    return text


Time = Annotated[str, AfterValidator(_check_time), Field(json_schema_extra={"format": "date-time"})]
Text = Annotated[str, Field(min_length=1), AfterValidator(no_control_characters)]
ShortText = Annotated[str, Field(min_length=1, max_length=MAX_ID), AfterValidator(no_control_characters)]


class EventIn(BaseModel):
    """An event: something that happened to a profile, or to the business."""

    model_config = ConfigDict(
        strict=True,
        extra="forbid",
        title="Event",
        json_schema_extra={
            "examples": [
                {
                    "id": "evt-1",
                    "name": "cart.updated",
                    "time": "2026-03-01T10:00:00Z",
                    "data": {"customerId": "cust-1", "cartId": "cart-9", "items": [{"sku": "A-1"}]},
                }
            ]
        },
    )

    id: ShortText | None = Field(
        None,
        description="The sender's id of the event. Sending the same id again is recognised. "
        "Without one the event gets one, and is not protected.",
    )
    name: ShortText = Field(description="Which event it is.")
    time: Time | None = Field(
        None, description="When it happened, RFC 3339 with an offset. The time of arrival if left out."
    )
    data: Any = Field(description="The event's own data, which its definition's schema describes.")


@dataclass(frozen=True, slots=True)
class Envelope:
    """An event that was read, with what its sender calls it.

    Attributes:
        event: What routing gets.
        id: The sender's id, or the one that was made up.
        source: A CloudEvent's source, which makes its id unique; None for others.
    """

    event: IncomingEvent
    id: str
    source: str | None = None


class EnvelopeError(Exception):
    """What was sent is not an event.

    Attributes:
        violations: What is wrong, where; at least one. Paths are JSON pointers into the event.
        id: Its id, where that much could be read.
        name: Its name, likewise.
    """

    def __init__(self, violations: Sequence[Violation], event_id: str | None, name: str | None) -> None:
        super().__init__(
            "; ".join(f"{violation.path or 'the event'}: {violation.message}" for violation in violations)
        )
        self.violations = list(violations)
        self.id = event_id
        self.name = name


def read_event(item: Any, *, may_overflow: bool) -> Envelope:
    """Read an event in Sojourn's own form from parsed JSON.

    Args:
        item: What was parsed.
        may_overflow: Look for numbers that no double holds.

    Raises:
        EnvelopeError: It is none.
    """
    try:
        read = EventIn.model_validate(item)
    except ValidationError as error:
        violations = explain(error.errors(include_url=False), EventIn.model_fields, _HINTS)
        if isinstance(item, dict) and "specversion" in item:
            hint = "this is a CloudEvent; send it with Content-Type: application/cloudevents+json"
            violations = [Violation("/specversion", hint)]
        raise EnvelopeError(violations, text_member(item, "id"), text_member(item, "name")) from None
    if may_overflow:
        check_numbers(read.data, read.id, read.name)
    now = datetime.now(UTC) if read.time is None else read_time(read.time)
    event_id = str(uuid.uuid4()) if read.id is None else read.id
    return Envelope(IncomingEvent(event_id, read.name, now, read.data, read.id is not None), event_id)


def check_numbers(data: Any, event_id: str | None, name: str | None) -> None:
    """Raise `EnvelopeError` if the data holds a number that no double holds."""
    path = find_infinite(data, "/data")
    if path is not None:
        raise EnvelopeError(
            [Violation(path, "is a number too large for a double; send it as a string")], event_id, name
        )


def text_member(item: Any, key: str) -> str | None:
    """Return a member of a parsed object if it is a text that an answer may repeat."""
    value = item.get(key) if isinstance(item, dict) else None
    return value if isinstance(value, str) and len(value) <= MAX_ID else None


_HINTS = {
    "name": 'write the event\'s name, such as "cart.updated"',
    "data": "write the event's data, an object; {} if there is none",
    "id": 'write it in quotes, such as "42"',
    "time": "write RFC 3339 text, such as 2026-03-01T10:00:00Z",
}

_KINDS = (
    (bool, "a boolean"),
    (str, "a string"),
    ((int, float), "a number"),
    (list, "a list"),
    (dict, "an object"),
)


def kind_of(value: Any) -> str:
    """Return what a JSON value is, in words."""
    return next((words for kind, words in _KINDS if isinstance(value, kind)), "null")


def explain(
    errors: Iterable[ErrorDetails], fields: Iterable[str], hints: dict[str, str], path: str = ""
) -> list[Violation]:
    """Return pydantic's errors in plain words.

    Args:
        errors: What pydantic says.
        fields: The fields that there are, to suggest one for a name that is none.
        hints: What to write instead, by field.
        path: JSON pointer to put in front.
    """
    known = list(fields)
    return [_violation(error, known, hints, path) for error in errors]


def _violation(error: ErrorDetails, fields: list[str], hints: dict[str, str], path: str) -> Violation:
    for part in error["loc"]:
        path = pointer(path, part)
    name = str(error["loc"][-1]) if error["loc"] else ""
    hint = hints.get(name)
    match error["type"]:
        case "missing":
            message = "is missing"
        case "extra_forbidden":
            near = difflib.get_close_matches(name, fields, 1)
            message = "is not a field here"
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(fields)}"
        case "string_type" | "model_type" | "dict_type" | "bool_type":
            message = f"must be {_WANTED[error['type']]}, and is {kind_of(error['input'])}"
        case "string_too_short":
            message = "must not be empty"
        case "string_too_long":
            message, hint = f"must have at most {error['ctx']['max_length']:,} characters", None
        case "literal_error":
            message = f"must be {error['ctx']['expected']}".replace("'", '"')
            hint = None
        case "value_error":
            message, hint = str(error["ctx"]["error"]), None
        case _:
            message = error["msg"][:1].lower() + error["msg"][1:]
    return Violation(path, f"{message}; {hint}" if hint else message)


_WANTED = {
    "string_type": "a string",
    "model_type": "an object",
    "dict_type": "an object",
    "bool_type": "a boolean",
}
