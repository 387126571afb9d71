"""Which throttled queues the store lets workers serve."""

from __future__ import annotations

from sojourn.definitions import Project, load_texts
from sojourn.store import Store
from tests.store.databases import OpenStore

PROJECT = """
event: e
key: event.id
schema: {{type: object, properties: {{id: {{type: string}}}}}}
---
action: mail.send
url: https://mail.example.com/
{limit}
---
action: mail.other
url: https://mail.example.com/
---
journey: j
entry: {{event: e}}
steps:
  a: {{action: {action}}}
"""


def project(limit: str, action: str = "mail.send") -> Project:
    """Return a project whose action has a limit, and whose journey calls an action."""
    loaded = load_texts({"p.yaml": PROJECT.format(limit=limit, action=action)})
    assert loaded.ok, loaded.problems
    return loaded


async def rates(store: Store) -> dict[str, float | None]:
    """Return the rates by action, in calls a second."""
    return {
        name: None if throttle is None else throttle.rate
        for name, throttle in (await store.throttles()).items()
    }


async def test_throttles_are_those_of_now(open_store: OpenStore) -> None:
    """A change of another process is seen when the catalog is; the same object comes until something changes."""
    store, other = await open_store(catalog_refresh=0.0), await open_store(catalog_refresh=0.0)
    assert await rates(store) == {}
    await other.publish(project("throttle: {calls: 30, per: 1m}"))
    assert await rates(store) == {"mail.send": 0.5}
    assert await store.throttles() is await store.throttles()
    await other.publish(project("throttle: {calls: 10, per: 1s}"))
    assert await rates(store) == {"mail.send": 10.0}


async def test_what_a_version_queues_for_is_served_for_ever(open_store: OpenStore) -> None:
    """The throttle is gone, and no worker ever saw it: the version that was compiled with it still says so."""
    store = await open_store()
    await store.publish(project("throttle: {calls: 30, per: 1m}"))
    await store.publish(project(""))
    assert await rates(await open_store()) == {"mail.send": None}


async def test_what_was_throttled_once_is_remembered(open_store: OpenStore) -> None:
    """Also where no version says so, since calls were moved to the queue of an action throttled later."""
    store = await open_store()
    await store.publish(project("throttle: {calls: 30, per: 1m}", "mail.other"))
    assert await rates(store) == {"mail.send": 0.5}
    assert await rates(await open_store()) == {"mail.send": 0.5}
    await store.publish(project("", "mail.other"))
    assert await rates(store) == {"mail.send": None}
    assert await rates(await open_store()) == {"mail.send": None}
