"""The window of a call: how much time it has left over all its attempts.

Time is counted where the endpoint had it: in attempts, and in the pauses that were asked for between them.
Waiting for a worker is not counted, neither before the first attempt nor before another one, and an attempt
that died with its worker counts for nothing, since an outage of ours must not expire a send. So no two clocks
are ever compared.

What an attempt leaves for the next one travels in the heartbeat details of the activity, which reach
whichever worker gets the next attempt. Local activities have none; their attempts never leave the process,
whose memory serves instead.
"""

from __future__ import annotations

import random
import time
from collections import OrderedDict
from typing import Any

from temporalio import activity

from sojourn.activities.errors import TIMED_OUT, CallError
from sojourn.contract import names

MAX_ATTEMPTS = 4
"""The first attempt and three retries, if the activity's own retry policy does not say otherwise."""

_REMEMBERED = 10_000
"""Most local activities between two attempts whose windows a process remembers."""

_MARGIN = 0.05
"""Seconds that must remain after a pause for another attempt to make sense."""


class LocalMemory:
    """What the attempts of local activities leave for the next one, by run and activity id."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str | None, str], dict[str, Any]] = OrderedDict()

    def take(self, info: activity.Info) -> dict[str, Any]:
        """Return and forget what the attempt before left."""
        left = self._kept.pop((info.workflow_run_id, info.activity_id), {})
        # A first attempt after a lost workflow task starts afresh, whatever an older one has left.
        return left if info.attempt > 1 else {}

    def keep(self, info: activity.Info, left: dict[str, Any]) -> None:
        """Remember something for the next attempt."""
        self._kept[(info.workflow_run_id, info.activity_id)] = left
        if len(self._kept) > _REMEMBERED:
            self._kept.popitem(last=False)


class Window:
    """The time that one attempt has, and what comes after it. Made at the start of the attempt.

    Args:
        total: Seconds that all attempts have together.
        memory: Where local activities keep what they leave.
    """

    def __init__(self, total: float, memory: LocalMemory) -> None:
        self._info = activity.info()
        self._memory = memory
        left = memory.take(self._info) if self._info.is_local else _from_heartbeat(self._info)
        spent = left.get("spent", 0.0)
        missing = left.get("missing", 0)
        self._left = left
        self._missing = missing if isinstance(missing, int) else 0
        self._total = total
        self._spent = spent if isinstance(spent, (int, float)) else 0.0
        self._origin: tuple[str, int | None] | None = None
        if isinstance(left.get("code"), str):
            self._origin = (left["code"], left.get("status"))
        self._begun = time.monotonic()

    @property
    def attempt(self) -> int:
        """Which attempt this is, from 1. Those that met a worker without the function do not count."""
        return max(1, self._info.attempt - self._missing)

    def remaining(self) -> float:
        """Return the seconds that are left; never negative."""
        return max(0.0, self._total - self._used())

    def remaining_whole(self) -> float:
        """Return the seconds that all attempts from this one on have together, as it began."""
        return round(max(0.0, self._total - self._spent), 3)

    def attempts_left(self) -> int:
        """Return how many attempts there may be from this one on."""
        return max(1, self._allowed() - self.attempt + 1)

    def _allowed(self) -> int:
        policy = self._info.retry_policy
        return (policy.maximum_attempts if policy else 0) or MAX_ATTEMPTS

    def _used(self) -> float:
        return self._spent + time.monotonic() - self._begun

    def timed_out(self) -> CallError:
        """Return the error of an attempt that the end of the window cut off.

        It keeps the status of the attempt before, which is what really went wrong.
        """
        return self.behind(CallError(TIMED_OUT, f"no answer within {self._total:g} s"))

    def behind(self, failure: CallError) -> CallError:
        """Return the error of an attempt that was cut off or not made, with what went wrong at the one before."""
        if self._origin is None:
            return failure
        code, status = self._origin
        return CallError(
            failure.code, f"{failure.message}, after {code} at the attempt before", status=status
        )

    def after(self, failure: CallError) -> tuple[CallError, float | None]:
        """Decide what follows a failed attempt, and remember it for the next one.

        Args:
            failure: How the attempt failed.

        Returns:
            The error to report, and the seconds until the next attempt, or None if there is to be none.
        """
        if failure.code == names.MISSING_FUNCTION:
            return failure, self._until_function()
        if not failure.retryable or self.attempt >= self._allowed():
            return failure, None
        # Never sooner than our own pause; and a delay of nothing would mean the retry policy's to Temporal.
        delay = max(failure.retry_after or 0.0, self._backoff())
        if self._used() + delay + _MARGIN > self._total:
            wait = f"the other side asks to wait {delay:g} s" if failure.retry_after else "no time is left"
            message = f"{failure.message}; {wait}, and the window of {self._total:g} s is over before then"
            return CallError(TIMED_OUT, message, status=failure.status, body=failure.body), None
        left = {"spent": round(self._used() + delay, 3), "code": failure.code, "status": failure.status}
        left |= {"missing": self._missing} if self._missing else {}
        if self._info.is_local:
            self._memory.keep(self._info, left)
        else:
            activity.heartbeat(left)
        return failure, delay

    def _until_function(self) -> float | None:
        """Return the pause before another worker is asked that may have the Python function of the call.

        Like an outage of workers, this takes nothing of the window and has no end. A bounded number of attempts is not
        enough for that, so the first of them ends the activity, and the workflow starts it again without a bound.
        """
        policy = self._info.retry_policy
        if self._info.is_local or (policy is not None and policy.maximum_attempts):
            return None
        activity.heartbeat(self._left | {"missing": self._missing + 1})
        pause: float = min(30.0, 0.5 * 2 ** min(self._missing, 10)) * random.uniform(0.8, 1.2)  # noqa: S311
        return pause

    def _backoff(self) -> float:
        """Return the pause after this attempt: doubling, in proportion to the window, spread by a fifth."""
        first = min(0.5, max(0.1, self._total / 60))
        # Not for secrets: instances that failed together must not come back together.
        pause: float = first * 2 ** (self.attempt - 1) * random.uniform(0.8, 1.2)  # noqa: S311
        return pause


def _from_heartbeat(info: activity.Info) -> dict[str, Any]:
    details = info.heartbeat_details
    return details[0] if details and isinstance(details[0], dict) else {}
