"""Which caps and throttles make sense: said in the same words of those in files and of those that operators set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sojourn.definitions.durations import write_duration

MAX_CALLS = 10_000_000
"""Most calls that a limit may allow in its time; more is no limit, but a slip of the finger."""

LONGEST_PERIOD = 366 * 86_400
"""Seconds of the longest time for which a limit counts."""

SHORTEST_CAP = 0.1
"""Seconds of a cap's shortest period: calls are counted in a database, in parts of the period."""

SHORTEST_THROTTLE = 0.001
"""Seconds of a throttle's shortest period; what counts for it is the rate."""

FASTEST_THROTTLE = 5_000
"""Most calls a second of a throttle: more than one task queue of Temporal hands out reliably."""

SLOWEST_THROTTLE = 1 / 86_400
"""Fewest calls a second of a throttle: the server forgets when the last one was when it restarts."""

EXPIRE = (1, 90 * 86_400)
"""Shortest and longest time that a call may wait for its turn, in seconds."""

DEFAULT_EXPIRE = 6 * 3600
"""Seconds that a call waits for its turn where nobody says."""

_SHORTEST = {"cap": SHORTEST_CAP, "throttle": SHORTEST_THROTTLE}


@dataclass(frozen=True, slots=True)
class LimitProblem:
    """What is wrong with a limit.

    Attributes:
        field: `calls`, `per` or `expire`; empty where it is the limit as a whole.
        message: What is wrong.
        hint: What to write instead.
    """

    field: str
    message: str
    hint: str

    def __str__(self) -> str:
        """Return both as one text."""
        return f"{self.message}. {self.hint}"


SOURCE_THROTTLED = LimitProblem(
    "",
    "A source is not throttled: the journey waits for its answer",
    "Use `cap`: calls above it count as the error `capped`.",
)


def check_limit(limit: str, value: Mapping[str, Any]) -> LimitProblem | None:
    """Return what is wrong with a whole limit, or None.

    Args:
        limit: `cap` or `throttle`.
        value: `calls`, `per` in seconds and, of a throttle, `expire` in seconds or None.
    """
    found = check_calls(value.get("calls")) or check_period(limit, value.get("per"))
    if found is None and value.get("expire") is not None:
        if limit == "cap":
            hint = "Leave it out, or set a throttle."
            return LimitProblem("expire", "Calls above a cap do not wait, so they cannot expire", hint)
        found = check_expire(value["expire"])
    if found is None and limit == "throttle":
        found = check_rate(value["calls"] / value["per"])
    return found


def check_calls(calls: Any) -> LimitProblem | None:
    """Return what is wrong with a number of calls, or None."""
    if isinstance(calls, bool) or not isinstance(calls, int):
        return LimitProblem("calls", "The number of calls must be a whole number", "Write one, such as 100.")
    if not 1 <= calls <= MAX_CALLS:
        message = f"A limit lets through from 1 to {MAX_CALLS:,} calls in its time"
        hint = (
            "To stop all calls, pause the journeys."
            if calls < 1
            else "Write fewer; what takes more needs none."
        )
        return LimitProblem("calls", message, hint)
    return None


def check_period(limit: str, per: Any) -> LimitProblem | None:
    """Return what is wrong with the time for which a limit counts, or None. Seconds."""
    shortest = _SHORTEST[limit]
    if _within(per, shortest, LONGEST_PERIOD):
        return None
    shown = f"from {write_duration(shortest)} to {write_duration(LONGEST_PERIOD)}"
    hint = "Write a duration, such as 1s."
    if limit == "cap" and _within(per, 0, shortest) and per > 0:
        hint = "Write a longer `per`, and more `calls`: 50 in 10ms are 500 in 100ms."
    return LimitProblem("per", f"The period of a {limit} is {shown}", hint)


def check_expire(expire: Any) -> LimitProblem | None:
    """Return what is wrong with the time that a throttled call may wait, or None. Seconds."""
    if _within(expire, *EXPIRE):
        return None
    shown = f"from {write_duration(EXPIRE[0])} to {write_duration(EXPIRE[1])}"
    return LimitProblem("expire", f"A call may wait for its turn {shown}", "Write a duration, such as 6h.")


def check_rate(rate: float) -> LimitProblem | None:
    """Return what is wrong with the rate of a throttle in calls a second, or None."""
    if rate > FASTEST_THROTTLE:
        message = f"A throttle lets through at most {FASTEST_THROTTLE:,} calls a second"
        hint = "Write fewer `calls` or a longer `per`; an endpoint that takes more needs no throttle."
        return LimitProblem("", message, hint)
    if rate < SLOWEST_THROTTLE:
        message = "A throttle lets through at least one call a day"
        return LimitProblem("", message, "Write more `calls` or a shorter `per`, or use `cap`.")
    return None


def _within(value: Any, shortest: float, longest: float) -> bool:
    # Compared this way round, what is not a number (NaN) is refused as well.
    return isinstance(value, int | float) and not isinstance(value, bool) and shortest <= value <= longest
