"""What the log says of calls that fail."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Mapping
from typing import Any

from sojourn.activities.errors import CallError

logger = logging.getLogger("sojourn.activities")


def place(call: Mapping[str, Any]) -> str:
    """Return which step of which journey a call belongs to."""
    return f"journey {call.get('journey')}, step {call.get('step')}"


def trace(error: BaseException) -> str:
    """Return where an unexpected error was raised, without its message: that may hold data or a password."""
    return "".join([type(error).__name__, "\n", *traceback.format_tb(error.__traceback__)])


def log_failure(
    kind: str, name: str, call: Mapping[str, Any], failure: CallError, attempt: int, delay: float | None
) -> None:
    """Log a failed attempt: what, where and what next. No parameters, no answer, no profile."""
    level = logging.WARNING if failure.expected else logging.ERROR
    following = "given up" if delay is None else f"next attempt in {delay:.1f} s"
    extra = {"endpoint": name, "journey": call.get("journey"), "step": call.get("step"), "code": failure.code}
    text = "%s %s of %s failed at attempt %d: %s (%s); %s"
    logger.log(
        level, text, kind, name, place(call), attempt, failure.message, failure.code, following, extra=extra
    )
