"""Who is told of failed calls: what an operator wants to know of an endpoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from sojourn.activities.errors import CallError


@dataclass(frozen=True, slots=True)
class CallFailure:
    """One attempt of a call that failed. It holds no parameter, no answer and no profile.

    Attributes:
        kind: `source` or `action`.
        name: The endpoint's name.
        at: When it failed, UTC.
        code: The error code, such as `http_503`.
        status: The HTTP status, where an answer came.
        message: What happened, without a customer's data and without secrets.
        journey: The journey that called, where it is known.
        step: Its step, where it is known.
        attempt: Which attempt this was, from 1.
        final: Whether the call ended with it; otherwise another attempt follows.
    """

    kind: str
    name: str
    at: datetime
    code: str
    status: int | None
    message: str
    journey: str | None
    step: str | None
    attempt: int
    final: bool


class CallObserver(Protocol):
    """Is told of every failed attempt of a call, also of those that another attempt follows.

    A call that succeeds in the end leaves its failed attempts here: an endpoint that often needs a second attempt is
    what an operator wants to see before it needs a fifth.
    """

    def failed(self, failure: CallFailure) -> None:
        """Take note of a failure. Never blocks and never raises: the call goes on after it."""
        ...


def failure_of(
    kind: str, name: str, call: Mapping[str, Any], error: CallError, attempt: int, *, final: bool
) -> CallFailure:
    """Return what is told of a failed attempt: of the call only where it came from."""
    journey, step = call.get("journey"), call.get("step")
    return CallFailure(
        kind=kind,
        name=name,
        at=datetime.now(UTC),
        code=error.code,
        status=error.status,
        message=error.message,
        journey=None if journey is None else str(journey),
        step=None if step is None else str(step),
        attempt=attempt,
        final=final,
    )
