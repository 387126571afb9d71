"""What goes wrong with a Python function: when it is declared, and when it is called."""

from __future__ import annotations

import re
from datetime import timedelta

_CODE = re.compile(r"[a-z][a-z0-9_]{0,63}")
_LONGEST = 1000
OURS = frozenset({"capped", "expired", "expression", "timed_out"})
"""Codes with which Sojourn itself says something, and which would mislead from a function."""


class DefinitionError(ValueError):
    """A function cannot be a source or an action. The message says where, why, and what to write instead.

    Attributes:
        file: The Python file.
        line: The line of the function there, from 1.
        what: What is wrong, without a full stop at the end.
        hint: What to write instead, a sentence.
    """

    def __init__(self, file: str, line: int, what: str, hint: str) -> None:
        super().__init__(f"{what}. {hint} ({file}, line {line})")
        self.file = file
        self.line = line
        self.what = what
        self.hint = hint


class Failed(Exception):
    """Raised by a function: the call did not succeed, in a way that journeys are to know.

    It becomes `journey.last_error`, stays in Temporal's history, and stands in logs: a message holds no customer's
    data and no secret.

    Args:
        message: What happened, in a sentence. At most 1,000 characters are kept.
        code: What journeys branch on: lower-case letters, digits and `_`. `failed` if left out, or
            `http_<status>` where there is a status.
        status: The status of an HTTP answer that this is about.
        retry: Whether another attempt makes sense, within the window of the call.
        retry_after: Least pause before that attempt.

    Raises:
        ValueError: The code is none, or one of those that Sojourn gives itself.
    """

    def __init__(
        self,
        message: str,
        code: str | None = None,
        *,
        status: int | None = None,
        retry: bool = False,
        retry_after: timedelta | None = None,
    ) -> None:
        super().__init__(message)
        if code is None:
            code = "failed" if status is None else f"http_{status}"
        if not _CODE.fullmatch(code) or code in OURS:
            raise ValueError(
                f"{code!r} cannot be the code of an error: use lower-case letters, digits and '_', "
                f"and none of {', '.join(sorted(OURS))}"
            )
        self.message = message[:_LONGEST]
        self.code = code
        self.status = status
        self.retry = retry or retry_after is not None
        self.retry_after = retry_after
