"""The twins of `tests/scenarios/reentrance`."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sojourn import Event, journey


class Visited(Event, name="visited", key="id"):
    """Somebody came."""

    id: Any = None
    tag: str = ""


async def linger(length: timedelta) -> str:
    """Stay for a while, and go."""
    with journey.step("linger"):
        await journey.sleep(length)
    return "gone"


@journey.defn(name="by-default", entry=Visited)
class ByDefault:
    """Who left may come again behind five minutes."""

    @journey.run
    async def run(self, event: Visited) -> str:
        """Walk through it."""
        await linger(timedelta(minutes=4))
        with journey.step("gone"):
            return "gone"


@journey.defn(name="once", entry=Visited, reentry=False)
class Once:
    """Nobody comes again."""

    @journey.run
    async def run(self, event: Visited) -> str:
        """Walk through it."""
        await linger(timedelta(minutes=4))
        with journey.step("gone"):
            return "gone"


@journey.defn(name="long", entry=Visited, reentry_after=timedelta(minutes=10))
class Long:
    """Behind a stay of an hour, the pause since the entry is over."""

    @journey.run
    async def run(self, event: Visited) -> str:
        """Walk through it."""
        await linger(timedelta(hours=1))
        with journey.step("gone"):
            return "gone"
