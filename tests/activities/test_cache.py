from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from sojourn.activities.cache import MAX_ENTRIES, ResultCache


class Maker:
    """Makes numbered results, and counts how often it was asked."""

    def __init__(self, seconds: float = 10, wait: float = 0.0, fail: bool = False) -> None:
        self.made = 0
        self._seconds, self._wait, self._fail = seconds, wait, fail

    def __call__(self) -> Awaitable[tuple[Any, float]]:
        return self._make()

    async def _make(self) -> tuple[Any, float]:
        self.made += 1
        number = self.made
        await asyncio.sleep(self._wait)
        if self._fail:
            raise RuntimeError(f"failure {number}")
        return number, self._seconds


def clock(now: list[float]) -> Callable[[], float]:
    """A clock that a test moves."""
    return lambda: now[0]


async def test_results_are_kept_for_their_time() -> None:
    """A result serves until its seconds are over, not longer."""
    now, make = [0.0], Maker(seconds=10)
    cache = ResultCache(clock(now))
    assert [await cache.get("k", make), await cache.get("k", make)] == [1, 1]
    now[0] = 9.9
    assert await cache.get("k", make) == 1
    now[0] = 10.0
    assert await cache.get("k", make) == 2


async def test_concurrent_equal_look_ups_make_one_request() -> None:
    """Those who come while a result is being made wait for it."""
    cache, make = ResultCache(), Maker(wait=0.02)
    assert await asyncio.gather(*(cache.get("k", make) for _ in range(50))) == [1] * 50
    assert await cache.get("other", make) == 2


async def test_failures_are_shared_but_not_kept() -> None:
    """All who waited get the failure, and the next one tries again."""
    cache, make = ResultCache(), Maker(wait=0.01, fail=True)
    results = await asyncio.gather(*(cache.get("k", make) for _ in range(3)), return_exceptions=True)
    assert [str(result) for result in results] == ["failure 1"] * 3
    with pytest.raises(RuntimeError, match="failure 2"):
        await cache.get("k", make)


async def test_a_caller_that_goes_takes_nothing_away() -> None:
    """When the first caller is cancelled, the others still get the result."""
    cache, make = ResultCache(), Maker(wait=0.05)
    first = asyncio.create_task(cache.get("k", make))
    await asyncio.sleep(0)
    second = asyncio.create_task(cache.get("k", make))
    await asyncio.sleep(0)
    first.cancel()
    assert await second == 1
    assert make.made == 1


async def test_forgetting_spares_a_newer_result() -> None:
    """Of many callers who find the same result bad, only the first throws it away."""
    cache, make = ResultCache(), Maker()
    old = await cache.get("k", make)
    cache.forget("k", old)
    assert await cache.get("k", make) == 2
    cache.forget("k", old)
    assert await cache.get("k", make) == 2


async def test_the_cache_does_not_grow_without_end() -> None:
    """Above its limit, what was used longest ago goes."""
    cache, make = ResultCache(), Maker(seconds=1000)
    for number in range(MAX_ENTRIES):
        await cache.get(str(number), make)
    await cache.get("0", make)
    await cache.get("one more", make)
    assert await cache.get("0", make) == 1
    assert await cache.get("1", make) == MAX_ENTRIES + 2
