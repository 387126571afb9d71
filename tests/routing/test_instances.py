"""Instances as operators see them: lists by journey, profile and status; one of them with its steps."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from temporalio.client import Client

from sojourn.contract import names
from sojourn.routing import RoutingUnavailable
from sojourn.settings import Settings
from sojourn.steering import instances as module
from sojourn.steering.instances import InstanceNotFound, InstancePage, list_instances, read_instance
from tests.conftest import free_port
from tests.routing.world import World, journey

SHAPE = {
    *(
        "workflow_id",
        "run_id",
        "journey",
        "version",
        "profile",
        "per",
        "status",
        "paused",
        "paused_by",
        "outcome",
        "text",
        "step",
    ),
    *("kind", "waiting_for", "until", "pending", "dropped", "entered_at", "ended_at", "steps", "last_error"),
    *("error", "source"),
}


async def eventually(find: Callable[[], Awaitable[InstancePage]], count: int) -> list[dict[str, Any]]:
    """Ask until visibility has caught up."""
    deadline = time.monotonic() + 10
    while True:
        found = (await find()).instances
        if len(found) == count:
            return found
        assert time.monotonic() < deadline, found
        await asyncio.sleep(0.05)


async def start(world: World, *keys: str, **more: Any) -> None:
    """Publish the test's journey and let these profiles in."""
    await world.publish(journey(world.name, listens=["finish", "fail"], **more))
    await (await world.process()).route([world.event(key=key) for key in keys])


async def test_lists_by_journey_profile_and_status(world: World) -> None:
    """What is listed says what an operator needs to choose one."""
    await start(world, "ada", "bob")
    router = await world.process()
    await router.route([world.event("finish", key="bob")])
    await world.ended("bob")
    found = await eventually(lambda: list_instances(world.client, journey=world.name, status="running"), 1)
    assert found[0] | {"run_id": "", "entered_at": ""} == {
        "workflow_id": f"{world.name}:ada",
        "run_id": "",
        "journey": world.name,
        "version": 1,
        "profile": "ada",
        "per": None,
        "step": "only",
        "status": "running",
        "entered_at": "",
        "ended_at": None,
    }
    (bob,) = await eventually(lambda: list_instances(world.client, journey=world.name, profile="bob"), 1)
    assert bob["status"] == "completed"
    assert bob["ended_at"].endswith("Z")
    await eventually(lambda: list_instances(world.client, journey=world.name), 2)
    assert (await list_instances(world.client, journey="no-such")).instances == []


async def test_pages_follow_each_other(world: World) -> None:
    """Each instance is on one page, and the last page says that it is the last."""
    people = {f"p{number}" for number in range(7)}
    await start(world, *people)
    await eventually(lambda: list_instances(world.client, journey=world.name), 7)
    seen, page, pages = [], None, 0
    while True:
        found = await list_instances(world.client, journey=world.name, limit=3, page=page)
        seen += [item["profile"] for item in found.instances]
        page, pages = found.next_page, pages + 1
        if page is None:
            break
    assert sorted(seen) == sorted(people)
    first = await list_instances(world.client, journey=world.name, limit=3)
    with pytest.raises(ValueError, match="same filters"):
        await list_instances(world.client, journey="other", limit=3, page=first.next_page)
    assert pages in (3, 4)


@pytest.mark.parametrize("text", ["it's", "a' OR '1'='1", "back\\slash", "zoë ✓", "'", "\\'"])
async def test_filters_are_values_and_never_query(world: World, text: str) -> None:
    """Whatever an operator types finds what has that name, or nothing."""
    await start(world, text)
    (found,) = await eventually(lambda: list_instances(world.client, journey=world.name, profile=text), 1)
    again = await list_instances(world.client, journey=world.name, profile=found["profile"])
    assert len(again.instances) == 1, "a hash that was copied from a list is found too"
    assert (await list_instances(world.client, journey=text)).instances == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"status": "happy"}, "choose from running"),
        ({"limit": 0}, "between 1 and 1000"),
        ({"page": "???"}, "next_page"),
        ({"page": "bm9uc2Vuc2U="}, "next_page"),
        ({"journey": "a\0b"}, "the character NUL"),
    ],
)
async def test_what_is_no_filter_is_refused(client: Client, arguments: dict[str, Any], said: str) -> None:
    """With what to write instead."""
    with pytest.raises(ValueError, match=said):
        await list_instances(client, **arguments)


async def test_without_search_attributes_ids_have_to_do(world: World) -> None:
    """For clusters where nobody may register any; other workflows are never listed."""
    world.settings = Settings(task_queue=world.settings.task_queue, search_attributes=False)
    await start(world, "ada")

    def find(**filters: Any) -> Callable[[], Awaitable[InstancePage]]:
        return lambda: list_instances(world.client, search_attributes=False, **filters)

    (found,) = await eventually(find(journey=world.name), 1)
    assert (found["journey"], found["profile"], found["version"]) == (world.name, "ada", None)
    await eventually(find(journey=world.name, profile="ada"), 1)
    with pytest.raises(ValueError, match="name the journey too"):
        await find(profile="ada")()


async def test_a_running_instance_says_where_it_is(world: World) -> None:
    """Asked of a worker, at this moment."""
    await start(world, "ada")
    found = await read_instance(world.client, f"{world.name}:ada")
    assert found.keys() == SHAPE
    assert (found["status"], found["source"], found["outcome"]) == ("running", "worker", None)
    assert (found["step"], found["waiting_for"]) == ("only", ["finish"])
    assert found["steps"] == [{"seq": 1, "step": "only"}]


@pytest.mark.parametrize("key", ["zoë/ключ #1", "~x", "k" * 1000])
async def test_any_key_is_found_by_its_text_and_by_its_hash(world: World, key: str) -> None:
    """A person knows the customer's key; the workflow id may have only a hash of it."""
    await start(world, key)
    identity = names.workflow_id(world.name, key)
    for given in (f"{world.name}:{key}", identity):
        assert (await read_instance(world.client, given))["workflow_id"] == identity
    with pytest.raises(InstanceNotFound):
        await read_instance(world.client, f"{world.name}:{key}", private_keys=False, run_id="no-run")
    for profile in (key, names.profile_part(key)):
        (found,) = await eventually(
            lambda profile=profile: list_instances(world.client, journey=world.name, profile=profile), 1
        )
        assert found["workflow_id"] == identity


async def test_plain_keys_are_found_where_keys_are_private(world: World) -> None:
    """The deployment hashes every key; people still give the key."""
    hidden = names.workflow_id("a", "ada", private=True)
    assert names.workflow_ids_of("a:ada", private=True) == [hidden]
    assert names.workflow_ids_of(hidden, private=True) == [hidden]
    assert names.workflow_ids_of("no journey:ada") == ["no journey:ada"]
    assert names.workflow_ids_of("nothing") == ["nothing"]
    both = names.workflow_id("a", "ada", "o-1", private=True)
    assert names.workflow_ids_of("a:ada=o-1", private=True)[0] == both
    assert names.workflow_ids_of(both, private=True)[0] == both


@pytest.mark.parametrize("ending", ["finish", "fail"])
async def test_an_ended_instance_says_how_it_ended(world: World, ending: str) -> None:
    """In the same shape; a failed one with its error and its steps too."""
    await start(world, "ada")
    await (await world.process()).route([world.event(ending)])
    with pytest.raises(Exception, match="failed") if ending == "fail" else pytest.MonkeyPatch.context():
        await world.ended()
    found = await read_instance(world.client, f"{world.name}:ada")
    assert found.keys() == SHAPE
    assert found["source"] == "result"
    assert found["steps"] == [{"seq": 1, "step": "only"}]
    assert (found["step"], found["text"], found["ended_at"]) == (None, ending, "2026-03-01T13:00:00Z")
    if ending == "finish":
        assert (found["status"], found["outcome"], found["error"]) == ("completed", "completed", None)
    else:
        assert (found["status"], found["outcome"]) == ("failed", "failed")
        assert found["error"]["code"] == "http_500"


async def test_a_terminated_instance_is_told_from_a_failed_one(world: World) -> None:
    """It left no result: what Temporal knows has to do."""
    await start(world, "ada")
    await world.client.get_workflow_handle(f"{world.name}:ada").terminate("by an operator")
    found = await read_instance(world.client, f"{world.name}:ada")
    assert found.keys() == SHAPE
    assert (found["status"], found["outcome"], found["source"]) == ("terminated", "stopped", "temporal")
    assert (found["steps"], found["version"], found["profile"]) == (None, 1, "ada")


async def test_one_run_of_several_can_be_read(world: World) -> None:
    """The latest by default, an earlier one by its run id."""
    await start(world, "ada", reentry={"allow": True, "after": 0})
    router = await world.process()
    first = await read_instance(world.client, f"{world.name}:ada")
    await router.route([world.event("finish")])
    await world.ended()
    await router.route([world.event()])
    assert (await read_instance(world.client, f"{world.name}:ada"))["status"] == "running"
    earlier = await read_instance(world.client, f"{world.name}:ada", first["run_id"])
    assert (earlier["status"], earlier["run_id"]) == ("completed", first["run_id"])


async def test_without_a_worker_what_temporal_knows_is_told(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within a few seconds, and it says that the steps are not known."""
    monkeypatch.setattr(module, "QUERY_DEADLINE", 0.5)
    world.settings = Settings(task_queue=f"nobody-{world.name}")
    await start(world, "ada")
    found = await read_instance(world.client, f"{world.name}:ada")
    assert found.keys() == SHAPE
    assert (found["status"], found["source"], found["steps"]) == ("running", "temporal", None)
    assert (found["journey"], found["version"], found["profile"], found["step"]) == (
        world.name,
        1,
        "ada",
        "only",
    )


@pytest.mark.parametrize("run_id", [None, "no-such-run", "11111111-1111-1111-1111-111111111111"])
async def test_what_is_not_there_is_not_found(client: Client, run_id: str | None) -> None:
    """An unknown instance, a malformed run id and an unknown one are all the same to the reader."""
    with pytest.raises(InstanceNotFound, match="never:seen"):
        await read_instance(client, "never:seen", run_id)


async def test_other_workflows_of_the_namespace_are_none_of_ours(client: Client, unique: str) -> None:
    """Sojourn may live in a host's namespace; its pages do not show the host's workflows."""
    await client.start_workflow("host.Workflow", id=f"host:{unique}", task_queue=f"nobody-{unique}")
    with pytest.raises(InstanceNotFound):
        await read_instance(client, f"host:{unique}")
    assert names.WORKFLOW_JOURNEY != "host.Workflow"


async def test_without_temporal_reading_is_unavailable() -> None:
    """Both say so, and the API answers that it may be tried again."""
    nowhere = await Client.connect(f"127.0.0.1:{free_port()}", lazy=True)
    with pytest.raises(RoutingUnavailable):
        await list_instances(nowhere)
    with pytest.raises(RoutingUnavailable):
        await read_instance(nowhere, "a:b")
