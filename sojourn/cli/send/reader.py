"""Reading events from a file of JSON lines, a bounded number at a time."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, Any

MAX_LINE_BYTES = 900_000
"""A longer line would not fit into a request (1 MiB) with anything beside it."""


@dataclass
class BadLine:
    """A line that holds no event."""

    line: int
    message: str


@dataclass
class Batch:
    """Events that go into one request.

    Attributes:
        events: The events as the API takes them; each has an id.
        lines: The line number of each.
        unprotected: How many had no id of their own.
        bad: Lines among them that hold no event.
        bytes_read: How much of the file has been read up to the end of this batch.
    """

    events: list[dict[str, Any]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    unprotected: int = 0
    bad: list[BadLine] = field(default_factory=list)
    bytes_read: int = 0


def read_batches(file: IO[bytes], size: int, max_bytes: int = MAX_LINE_BYTES) -> Iterator[Batch]:
    """Read a file of JSON lines as batches. Empty lines are passed over.

    A line without an id gets a random one: within this run the batch can then be sent again safely, but
    another run would send another event.

    Args:
        file: Read line by line, so it may be larger than the memory.
        size: Most events in a batch.
        max_bytes: Most bytes of events in a batch.
    """
    batch, weight, read = Batch(), 0, 0
    for number, line in enumerate(file, start=1):
        read += len(line)
        text = line.strip()
        if number == 1:
            text = text.removeprefix(b"\xef\xbb\xbf")
        if not text:
            continue
        event = _event(text)
        if isinstance(event, str):
            batch.bad.append(BadLine(number, event))
            continue
        if batch.events and (len(batch.events) >= size or weight + len(text) > max_bytes):
            yield batch
            batch, weight = Batch(bytes_read=read), 0
        if event.get("id") is None:
            event["id"] = str(uuid.uuid4())
            batch.unprotected += 1
        batch.events.append(event)
        batch.lines.append(number)
        batch.bytes_read = read
        weight += len(text) + 64
    batch.bytes_read = read
    if batch.events or batch.bad:
        yield batch


def _event(text: bytes) -> dict[str, Any] | str:
    """Return the event that a line holds, or what is wrong with the line."""
    if len(text) > MAX_LINE_BYTES:
        return f"is {len(text):,} bytes long, and an event has at most {MAX_LINE_BYTES:,}"
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
    except UnicodeDecodeError:
        return "is not UTF-8"
    except json.JSONDecodeError as error:
        return f"is not JSON: {error.msg} at column {error.colno}"
    except (ValueError, RecursionError) as error:
        return f"is not JSON: {error}"
    if not isinstance(value, dict):
        return 'is no JSON object: an event looks like {"id": "e-1", "name": "cart.updated", "data": {...}}'
    if not isinstance(value.get("name"), str) and "specversion" not in value:
        return 'has no "name": it says which event this is'
    return value


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")
