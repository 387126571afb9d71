"""Says in the terminal of `dev` what fails in the developer's code: at once, once, and in few lines."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable

from sojourn.cli.dev.failures.pipe import Mishap
from sojourn.cli.output import counted
from sojourn.steering.stuck import NONDETERMINISM

MOST = 5
"""Mistakes told in full within `WITHIN` seconds; of others only the number is told."""

WITHIN = 10.0

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
"""Seconds between lines that sum up what is like something told before: the longer, the longer that lasts."""

NAMED = 3
"""Most instances that are named when they go on."""

_Mistake = tuple[str, int, str, str, str]


class Telling:
    """Tells each mistake once, names the first instance that it concerns, and counts the others.

    A mistake is told again of a worker that was started since: it has other code, and the mistake outlived that.

    Args:
        say: Says some lines.
        pause: Seconds before the first line that sums up.
    """

    def __init__(self, say: Callable[[str], None], *, pause: float = FIRST_PAUSE) -> None:
        self._say = say
        self._first = self._pause = pause
        self._met: dict[_Mistake, set[str | None]] = {}
        self._standing: set[str] = set()
        self._told: deque[float] = deque(maxlen=MOST)
        self._alike: Counter[str] = Counter()
        self._going_on: dict[str, list[str]] = {}
        self._untold = 0
        self._timer: asyncio.TimerHandle | None = None

    def take(self, mishap: Mishap) -> None:
        """Take note of something, and say it now or summed up soon. Called in the running event loop."""
        if mishap.what in {"goes_on", "failed"} and mishap.instance in self._standing:
            self._standing.discard(mishap.instance)
            self._going_on.setdefault(mishap.subject, []).append(mishap.instance)
            self._soon()
        if mishap.what == "goes_on":
            return
        if mishap.what == "stands" and mishap.instance is not None:
            self._standing.add(mishap.instance)
        self._mistake(mishap)

    def close(self) -> None:
        """Say what is still to be said."""
        if self._timer is not None:
            self._timer.cancel()
        self._sum_up()

    def _mistake(self, mishap: Mishap) -> None:
        place = mishap.place or ("" if mishap.code == NONDETERMINISM else mishap.message)
        mistake = (mishap.what, mishap.worker, mishap.subject, mishap.code, place)
        if (known := self._met.get(mistake)) is not None:
            # A function is retried, too, and which instance called it says nothing of its mistake.
            if mishap.what != "raised" and mishap.instance not in known:
                known.add(mishap.instance)
                self._alike[_alike(mishap)] += 1
                self._soon()
            return
        self._met[mistake] = {mishap.instance}
        now = time.monotonic()
        if len(self._told) == MOST and now - self._told[0] < WITHIN:
            self._untold += 1
            self._soon()
            return
        self._told.append(now)
        self._say(told(mishap))

    def _soon(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._pause, self._due)

    def _due(self) -> None:
        self._timer = None
        if self._sum_up():
            # What goes on and on is told ever more rarely; a quiet moment ends that.
            self._pause = min(self._pause * 2, LONGEST_PAUSE)
            self._soon()
        else:
            self._pause = self._first

    def _sum_up(self) -> bool:
        """Say what has come together, if anything has."""
        lines = [f"{counted(number, 'more instance')} {text}" for text, number in self._alike.items()]
        if self._untold:
            lines.append(
                f"{counted(self._untold, 'further mistake')} not shown: see .sojourn/logs/worker.log."
            )
        for journey, instances in self._going_on.items():
            if len(instances) > NAMED:
                lines.append(
                    f"{counted(len(instances), 'instance')} of {journey} that stood still: going on."
                )
            else:
                lines += [f"{instance} goes on." for instance in instances]
        self._alike, self._untold, self._going_on = Counter(), 0, {}
        if lines:
            self._say("\n".join(lines))
        return bool(lines)


def told(mishap: Mishap) -> str:
    """Return what is said of a mistake: what fails, where, and what to do."""
    where = f", at {mishap.place}" if mishap.place else ""
    source = f"\n    {mishap.source}" if mishap.place and mishap.source else ""
    look = f"`sojourn instances {mishap.instance}` shows more."
    if mishap.what == "raised":
        caller = f", called by {mishap.instance}" if mishap.instance else ""
        return (
            f"The {mishap.subject.replace(':', ' ', 1)} raised {mishap.message}{where}{caller}.{source}\n"
            "  Mend the file: it is loaded again when you save it, for the next attempt and later calls."
        )
    if mishap.what == "failed":
        return (
            f"{mishap.instance} has failed: {mishap.message}{where}.{source}\n"
            f"  {look} `on_error`, or `except journey.CallError` in Python, gives the journey another path."
        )
    if mishap.code == NONDETERMINISM:
        return (
            f"{mishap.instance} stands still: its code does not do again what the instance has done"
            f"{where}: {mishap.message}{source}\n"
            f"  Take the change back, or put it behind workflow.patched, and the instance goes on. {look}"
        )
    return (
        f"{mishap.instance} stands still: {mishap.message}{where}.{source}\n"
        f"  Mend the file: it is loaded again when you save it, and the instance goes on. {look}"
    )


def _alike(mishap: Mishap) -> str:
    doing = "failed" if mishap.what == "failed" else "standing still"
    where = f"at {mishap.place}" if mishap.place else f"with {mishap.code}"
    return f"of {mishap.subject} {doing} {where}."
