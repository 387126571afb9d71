"""Limits that operators set lie over what was published, in every process, until they are reset."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from sojourn.definitions import load_texts
from sojourn.store import LimitError, Store
from sojourn.store.publish import Publication
from tests.store.databases import OpenStore

SEND = {
    "kind": "action", "name": "email.send", "method": "POST", "url": "https://mail.example.com/",
    "throttle": {"calls": 200, "per": 1, "expire": 3600},
}  # fmt: skip
FETCH = {"kind": "source", "name": "crm", "method": "GET", "url": "https://crm.example.com/"}
ENDPOINTS = {("action", "email.send"): SEND, ("source", "crm"): FETCH}
JOURNEY = {
    "format": 1,
    "name": "welcome",
    "steps": {},
    "endpoints": {
        "email.send": {"kind": "action", "throttled": True, "expire": 3600},
        "crm": {"kind": "source", "throttled": False},
    },
}


async def published(store: Store, **more: Any) -> Store:
    """Publish an action with a throttle and a source without limits."""
    await store.publish_json(Publication(endpoints={**ENDPOINTS, **more.pop("endpoints", {})}, **more))
    return store


async def limits_of(store: Store, kind: str, name: str) -> tuple[Any, Any]:
    """Cap and throttle as a worker gets them, as plain values."""
    found = await store.endpoint(kind, name)
    assert found is not None
    return (found.cap and found.cap.model_dump(), found.throttle and found.throttle.model_dump())


async def test_a_limit_takes_the_place_of_the_published_one(store: Store) -> None:
    """Workers and the catalog see it at once in this process; what was published is still there to be told."""
    await published(store)
    assert await store.set_limits("action", "email.send", {"throttle": {"calls": 5, "per": 1, "expire": 60}})
    assert await limits_of(store, "action", "email.send") == (None, {"calls": 5, "per": 1, "expire": 60})
    catalog = await store.catalog()
    key = ("action", "email.send")
    assert catalog.endpoints[key] == {**SEND, "throttle": {"calls": 5, "per": 1, "expire": 60}}
    assert catalog.published_endpoints[key] == SEND
    assert catalog.limits[key].values() == {"throttle": {"calls": 5, "per": 1, "expire": 60}}
    assert catalog.limits[key].changed_at.tzinfo is not None


async def test_limits_may_be_set_where_none_was_published(store: Store) -> None:
    """A cap on a source, a cap beside a throttle; each stays when the other is set."""
    await published(store)
    await store.set_limits("source", "crm", {"cap": {"calls": 15, "per": 1}})
    assert await limits_of(store, "source", "crm") == ({"calls": 15, "per": 1}, None)
    await store.set_limits("action", "email.send", {"cap": {"calls": 1, "per": 60}})
    await store.set_limits("action", "email.send", {"throttle": {"calls": 9, "per": 0.5}})
    found = await limits_of(store, "action", "email.send")
    assert found == ({"calls": 1, "per": 60}, {"calls": 9, "per": 0.5, "expire": 3600})


async def test_expire_stays_what_it_was(store: Store) -> None:
    """As set before, else as published, else six hours."""
    await published(store, endpoints={("action", "free"): {**SEND, "name": "free", "throttle": None}})
    await store.set_limits("action", "free", {"throttle": {"calls": 9, "per": 1}})
    assert (await limits_of(store, "action", "free"))[1] == {"calls": 9, "per": 1, "expire": 6 * 3600}
    await store.set_limits("action", "free", {"throttle": {"calls": 9, "per": 1, "expire": 2}})
    await store.set_limits("action", "free", {"throttle": {"calls": 8, "per": 1}})
    assert (await limits_of(store, "action", "free"))[1] == {"calls": 8, "per": 1, "expire": 2}


async def test_reset_puts_back_what_was_published(store: Store) -> None:
    """One of them or both; resetting what is not set changes nothing."""
    await published(store)
    await store.set_limits(
        "action", "email.send", {"cap": {"calls": 1, "per": 1}, "throttle": {"calls": 1, "per": 1}}
    )
    assert await store.reset_limits("action", "email.send", ["throttle"])
    assert await limits_of(store, "action", "email.send") == ({"calls": 1, "per": 1}, SEND["throttle"])
    assert await store.reset_limits("action", "email.send")
    assert await limits_of(store, "action", "email.send") == (None, SEND["throttle"])
    before = await store.revision()
    assert not await store.reset_limits("action", "email.send")
    assert not await store.reset_limits("action", "nothing")
    assert await store.revision() == before
    assert (await store.catalog()).limits == {}


async def test_publishing_leaves_them_in_force_and_says_so(store: Store) -> None:
    """A new definition is kept beneath them, and comes to light when they are reset."""
    await published(store)
    await store.set_limits("action", "email.send", {"throttle": {"calls": 5, "per": 1}})
    changed = {**SEND, "throttle": {"calls": 300, "per": 1, "expire": 7200}}
    result = await store.publish_json(Publication(endpoints={("action", "email.send"): changed}))
    assert result.endpoints_changed == ["action:email.send"]
    assert result.overridden == {
        ("action", "email.send"): {"throttle": {"calls": 5, "per": 1, "expire": 3600}}
    }
    assert (await limits_of(store, "action", "email.send"))[1]["calls"] == 5
    other = await store.publish_json(Publication(endpoints={("source", "crm"): FETCH}))
    assert other.overridden == {}
    await store.reset_limits("action", "email.send")
    assert (await limits_of(store, "action", "email.send"))[1] == changed["throttle"]


async def test_other_processes_see_them_within_the_refresh(open_store: OpenStore) -> None:
    """The revision grows, so a worker that has the catalog in memory reads it again."""
    operator, worker = await open_store(), await open_store(catalog_refresh=0.2)
    await published(operator)
    assert await limits_of(worker, "action", "email.send") == (None, SEND["throttle"])
    await operator.set_limits("action", "email.send", {"throttle": {"calls": 5, "per": 1}})
    begun = time.monotonic()
    while (await limits_of(worker, "action", "email.send"))[1]["calls"] != 5:
        assert time.monotonic() - begun < 10
        await asyncio.sleep(0.02)


async def test_operators_that_set_limits_at_once_lose_none(open_store: OpenStore) -> None:
    """Two set different limits of one endpoint at the same moment: both hold."""
    stores = [await open_store(), await open_store()]
    await published(stores[0])
    for turn in range(1, 6):
        await asyncio.gather(
            stores[0].set_limits("action", "email.send", {"cap": {"calls": turn, "per": 1}}),
            stores[1].set_limits("action", "email.send", {"throttle": {"calls": turn, "per": 1}}),
        )
        cap, throttle = await limits_of(stores[turn % 2], "action", "email.send")
        assert (cap["calls"], throttle["calls"]) == (turn, turn)
        await stores[0].reset_limits("action", "email.send")
        assert await limits_of(stores[0], "action", "email.send") == (None, SEND["throttle"])


async def test_journeys_that_begin_know_of_a_throttle(store: Store) -> None:
    """Where an operator throttles an action, new instances queue its calls; versions and hashes stay as they are."""
    plain = {**JOURNEY["endpoints"], "email.send": {"kind": "action", "throttled": False}}  # type: ignore[dict-item]
    await published(store, journeys={"welcome": {**JOURNEY, "endpoints": plain}})
    await store.set_limits("action", "email.send", {"throttle": {"calls": 5, "per": 1, "expire": 60}})
    await store.set_limits("source", "crm", {"cap": {"calls": 5, "per": 1}})
    latest = (await store.catalog()).journeys["welcome"].latest
    assert latest.definition["endpoints"] == {
        "email.send": {"kind": "action", "throttled": True, "expire": 60},
        "crm": {"kind": "source", "throttled": False, "capped": True},
    }
    again = await store.publish_json(Publication(journeys={"welcome": {**JOURNEY, "endpoints": plain}}))
    assert again.unchanged == ["welcome"]
    await store.reset_limits("action", "email.send")
    await store.reset_limits("source", "crm")
    assert (await store.catalog()).journeys["welcome"].latest.definition["endpoints"] == plain


async def test_an_endpoint_that_is_not_there_has_no_limits(store: Store) -> None:
    """Nothing is kept for it."""
    await published(store)
    assert not await store.set_limits("action", "crm", {"cap": {"calls": 1, "per": 1}})
    assert (await store.catalog()).limits == {}


@pytest.mark.parametrize(
    ("kind", "changes", "field", "message"),
    [
        ("action", {}, "", "name a limit"),
        ("action", {"rate": {"calls": 1, "per": 1}}, "rate", "there is no limit 'rate'"),
        ("source", {"throttle": {"calls": 1, "per": 1}}, "throttle", "A source is not throttled"),
        ("action", {"cap": {"calls": 0, "per": 1}}, "cap.calls", "from 1 to 10,000,000 calls"),
        ("action", {"cap": {"calls": -5, "per": 1}}, "cap.calls", "from 1 to 10,000,000 calls"),
        ("action", {"cap": {"calls": 10**9, "per": 1}}, "cap.calls", "from 1 to 10,000,000 calls"),
        ("action", {"cap": {"calls": 1.5, "per": 1}}, "cap.calls", "must be a whole number"),
        ("action", {"cap": {"calls": True, "per": 1}}, "cap.calls", "must be a whole number"),
        ("action", {"cap": {"per": 1}}, "cap.calls", "must be a whole number"),
        ("action", {"cap": {"calls": 1, "per": 0}}, "cap.per", "from 100ms to 366d"),
        ("action", {"cap": {"calls": 1, "per": -1}}, "cap.per", "from 100ms to 366d"),
        ("action", {"cap": {"calls": 1, "per": 10**9}}, "cap.per", "from 100ms to 366d"),
        ("action", {"cap": {"calls": 1, "per": float("nan")}}, "cap.per", "from 100ms to 366d"),
        ("action", {"cap": {"calls": 1}}, "cap.per", "from 100ms to 366d"),
        ("action", {"cap": {"calls": 1, "per": 1, "expire": 5}}, "cap.expire", "cannot expire"),
        ("action", {"throttle": {"calls": 5001, "per": 1}}, "throttle", "at most 5,000 calls a second"),
        ("action", {"throttle": {"calls": 1, "per": 2 * 86_400}}, "throttle", "at least one call a day"),
        ("action", {"throttle": {"calls": 1, "per": 1, "expire": 0}}, "throttle.expire", "from 1s to 90d"),
    ],
)
async def test_limits_that_make_no_sense_are_refused(
    store: Store, kind: str, changes: dict[str, Any], field: str, message: str
) -> None:
    """With the field and what to write; nothing is kept."""
    await published(store)
    with pytest.raises(LimitError, match=message) as refused:
        await store.set_limits(kind, "email.send" if kind == "action" else "crm", changes)
    assert refused.value.field == field
    assert (await store.catalog()).limits == {}


async def test_a_whole_project_with_limits_can_be_steered(store: Store) -> None:
    """From YAML to the definition that a worker gets."""
    files = {
        "e.yaml": "action: email.send\nurl: https://mail.example.com/\nthrottle: {calls: 200, per: 1s, expire: 6h}\n"
    }
    await store.publish(load_texts(files))
    await store.set_limits("action", "email.send", {"throttle": {"calls": 5, "per": 1}})
    found = await store.endpoint("action", "email.send")
    assert found is not None
    assert found.throttle is not None
    assert (found.throttle.calls, found.throttle.expire) == (5, 6 * 3600)
