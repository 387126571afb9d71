"""What goes over the wire: requests and answers, whichever library carries them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

REDIRECTS = frozenset({301, 302, 303, 307, 308})
"""Statuses that lead to another URL."""


@dataclass(frozen=True)
class HttpRequest:
    """A request, ready to be sent.

    Attributes:
        method: In capitals.
        url: Complete and percent-encoded.
        headers: Names and values in order; both checked.
        body: What is sent, or None.
    """

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None


@dataclass(frozen=True)
class HttpResponse:
    """An answer, read to its end.

    Attributes:
        status: The HTTP status.
        headers: Names in lower case; the first value of each.
        body: The body, decompressed.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


def json_bytes(value: Any) -> bytes:
    """Return a JSON body: compact UTF-8, without NaN.

    Raises:
        ValueError: The value holds what JSON cannot.
    """
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
