"""What an operator reads beside each activity in Temporal's Web UI: which step it is of, and what it calls."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from temporalio.client import Client

from sojourn.contract import names
from sojourn.definitions.kinds.endpoint import Throttle
from sojourn.store import Store
from tests.workflows.profiles import Kept
from tests.workflows.support import Shop, compiled, project, running

JOURNEY = """
journey: j
entry: {event: entered}
steps:
  look:
    fetch: crm
    with: {id: "7"}
  is-known:
    condition: [{when: "default(profile.email, '') == ''", next: mail}]
    else: mail
  mail:
    action: send
    with: {to: ada, data: 1}
  remember:
    update_profile: {mailed: true}
  done: {end: sent}
"""


@pytest.fixture
def shop() -> Iterator[Shop]:
    """The other side."""
    server = Shop()
    yield server
    server.close()


@pytest.fixture
async def profiles(tmp_path: Path) -> AsyncIterator[Kept]:
    """A real store of profiles."""
    store = await Store.open(f"sqlite:///{tmp_path}/sojourn.db")
    await store.migrate()
    yield Kept(store)
    await store.close()


@pytest.mark.parametrize("throttled", [False, True])
async def test_each_activity_says_its_step_and_what_it_calls(
    client: Client, shop: Shop, profiles: Kept, throttled: bool
) -> None:
    """Look-ups and profiles are local activities, and actions ordinary ones, also those on the queue of a throttle."""
    loaded = project(JOURNEY, shop)
    definition = compiled(loaded)
    if throttled:
        definition["endpoints"]["send"] |= {"throttled": True, "expire": 60}
        limited = loaded.endpoints["action:send"].model_copy(
            update={"throttle": Throttle(calls=100, per="1s")}
        )
        loaded.endpoints["action:send"] = limited
    local, ordinary = [], []
    async with running(client, loaded, profiles=profiles) as runner:
        handle = await runner.start(definition)
        assert (await handle.result())["outcome"] == "completed"
        async for event in handle.fetch_history_events():
            summary = event.user_metadata.summary.data.decode()
            if event.HasField("marker_recorded_event_attributes"):
                local.append(json.loads(summary))
            elif event.HasField("activity_task_scheduled_event_attributes"):
                queue = event.activity_task_scheduled_event_attributes.task_queue.name
                ordinary.append((json.loads(summary), queue.removeprefix(runner.queue)))
    own = names.throttled_queue("", "send") if throttled else ""
    assert local == ["look: crm", "is-known: reads the profile", "remember: writes the profile"]
    assert ordinary == [("mail: send", own)]
