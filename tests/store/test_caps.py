"""Caps hold over all processes that share a database."""

from __future__ import annotations

import asyncio
import random

import pytest

from sojourn.definitions.durations import STORED
from sojourn.definitions.kinds.endpoint import Cap
from sojourn.limits.sliding_window import PER_PERIOD, Slots
from sojourn.store import Store, StoreUnavailable
from tests.store.databases import OpenStore


def cap(calls: int, per: float) -> Cap:
    """Return a cap; `per` is seconds."""
    return Cap.model_validate({"calls": calls, "per": per}, context=STORED)


HOUR = cap(100, 3600)


async def take(store: Store, limit: Cap, count: int, name: str = "act") -> int:
    """Ask for a number of calls at once; returns how many may be made."""
    return sum(await asyncio.gather(*(store.caps.take("action", name, limit) for _ in range(count))))


async def test_several_processes_take_together_as_many_as_allowed(open_store: OpenStore) -> None:
    """However they mix, the cap is used up exactly once, and each endpoint has its own."""
    stores = [await open_store() for _ in range(3)]
    taken = await asyncio.gather(*(take(store, HOUR, 80) for store in stores for _ in range(2)))
    assert sum(taken) == 100
    assert await take(stores[0], HOUR, 5) == 0
    assert await take(stores[1], HOUR, 150, "another") == 100


async def test_a_raised_cap_counts_at_once(open_store: OpenStore) -> None:
    """What was taken before counts towards the new one; a lowered one lets nothing through until it has room."""
    first, second = await open_store(), await open_store()
    assert await take(first, HOUR, 150) == 100
    assert await take(first, cap(130, 3600), 150) == 30
    assert await take(second, cap(50, 3600), 10) == 0
    # Twice the period: what was taken lately is still counted.
    assert await take(second, cap(140, 7200), 150) == 10


async def test_one_statement_takes_for_all_who_wait(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that makes many calls asks the database a few times, and not at all while the cap is full."""
    writes = 0
    write = store.database.write

    async def counted(work):  # type: ignore[no-untyped-def]
        nonlocal writes
        writes += 1
        return await write(work)

    monkeypatch.setattr(store.database, "write", counted)
    assert await take(store, HOUR, 90) == 90
    assert writes <= 2
    assert await take(store, HOUR, 90) == 10
    before = writes
    assert await take(store, HOUR, 90) == 0
    assert writes == before


async def test_without_a_database_nobody_knows(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """All who ask learn that it cannot be known; no call is let through on a guess, and the next question is new."""
    with monkeypatch.context() as patch:

        async def gone(work: object) -> None:
            raise StoreUnavailable("gone")

        patch.setattr(store.database, "write", gone)
        asked = (store.caps.take("action", "act", HOUR) for _ in range(3))
        answers = await asyncio.gather(*asked, return_exceptions=True)
        assert [type(answer) for answer in answers] == [StoreUnavailable] * 3
    assert await take(store, HOUR, 3) == 3


def test_no_stretch_of_time_holds_more_than_the_cap() -> None:
    """Wherever it begins; and a cap that is always full lets through nearly all that it allows."""
    chance = random.Random(4)
    for demand in (3, 30, 500):
        stored, made = None, []
        now = 1_000_000.0
        for _ in range(4_000):
            now += chance.expovariate(demand)
            slots = Slots(1.0, now, stored)
            made += [now] * slots.take(20, chance.choice((1, 1, 5)))
            stored = slots.dump()
        begin = 0
        for index, moment in enumerate(made):
            while made[begin] <= moment - 1.0:
                begin += 1
            assert index - begin < 20
        if demand == 500:
            assert len(made) >= 20 * (now - 1_000_000.0) * PER_PERIOD / (PER_PERIOD + 1) * 0.99


def test_a_full_cap_says_when_it_has_room() -> None:
    """Not a moment before it has, and then it has."""
    slots = Slots(10.0, 500.0)
    assert slots.take(5, 9) == 5
    later = 500.0 + slots.full_for()
    assert Slots(10.0, later - 0.01, slots.dump()).take(5, 1) == 0
    assert Slots(10.0, later + 0.01, slots.dump()).take(5, 9) == 5


def test_a_clock_that_was_set_back_does_not_block_for_longer_than_a_period() -> None:
    """What was counted in the future counts as of now."""
    slots = Slots(10.0, 100_000.0)
    slots.take(5, 5)
    back = Slots(10.0, 50_000.0, slots.dump())
    assert back.take(5, 1) == 0
    assert Slots(10.0, 50_011.0, back.dump()).take(5, 9) == 5


@pytest.mark.parametrize("stored", [None, {}, {"counts": 3}, [], {"width": 0.4, "counts": []}])
def test_nothing_kept_is_nothing_counted(stored: object) -> None:
    """A row that was just made is empty."""
    assert Slots(10.0, 5.0, stored).take(3, 4) == 3
