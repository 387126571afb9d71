"""The record of a failed attempt of a call: made in a worker, kept in the database, shown to operators."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class CallFailure:
    """One attempt of a call that failed. It holds no parameter, no answer and no profile.

    Attributes:
        kind: `source` or `action`.
        name: The endpoint's name.
        at: When it failed, UTC.
        code: The error code, such as `http_503`.
        status: The HTTP status, if an answer came.
        message: What happened, without a customer's data and without secrets.
        journey: The journey that called, if it is known.
        step: Its step, if it is known.
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
