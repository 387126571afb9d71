"""Publishing makes versions of what changed, all at once or not at all, however many publish."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from sojourn.store import Store, StoreUnavailable
from sojourn.store.publish import Publication
from sojourn.store.version_rules import PublicationRefused
from tests.store.databases import OpenStore


def journey(name: str = "welcome", **more: Any) -> dict[str, Any]:
    """A compiled journey that says little."""
    return {"format": 1, "name": name, "steps": {"z": {"kind": "end"}, "a": {"kind": "end"}}, **more}


async def publish(store: Store, *journeys: dict[str, Any]) -> Any:
    """Publish compiled journeys."""
    return await store.publish_json(Publication(journeys={item["name"]: item for item in journeys}))


async def test_the_first_publication_is_version_one_and_live(store: Store) -> None:
    """What is stored is the compiled definition with its version in it, its steps in their order."""
    result = await publish(store, journey())
    assert result.published == [("welcome", 1)]
    record = (await store.catalog()).journeys["welcome"]
    assert (record.state, record.latest.version) == ("live", 1)
    assert record.latest.definition == {**journey(), "version": 1}
    assert list(record.latest.definition["steps"]) == ["z", "a"]


async def test_publishing_the_same_again_changes_nothing(store: Store) -> None:
    """No version, no revision: nobody reads anything again."""
    await publish(store, journey())
    before = await store.revision()
    result = await publish(store, journey())
    assert (result.published, result.unchanged, result.changed) == ([], ["welcome"], False)
    assert await store.revision() == before


async def test_a_change_makes_the_next_version_and_closes_the_one_before(store: Store) -> None:
    """Versions stay as they were, in their order; only the newest is live."""
    await publish(store, journey(timeout=1))
    result = await publish(store, journey(timeout=2), journey("other"))
    assert result.published == [("other", 1), ("welcome", 2)]
    record = (await store.catalog()).journeys["welcome"]
    assert [version.definition["timeout"] for version in record.versions.values()] == [1, 2]
    assert [record.version_state(number) for number in record.versions] == ["closed", "live"]


async def test_only_the_newest_version_counts_as_the_same(store: Store) -> None:
    """Going back to an earlier definition is a change, and a version of its own."""
    for timeout in (1, 2, 1):
        await publish(store, journey(timeout=timeout))
    assert (await store.catalog()).journeys["welcome"].latest.version == 3


async def test_twenty_publishers_at_once_make_one_version(open_store: OpenStore) -> None:
    """Two processes publish the same at the same moment: one makes the version, the others find it done."""
    stores = [await open_store(), await open_store()]
    results = await asyncio.gather(*(publish(stores[turn % 2], journey()) for turn in range(20)))
    assert sum(len(result.published) for result in results) == 1
    assert sum(len(result.unchanged) for result in results) == 19


async def test_publishers_of_different_things_lose_nothing(open_store: OpenStore) -> None:
    """Each of ten publications at once gets a version of its own, without gaps."""
    stores = [await open_store(), await open_store()]
    await asyncio.gather(*(publish(stores[turn % 2], journey(timeout=turn)) for turn in range(10)))
    versions = (await stores[0].catalog()).journeys["welcome"].versions
    assert list(versions) == list(range(1, 11))
    assert {version.definition["timeout"] for version in versions.values()} == set(range(10))


async def test_a_publication_that_fails_leaves_nothing(store: Store) -> None:
    """All of it or nothing: the event that could be stored is not there either."""
    broken = Publication(
        events={"a": {"name": "a"}}, journeys={"welcome": {"name": "welcome", "bad": object()}}
    )
    with pytest.raises(TypeError):
        await store.publish_json(broken)
    assert (await store.catalog()).events == {}


async def test_events_and_endpoints_are_replaced_by_name(store: Store) -> None:
    """They have no versions: what is live by name is what counts, and only changes are reported."""
    first = Publication(
        events={"a": {"key": "event.x"}, "b": {"key": "event.x"}},
        endpoints={("source", "crm"): {"url": "u"}, ("action", "crm"): {"url": "v"}},
    )
    result = await store.publish_json(first)
    assert (result.events_changed, result.endpoints_changed) == (["a", "b"], ["action:crm", "source:crm"])
    second = Publication(
        events={"a": {"key": "event.x"}, "b": {"key": "event.y"}}, endpoints={("source", "crm"): {"url": "w"}}
    )
    result = await store.publish_json(second)
    assert (result.events_changed, result.endpoints_changed) == (["b"], ["source:crm"])
    catalog = await store.catalog()
    assert catalog.events["b"] == {"key": "event.y"}
    assert catalog.endpoints == {("source", "crm"): {"url": "w"}, ("action", "crm"): {"url": "v"}}


async def test_publishing_revives_a_closed_journey_but_not_a_paused_one(store: Store) -> None:
    """A correction to a paused journey must not let customers in before someone resumes it."""
    await publish(store, journey("closed"), journey("paused"))
    await store.set_state("closed", "closed")
    await store.set_state("paused", "paused")
    await publish(store, journey("closed", timeout=2), journey("paused", timeout=2))
    catalog = await store.catalog()
    assert {name: record.state for name, record in catalog.journeys.items()} == {
        "closed": "live",
        "paused": "paused",
    }
    assert not await store.set_state("no-such", "paused")


async def test_the_catalog_is_the_same_object_until_something_changes(open_store: OpenStore) -> None:
    """Routing builds on that: it compiles nothing again while nothing was published."""
    here, there = await open_store(catalog_refresh=0.05), await open_store()
    before = await here.catalog()
    await asyncio.sleep(0.06)
    assert await here.catalog() is before
    await publish(there, journey())
    deadline = asyncio.get_running_loop().time() + 20
    while await here.catalog() is before:
        assert asyncio.get_running_loop().time() < deadline, "another process's publication was never seen"
        await asyncio.sleep(0.01)
    assert "welcome" in (await here.catalog()).journeys


async def test_the_catalog_costs_no_query_between_refreshes(store: Store, open_store: OpenStore) -> None:
    """Within the refresh time the database is not asked: it may even be gone."""
    patient = await open_store(catalog_refresh=3600)
    await patient.catalog()
    await patient.database.close()
    await publish(store, journey())
    assert (await patient.catalog()).journeys == {}


async def test_the_sources_are_kept_with_the_version(store: Store) -> None:
    """What a version was made from can be read later."""
    files = {"journeys/a.yaml": "journey: welcome\n# ✓ \U0001f600"}
    await store.publish_json(Publication(journeys={"welcome": journey()}, sources=files))
    assert await store.sources("welcome", 1) == files
    assert await store.sources("welcome", 2) is None


async def test_when_the_database_is_gone_all_who_wait_learn_it_at_once(
    open_store: OpenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hundred requests do not try a hundred times, one after the other."""
    store, attempts = await open_store(), 0

    async def gone(work: object) -> None:
        nonlocal attempts
        attempts += 1
        await asyncio.sleep(0.05)
        raise StoreUnavailable("gone")

    for way in ("read", "snapshot"):
        monkeypatch.setattr(store.database, way, gone)
    answers = await asyncio.gather(*(store.catalog() for _ in range(100)), return_exceptions=True)
    assert {type(answer) for answer in answers} == {StoreUnavailable}
    assert attempts == 1
    monkeypatch.undo()
    assert (await store.catalog()).journeys == {}


async def test_a_database_that_is_slower_than_the_refresh_is_asked_once(
    open_store: OpenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was asked for after the call is new enough, however long the answer took."""
    store, attempts = await open_store(catalog_refresh=0.001), 0
    await store.catalog()
    await asyncio.sleep(0.002)
    read = store.database.read

    async def slow(work: Any) -> Any:
        nonlocal attempts
        attempts += 1
        await asyncio.sleep(0.02)
        return await read(work)

    monkeypatch.setattr(store.database, "read", slow)
    await store.catalog()
    assert attempts == 1


async def test_a_process_sees_its_own_publication_at_once(store: Store) -> None:
    """Also when it was reading the catalogue at that very moment."""
    for turn in range(20):
        reading = asyncio.create_task(store.catalog())
        await publish(store, journey(timeout=turn))
        assert (await store.catalog()).journeys["welcome"].latest.definition["timeout"] == turn
        await reading


async def test_asking_in_the_turn_in_which_a_reading_ended_does_not_hang(store: Store) -> None:
    """The task is done, nobody has put it away yet, and what it read is old already."""
    await publish(store, journey())
    store._reloading = asyncio.create_task(asyncio.sleep(0))
    await store._reloading
    store._changed()
    assert (await store.catalog()).journeys["welcome"].latest.version == 1


@pytest.mark.parametrize(
    ("had", "has"), [(None, "event.order"), ("event.order", None), ("event.a", "event.b")]
)
async def test_the_second_key_does_not_change_between_versions(
    store: Store, had: str | None, has: str | None
) -> None:
    """Nothing of such a publication is stored; once nobody is inside any more, it is."""

    def with_key(per: str | None, **more: Any) -> dict[str, Any]:
        entry = {"event": "e"} if per is None else {"event": "e", "per": per}
        return journey(entry=entry, **more)

    await publish(store, with_key(had))
    assert (await publish(store, with_key(had, timeout=9))).published == [("welcome", 2)]
    for state in ("live", "paused", "closed"):
        await store.set_state("welcome", state)  # type: ignore[arg-type]
        with pytest.raises(PublicationRefused, match="not to change") as caught:
            await publish(store, journey("other"), with_key(has))
        (rule,) = caught.value.rules
        assert (rule.journey, rule.field, rule.code) == ("welcome", "entry.per", "E503")
        assert f"`{had}`" in rule.message if had else "no second key" in rule.message
    assert list((await store.catalog()).journeys) == ["welcome"]
    await store.set_state("welcome", "stopped")
    assert (await publish(store, with_key(has))).published == [("welcome", 3)]
