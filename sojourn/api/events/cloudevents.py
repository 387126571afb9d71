"""CloudEvents 1.0: the structured, the batched and the binary form.

Read by models of our own: the official SDK reads no batches, and makes up an id where one is missing, which
would defeat the recognition of resends.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from urllib.parse import unquote_to_bytes

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from sojourn.api.bodies import parse_json
from sojourn.api.problems.errors import ProblemError
from sojourn.contract.event_result import IncomingEvent, Violation
from sojourn.contract.incoming_event import (
    MAX_ID,
    Envelope,
    EnvelopeError,
    ShortText,
    Text,
    Time,
    check_numbers,
    explain,
    kind_of,
    no_control_characters,
    read_time,
    text_member,
)
from sojourn.contract.json_values import may_overflow as text_may_overflow

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"

_URI = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+")
_JSON_TYPE = re.compile(
    r"\s*(application|text)/json\s*(;.*)?|[^/;\s]+/[^/;\s]+\+json\s*(;.*)?", re.IGNORECASE
)
_EXTENSION = re.compile(r"[a-z0-9]+")
_PREFIX = b"ce-"
_REQUIRED = frozenset({b"ce-specversion", b"ce-id", b"ce-source", b"ce-type"})


def _uri(text: str) -> str:
    if not _URI.fullmatch(text):
        raise ValueError("is not a URI reference; escape other characters as %20, %C3%A9 and so on")
    return text


def _json_type(text: str) -> str:
    if not _JSON_TYPE.fullmatch(text):
        raise ValueError(f"is {text[:60]}, and journeys work on JSON; send application/json")
    return text


class CloudEvent(BaseModel):
    """A CloudEvent 1.0 in the JSON format. `type` is the event's name; extensions are not used."""

    model_config = ConfigDict(
        strict=True,
        extra="allow",
        json_schema_extra={
            "examples": [
                {
                    "specversion": "1.0",
                    "id": "evt-1",
                    "source": "/shop/carts",
                    "type": "cart.updated",
                    "time": "2026-03-01T10:00:00Z",
                    "datacontenttype": "application/json",
                    "data": {"customerId": "cust-1", "cartId": "cart-9", "items": [{"sku": "A-1"}]},
                }
            ]
        },
    )

    specversion: Literal["1.0"] = Field(description="The version of CloudEvents.")
    id: Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(no_control_characters)] = Field(
        description="Unique within `source`. Never made up."
    )
    source: Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(_uri)] = Field(
        description="Where the event comes from, a URI reference."
    )
    type: ShortText = Field(description="The event's name, such as `cart.updated`.")
    time: Time | None = Field(None, description="When it happened, RFC 3339 with an offset.")
    datacontenttype: Annotated[Text, AfterValidator(_json_type)] | None = Field(
        None, description="The type of `data`: JSON, which is also the default."
    )
    dataschema: Annotated[Text, AfterValidator(_uri)] | None = Field(
        None, description="Accepted and not used."
    )
    subject: Text | None = Field(None, description="Accepted and not used.")
    data: Any = Field(None, description="The event's data.")
    data_base64: str | None = Field(
        None, description="The event's data as base64 of JSON text, instead of `data`."
    )


_HINTS = {
    "specversion": 'write "1.0"',
    "id": "write the producer's id of the event: it is never made up",
    "source": "write where the event comes from, such as /shop/carts",
    "type": 'write the event\'s name, such as "cart.updated"',
    "time": "write RFC 3339 text, such as 2026-03-01T10:00:00Z",
}


def read_cloud_event(item: Any, *, may_overflow: bool) -> Envelope:
    """Read a CloudEvent from parsed JSON.

    Args:
        item: What was parsed. A member that is null counts as absent, as the standard says.
        may_overflow: Look for numbers that no double holds.

    Raises:
        EnvelopeError: It is none.
    """
    given = item
    if isinstance(item, dict):
        given = {key: value for key, value in item.items() if value is not None}
    try:
        read = CloudEvent.model_validate(given)
    except ValidationError as error:
        raise _refused(
            item, explain(error.errors(include_url=False), CloudEvent.model_fields, _HINTS)
        ) from None
    violations = _check_extensions(read)
    if violations:
        raise _refused(item, violations)
    data = read.data
    if read.data_base64 is not None:
        data = _decode(read, item)
    elif may_overflow:
        check_numbers(data, text_member(item, "id"), read.type)
    return _envelope(read, data)


def is_binary(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Say whether a request's headers make it a CloudEvent in binary form."""
    return any(name in _REQUIRED for name, _ in headers)


def read_binary(headers: Iterable[tuple[bytes, bytes]], data: Any, *, may_overflow: bool) -> Envelope:
    """Read a CloudEvent in binary form: the attributes from headers, the data from the body.

    Args:
        headers: The request's headers, names in lower case.
        data: The parsed body, None if there was none.
        may_overflow: Look for numbers that no double holds.

    Raises:
        EnvelopeError: It is none.
    """
    attributes: dict[str, Any] = {}
    violations = []
    for header, value in headers:
        if not header.startswith(_PREFIX):
            continue
        name = header[len(_PREFIX) :].decode("latin-1")
        if name in attributes:
            violations.append(Violation(f"/{name}", f"the header ce-{name} is there twice"))
        elif name in ("data", "data_base64", "datacontenttype"):
            violations.append(
                Violation(f"/{name}", f"is no header: leave ce-{name} out and use body and Content-Type")
            )
        try:
            attributes[name] = _unescape(value)
        except UnicodeDecodeError:
            violations.append(Violation(f"/{name}", f"the header ce-{name} is not UTF-8, %-encoded"))
    if violations:
        raise _refused(attributes, violations)
    attributes["data"] = data
    return read_cloud_event(attributes, may_overflow=may_overflow)


def _unescape(value: bytes) -> str:
    """Return a header's value, %-encoded as the HTTP binding demands; quotes around it are tolerated."""
    text = value.strip()
    if len(text) > 1 and text.startswith(b'"') and text.endswith(b'"'):
        text = re.sub(rb"\\(.)", rb"\1", text[1:-1])
    return unquote_to_bytes(text).decode("utf-8")


def _check_extensions(event: CloudEvent) -> list[Violation]:
    violations = []
    if event.data is not None and event.data_base64 is not None:
        violations.append(Violation("/data_base64", "stands beside data; send one of the two"))
    for name, value in (event.model_extra or {}).items():
        if not _EXTENSION.fullmatch(name):
            where = f"/{name.replace('~', '~0').replace('/', '~1')}"
            violations.append(
                Violation(
                    where, "is not an attribute of CloudEvents, whose names are lower-case letters and digits"
                )
            )
        elif not isinstance(value, str | bool | int):
            message = (
                f"must be a string, a boolean or a whole number, and is {kind_of(value)}; put it into data"
            )
            violations.append(Violation(f"/{name}", message))
    return violations


def _decode(event: CloudEvent, item: Any) -> Any:
    assert event.data_base64 is not None
    try:
        text = base64.b64decode(event.data_base64, validate=True)
        data = parse_json(text, "the data")
    except binascii.Error:
        raise _refused(item, [Violation("/data_base64", "is not base64")]) from None
    except ProblemError as error:
        raise _refused(
            item, [Violation("/data_base64", error.detail.replace("The body is", "What it holds is"))]
        ) from None
    if text_may_overflow(text):
        check_numbers(data, text_member(item, "id"), event.type)
    return data


def _refused(item: Any, violations: list[Violation]) -> EnvelopeError:
    return EnvelopeError(violations, text_member(item, "id"), text_member(item, "type"))


def _envelope(event: CloudEvent, data: Any) -> Envelope:
    # Only source and id together are unique. A source holds no space, so the two cannot run into each other.
    identity = f"{event.source} {event.id}"
    if len(identity) > MAX_ID:
        identity = "~" + hashlib.blake2b(identity.encode(), digest_size=32).hexdigest()
    moment = datetime.now(UTC) if event.time is None else read_time(event.time)
    return Envelope(IncomingEvent(identity, event.type, moment, data), event.id, event.source)
