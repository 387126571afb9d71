"""The entry ledger: of any number of claims to an entry, one gets it, and nothing is lost when its holder dies."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sojourn.store import Store
from sojourn.store.entries.records import (
    Adopt,
    Claim,
    Close,
    Confirm,
    Entry,
    Handle,
    Release,
    RollBack,
    Verdict,
    event_key,
)
from tests.store.databases import OpenStore

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def claim(event: str = "e1", *, profile: str = "ada", at: datetime = NOON, **more: Any) -> Claim:
    """A claim to an entry into `welcome`, where re-entry is allowed after an hour."""
    rule = {"allow": True, "after": 3600.0, **more}
    return Claim("welcome", profile, event, f"welcome:{profile}", 3, at, **rule)


async def enter(store: Store, event: str = "e1", **more: Any) -> Entry:
    """Reserve an entry and confirm it."""
    verdict = await store.ledger.reserve(claim(event, **more))
    assert verdict.kind == "reserved"
    assert verdict.entry is not None
    assert await store.ledger.write(Confirm(verdict.entry, NOON))
    return verdict.entry


async def stored(store: Store, profile: str = "ada") -> Entry | None:
    """The entry as the database has it."""
    return (await store.ledger.look("welcome", profile)).entry


async def test_a_first_claim_is_granted_and_confirmed(store: Store) -> None:
    """What is read back is what was claimed, then as an entry of which the event is handled."""
    verdict = await store.ledger.reserve(claim())
    assert verdict.entry is not None
    assert (
        await stored(store)
        == verdict.entry
        == replace(_entry("e1"), reserved=True, token=verdict.entry.token)
    )
    assert await store.ledger.write(Confirm(verdict.entry, NOON))
    look = await store.ledger.look("welcome", "ada", "e1")
    assert (look.entry, look.handled) == (_entry("e1"), True)
    assert not (await store.ledger.look("welcome", "ada", "e2")).handled


async def test_of_fifty_claims_at_once_one_is_granted(open_store: OpenStore) -> None:
    """Two processes, one customer, fifty events: the others are told to wait."""
    stores = [await open_store(), await open_store()]
    claims = (stores[turn % 2].ledger.reserve(claim(f"e{turn}")) for turn in range(50))
    kinds = [verdict.kind for verdict in await asyncio.gather(*claims)]
    assert sorted(kinds) == ["busy"] * 49 + ["reserved"]


async def test_of_fifty_claims_to_come_back_one_is_granted(open_store: OpenStore) -> None:
    """The same for a customer who has been there before, where a row exists already."""
    stores = [await open_store(), await open_store()]
    await stores[0].ledger.write(Close(await enter(stores[0], "e0")))
    later = NOON + timedelta(hours=2)
    claims = (stores[turn % 2].ledger.reserve(claim(f"e{turn}", at=later)) for turn in range(1, 51))
    kinds = [verdict.kind for verdict in await asyncio.gather(*claims)]
    assert sorted(kinds) == ["busy"] * 49 + ["reserved"]


async def test_many_customers_in_two_processes_at_once(open_store: OpenStore) -> None:
    """Overlapping batches in opposite orders neither block each other nor grant anything twice."""
    stores = [await open_store(), await open_store()]
    people = [f"p{number}" for number in range(100)]
    claims = [stores[0].ledger.reserve(claim("a", profile=profile)) for profile in people]
    claims += [stores[1].ledger.reserve(claim("b", profile=profile)) for profile in reversed(people)]
    verdicts = await asyncio.gather(*claims)
    assert sum(verdict.kind == "reserved" for verdict in verdicts) == 100
    both = zip(verdicts[:100], reversed(verdicts[100:]), strict=True)
    assert all({first.kind, second.kind} == {"reserved", "busy"} for first, second in both)
    confirms = (
        stores[0].ledger.write(Confirm(verdict.entry, NOON))
        for verdict in verdicts
        if verdict.kind == "reserved" and verdict.entry
    )
    assert all(await asyncio.gather(*confirms))


async def test_a_lease_that_runs_out_makes_the_reservation_stale(open_store: OpenStore) -> None:
    """Whoever reserved it has died; the row says what it was about to do."""
    store = await open_store(lease=1)
    granted = (await store.ledger.reserve(claim())).entry
    assert (await store.ledger.reserve(claim("e2"))).kind == "busy"
    await asyncio.sleep(1.05)
    verdict = await store.ledger.reserve(claim("e2"))
    assert verdict.kind == "stale"
    assert granted is not None
    assert verdict.entry == replace(granted, stale=True)


async def test_a_released_reservation_is_stale_after_the_hold(store: Store) -> None:
    """A process that could not reach Temporal does not keep others waiting for its whole lease."""
    granted = (await store.ledger.reserve(claim())).entry
    assert granted is not None
    await store.ledger.write(Release(granted, 1))
    assert (await store.ledger.reserve(claim())).kind == "busy"
    await asyncio.sleep(1.05)
    assert (await store.ledger.reserve(claim())).kind == "stale"


async def test_rolling_back_a_first_entry_leaves_no_trace(store: Store) -> None:
    """The profile was never there, and the event is not handled."""
    granted = (await store.ledger.reserve(claim())).entry
    assert granted is not None
    await store.ledger.write(RollBack(granted))
    look = await store.ledger.look("welcome", "ada", "e1")
    assert (look.entry, look.handled) == (None, False)
    assert (await store.ledger.reserve(claim())).kind == "reserved"


async def test_rolling_back_brings_the_entry_before_it_back(store: Store) -> None:
    """Re-entry rules go on to count from the entry that really happened."""
    first = await enter(store, "e1")
    await store.ledger.write(Close(first))
    granted = (await store.ledger.reserve(claim("e2", at=NOON + timedelta(hours=2)))).entry
    assert granted is not None
    await store.ledger.write(RollBack(granted))
    assert await stored(store) == replace(_entry("e1"), closed=True)
    assert (
        await store.ledger.reserve(claim("e3", at=NOON + timedelta(minutes=59)))
    ).kind == "reentry_refused"


async def test_who_slept_through_its_lease_changes_nothing(store: Store) -> None:
    """Its confirmation and its roll-back name a reservation that is no more."""
    slow = (await store.ledger.reserve(claim("e1"))).entry
    assert slow is not None
    await store.ledger.write(RollBack(slow))
    await enter(store, "e2")
    assert not await store.ledger.write(Confirm(slow, NOON))
    await store.ledger.write(RollBack(slow))
    await store.ledger.write(Release(slow, 0))
    await store.ledger.write(Close(slow))
    assert await stored(store) == _entry("e2")
    # What it did start is remembered all the same: the event must not start another.
    assert (await store.ledger.reserve(claim("e1"))).kind == "duplicate"


async def test_two_confirmations_at_once_are_told_apart(store: Store) -> None:
    """Of notes written in one transaction each gets its own answer."""
    one = (await store.ledger.reserve(claim("e1", profile="one"))).entry
    two = (await store.ledger.reserve(claim("e1", profile="two"))).entry
    assert one is not None
    assert two is not None
    gone = replace(two, token="not-any-more")
    notes = (Confirm(one, NOON), Confirm(gone, NOON), Close(one), Handle("welcome", "two", "e9", NOON))
    assert await asyncio.gather(*(store.ledger.write(note) for note in notes)) == [True, False, True, True]
    assert (await store.ledger.look("welcome", "two", "e9")).handled


@pytest.mark.parametrize(
    ("event", "hours", "rule", "kind"),
    [
        ("e1", 2, {}, "duplicate"),
        ("e2", 0.99, {}, "reentry_refused"),
        ("e2", 1, {}, "reserved"),
        ("e2", 0, {"after": 0.0}, "reserved"),
        ("e2", 10_000, {"allow": False}, "reentry_refused"),
        ("e2", -5, {}, "reentry_refused"),
    ],
)
async def test_coming_back_is_for_the_rule_to_say(
    store: Store, event: str, hours: float, rule: dict[str, Any], kind: str
) -> None:
    """The pause counts from the entry, by the clock of the API."""
    await store.ledger.write(Close(await enter(store, "e1")))
    verdict = await store.ledger.reserve(claim(event, at=NOON + timedelta(hours=hours), **rule))
    assert verdict.kind == kind


async def test_who_is_inside_is_inside(store: Store) -> None:
    """Until it is known that the instance has ended, no rule is asked."""
    entry = await enter(store, "e1")
    assert await store.ledger.reserve(claim("e2", at=NOON + timedelta(days=9))) == Verdict(
        "inside", _entry("e1")
    )
    await store.ledger.write(Close(entry))
    assert (await store.ledger.reserve(claim("e2", at=NOON + timedelta(days=9)))).kind == "reserved"


async def test_an_instance_that_the_ledger_does_not_know_is_adopted(store: Store) -> None:
    """Over nothing, over an entry and over one's own reservation, but not over somebody else's."""
    await store.ledger.write(Adopt(_entry("a")))
    assert await stored(store) == _entry("a")
    await store.ledger.write(Adopt(replace(_entry("b"), closed=True)))
    assert await stored(store) == replace(_entry("b"), closed=True)
    mine = (await store.ledger.reserve(claim("mine", at=NOON + timedelta(hours=2)))).entry
    assert mine is not None
    await store.ledger.write(Adopt(_entry("c")))
    await store.ledger.write(Adopt(_entry("c"), over="not-it"))
    assert await stored(store) == mine
    await store.ledger.write(Adopt(_entry("c"), over=mine.token))
    assert await stored(store) == _entry("c")


async def test_handled_events_are_forgotten_when_they_are_old(store: Store) -> None:
    """But the event of the last entry is known as long as the entry is."""
    await enter(store, "e1")
    await store.ledger.write(Handle("welcome", "ada", "old", NOON))
    await store.ledger.write(Handle("welcome", "ada", "new", NOON + timedelta(days=2)))
    await store.ledger.write(Handle("welcome", "ada", "new", NOON))
    assert await store.ledger.purge(NOON + timedelta(days=1)) == 2
    assert not (await store.ledger.look("welcome", "ada", "old")).handled
    assert (await store.ledger.look("welcome", "ada", "new")).handled
    assert (await store.ledger.reserve(claim("e1"))).kind == "duplicate"


async def test_abandoned_reservations_are_found(open_store: OpenStore) -> None:
    """The hourly clean-up settles what nobody came back for; fresh ones are left to their holders."""
    store = await open_store(lease=0.05)
    granted = (await store.ledger.reserve(claim())).entry
    await enter(store, "e1", profile="settled")
    await asyncio.sleep(0.1)
    assert await store.ledger.abandoned(for_longer_than=60) == []
    assert granted is not None
    assert await store.ledger.abandoned(for_longer_than=0.01) == [replace(granted, stale=True)]


async def test_a_thousand_looks_at_once(store: Store) -> None:
    """More than fit in one statement are answered all the same, each with its own."""
    await enter(store, "e1", profile="p500")
    looks = await asyncio.gather(
        *(store.ledger.look("welcome", f"p{number}", "e1") for number in range(1200))
    )
    assert [number for number, look in enumerate(looks) if look.entry] == [500]
    assert [number for number, look in enumerate(looks) if look.handled] == [500]


@pytest.mark.parametrize("event", ["", "plain-id_1", "ünïcode ✓", "a" * 200])
def test_ordinary_event_ids_are_kept_as_they_are(event: str) -> None:
    """Operators find them in the database and in Temporal's memo."""
    assert event_key(event) == event


@pytest.mark.parametrize("event", ["a" * 201, "nul\x00", "line\nbreak", "\ud800", "~looks-like-a-hash"])
async def test_strange_event_ids_are_hashed(store: Store, event: str) -> None:
    """No text that JSON can carry breaks a database, and different ids stay different."""
    key = event_key(event)
    assert key.startswith("~")
    assert key.isascii()
    assert key != event_key(event + "x")
    await store.ledger.write(Handle("welcome", "ada", key, NOON))
    assert (await store.ledger.look("welcome", "ada", key)).handled


def _entry(event: str) -> Entry:
    return Entry("welcome", "ada", event, "welcome:ada", 3, NOON)
