"""Requests that come at once are worked on together."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from sojourn.store import StoreUnavailable
from sojourn.store.batching import Coalescer


class Doubler:
    """Doubles numbers, and remembers in which batches."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []

    async def work(self, numbers: Sequence[int]) -> list[int]:
        """Double; -1 is poison, -2 finds the database gone."""
        self.batches.append(list(numbers))
        await asyncio.sleep(0.01)
        if -2 in numbers:
            raise StoreUnavailable("gone")
        if -1 in numbers:
            raise ValueError("poison")
        return [number * 2 for number in numbers]


async def test_what_comes_at_once_is_one_batch() -> None:
    """And what comes meanwhile is the next, in the order of asking."""
    doubler = Doubler()
    coalescer = Coalescer(doubler.work, limit=3)
    assert await asyncio.gather(*(coalescer.submit(number) for number in range(5))) == [0, 2, 4, 6, 8]
    assert doubler.batches == [[0, 1, 2], [3, 4]]


async def test_one_bad_request_spoils_only_itself() -> None:
    """The others of its batch are worked on again without it."""
    coalescer = Coalescer(Doubler().work)
    answers = await asyncio.gather(
        *(coalescer.submit(number) for number in (1, -1, 3)), return_exceptions=True
    )
    assert answers[0] == 2
    assert isinstance(answers[1], ValueError)
    assert answers[2] == 6


async def test_when_the_database_is_gone_everybody_learns_it_at_once() -> None:
    """The batch is not tried again, and the next one is tried afresh."""
    doubler = Doubler()
    coalescer = Coalescer(doubler.work)
    answers = await asyncio.gather(*(coalescer.submit(number) for number in (1, -2)), return_exceptions=True)
    assert all(isinstance(answer, StoreUnavailable) for answer in answers)
    assert len(doubler.batches) == 1
    assert await coalescer.submit(4) == 8


async def test_who_gives_up_does_not_hold_up_the_others() -> None:
    """A cancelled request is dropped from the next batch."""
    doubler = Doubler()
    coalescer = Coalescer(doubler.work, limit=1)
    first, second, third = (asyncio.create_task(coalescer.submit(number)) for number in (1, 2, 3))
    await asyncio.sleep(0)
    second.cancel()
    assert await first == 2
    assert await third == 6
    with pytest.raises(asyncio.CancelledError):
        await second
    assert doubler.batches == [[1], [3]]
    await coalescer.close()
