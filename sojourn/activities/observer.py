"""Who is told of failed calls: what an operator wants to know of an endpoint."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

from sojourn.activities.errors import CallError
from sojourn.contract.call_failure import CallFailure


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
