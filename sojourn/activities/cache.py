"""Sharing results within a process: answers of data sources, and tokens."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Any

MAX_ENTRIES = 10_000
"""Most results that a process keeps. The one used longest ago goes first."""


class ResultCache:
    """Keeps results for some time, and makes one request of equal ones that come together.

    Args:
        clock: Seconds that only ever go forwards.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: OrderedDict[str, tuple[float, Any]] = OrderedDict()
        self._running: dict[str, asyncio.Task[Any]] = {}

    async def get(self, key: str, make: Callable[[], Awaitable[tuple[Any, float]]]) -> Any:
        """Return a kept result, or make one and keep it. Errors are not kept.

        Args:
            key: What the result belongs to.
            make: Makes the result and says for how many seconds it is kept. It runs in a task of its own, so
            that
                the first caller's cancellation does not take it away from those who wait with it.

        Raises:
            Exception: Whatever `make` raises, for everybody who waited for it.
        """
        found = self._kept.get(key)
        if found is not None and found[0] > self._clock():
            self._kept.move_to_end(key)
            return found[1]
        task = self._running.get(key)
        if task is None:
            task = asyncio.create_task(self._make(key, make))
            self._running[key] = task
            task.add_done_callback(lambda done: self._finished(key, done))
        return await asyncio.shield(task)

    def forget(self, key: str, value: Any) -> None:
        """Forget a result, unless another one has taken its place meanwhile."""
        found = self._kept.get(key)
        if found is not None and found[1] == value:
            del self._kept[key]

    async def _make(self, key: str, make: Callable[[], Awaitable[tuple[Any, float]]]) -> Any:
        result, seconds = await make()
        if seconds > 0:
            self._kept[key] = (self._clock() + seconds, result)
            self._kept.move_to_end(key)
            if len(self._kept) > MAX_ENTRIES:
                self._kept.popitem(last=False)
        return result

    def _finished(self, key: str, task: asyncio.Task[Any]) -> None:
        del self._running[key]
        if not task.cancelled():
            # Everybody who waited may have gone; asking keeps asyncio from complaining about it.
            task.exception()

    async def aclose(self) -> None:
        """Cancel what is running and forget everything."""
        running = list(self._running.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        self._kept.clear()
