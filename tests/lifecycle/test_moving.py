"""Moving the instances of a journey to its newest version: an operation, with progress, that forgets nobody."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from sojourn.contract import names
from sojourn.steering.operations import Operator
from sojourn.store.operations import Operation
from tests.lifecycle.support import Place, eventually
from tests.lifecycle.test_cli import as_json, sojourn, started

WAITS = """
journey: NAME
entry: {event: entered}
steps:
  first: {wait_for: [{event: answered}], timeout: {after: 60d}}
  listen: {wait_for: [{event: answered}], timeout: {after: 90d}}
  done: {end: one}
"""
SECOND = """
journey: NAME
entry: {event: entered}
steps:
  listen: {wait_for: [{event: answered}], timeout: {after: 90d}}
  done: {end: two}
"""
THIRD = SECOND.replace("end: two", "end: three")


async def at_listen(place: Place, keys: list[str]) -> None:
    """Let instances go on to the wait that both versions have."""
    for key in keys:
        assert await place.send("answered", key) == "signalled"

    async def there() -> bool:
        return {(await place.told(key))["step"] for key in keys} == {"listen"}

    await eventually(there)


async def failures(place: Place, done: dict[str, Any], **which: Any) -> dict[str, Any]:
    """The instances that stayed, with the codes of the reasons."""
    answer = (await place.http.get(f"/v1/operations/{done['id']}", params=which)).json()
    return {one["workflow_id"].partition(":")[2]: one["code"] for one in answer["failures"]}


async def test_a_move_reaches_every_instance_and_says_who_stays(either: Place) -> None:
    """Those at a wait of both versions go on in the new one; the others are listed, page by page, and can be tried again."""
    async with either.workers():
        await either.publish(WAITS)
        keys = await either.enter(8)
        await at_listen(either, keys[:5])
        await either.publish(SECOND)
        assert await either.send("entered", "new") == "started"
        moved = await either.act("move")
        assert (moved["state"], moved["operation"]["kind"]) == ("live", "move")
        done = await either.over(moved)
        assert (done["state"], done["total"], done["done"], done["failed"]) == ("done", 8, 5, 3)
        assert await failures(either, done) == dict.fromkeys(keys[5:], "step")
        assert list(await failures(either, done, failures=1)) == [keys[5]]
        behind = f"{either.name}:{keys[5]}"
        assert list(await failures(either, done, after=behind)) == keys[6:]
        # Events reach who was moved, and are judged by the new version.
        assert await either.send("answered", keys[0]) == "signalled"
        ended = await either.handle(keys[0]).result()
        assert (ended["text"], ended["version"]) == ("two", 2)
        assert [step["kind"] for step in ended["steps"]] == ["wait_for", "move", "wait_for", "end"]
        await at_listen(either, keys[5:7])
        again = await either.over(await either.act("move"))
        assert (again["done"], again["failed"]) == (2, 1)


async def test_a_move_breaks_off_and_goes_on(place: Place) -> None:
    """Who was moved before the process died is moved once, also where the ledger was not written any more."""
    async with place.journeys():
        await place.publish(SECOND)
        keys = await place.enter(6)
        await place.publish(THIRD)
        moved = await place.act("move")
        operation = await place.store.operations.get(moved["operation"]["id"])
        assert operation is not None
        # A process that died behind the update of one instance, before it wrote anything down.
        await place.handle(keys[0]).execute_update(
            names.UPDATE_MOVE,
            {"definition": (await place.store.catalog()).journeys[place.name].latest.definition},
        )
        async with place.operations():
            done = await place.over(moved)
        assert (done["total"], done["done"], done["failed"]) == (6, 6, 0)
        for key in keys:
            assert await place.send("answered", key) == "signalled"
            ended = await place.handle(key).result()
            assert (ended["text"], [step["kind"] for step in ended["steps"]].count("move")) == ("three", 1)


async def test_a_move_goes_beside_a_pause_and_a_later_move_takes_its_place(place: Place) -> None:
    """Neither supersedes the other: paused instances are moved, and stay paused; the newest move counts."""
    async with place.journeys():
        await place.publish(SECOND)
        keys = await place.enter(3)
        await place.publish(THIRD)
        first = await place.act("move")
        paused = await place.act("pause")
        assert (await place.act("move"))["operation"]["id"] == first["operation"]["id"]
        await place.publish(SECOND.replace("end: two", "end: four"))
        second = await place.act("move")
        async with place.operations():
            assert (await place.over(first))["state"] == "superseded"
            assert (await place.over(paused))["done"] == 3
            done = await place.over(second)
            assert await failures(place, done) == {}
            assert done["done"] == 3
        # Asked by its number, the operation that was superseded does nothing any more.
        again = await Operator(place.store, place.client, place.settings).work(first["operation"]["id"])
        assert again["state"] == "superseded"
        assert {(await place.told(key))["status"] for key in keys} == {"paused"}
        async with place.operations():
            await place.over(await place.act("resume"))
        for key in keys:
            await place.send("answered", key)
            assert (await place.handle(key).result())["text"] == "four"


async def test_what_cannot_be_moved_is_refused_at_once(place: Place) -> None:
    """A draft, the newest version, a version that is not there, a journey that is not there."""
    await place.publish(SECOND, draft=True)
    path = f"/v1/journeys/{place.name}/move"
    assert (await place.http.post(path)).json()["type"] == "/problems/not-in-this-state"
    await place.publish(SECOND)
    newest = await place.http.post(path, params={"from": 1})
    assert (newest.status_code, "is the newest" in newest.json()["detail"]) == (409, True)
    assert (await place.http.post(path, params={"from": 2})).json()["type"] == "/problems/unknown-version"
    assert (await place.http.post("/v1/journeys/nowhere/move")).status_code == 404
    assert (await place.http.post(path, params={"dry_run": True})).json()[
        "type"
    ] == "/problems/invalid-request"


async def test_the_command_watches_a_move_and_lists_who_stays(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dry run only asks; `--detach` does not wait; who stays is a table, and no failure of the command."""
    name, watched, get = place.name, asyncio.Event(), place.store.operations.get

    async def getting(number: int) -> Operation | None:
        watched.set()
        return await get(number)

    monkeypatch.setattr(place.store.operations, "get", getting)
    async with place.journeys():
        await place.publish(WAITS)
        keys = await place.enter(3)
        await at_listen(place, keys[:2])
        await place.publish(SECOND)
        tried = await sojourn(place, "journeys", "move", name, "--dry-run")
        assert "2 instances could be moved to version 2; 1 instance would stay" in tried.out, tried.err
        both = await sojourn(place, "journeys", "move", name, "--dry-run", "--detach")
        assert (both.code, "--detach" in both.err) == (2, True)
        detached = await as_json(place, "journeys", "move", name, "--detach")
        assert detached["operation"]["state"] == "running"
        process = await started(place, "journeys", "move", name)
        # It watches the one that is under way, which nobody works on until then.
        await watched.wait()
        async with place.operations():
            out, err = (part.decode() for part in await process.communicate())
            assert process.returncode == 0, err
            assert "2 of 3 instances done, 1 failed" in out
            assert f"{name}:{keys[2]}" in out
            assert "which version 2 has not" in " ".join(out.split())
            shown = await sojourn(place, "operations", str(detached["operation"]["id"]))
            assert f"{name}:{keys[2]}: it waits at first" in shown.out
