"""The commands that steer journeys and instances, as processes of their own, against a real API."""

from __future__ import annotations

import asyncio
import json
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.cli.support import COMMAND, Result, environment
from tests.lifecycle.support import EVENTS, JOURNEY, Place


async def sojourn(place: Place, *words: str, stdin: str = "") -> Result:
    """Run a command to its end, while the API of this process answers it."""
    process = await started(place, *words)
    out, err = await process.communicate(stdin.encode())
    assert process.returncode is not None
    return Result(process.returncode, out.decode(), err.decode())


async def started(place: Place, *words: str) -> asyncio.subprocess.Process:
    """Start a command."""
    pipes = {
        "stdin": asyncio.subprocess.PIPE,
        "stdout": asyncio.subprocess.PIPE,
        "stderr": asyncio.subprocess.PIPE,
    }
    url = str(place.http.base_url)
    return await asyncio.create_subprocess_exec(
        *COMMAND,
        *words,
        env=environment({"SOJOURN_API": url}),
        **pipes,  # type: ignore[arg-type]
    )


async def as_json(place: Place, *words: str) -> Any:
    """What a command says with --json."""
    result = await sojourn(place, *words, "--json")
    assert result.code == 0, result.err
    return json.loads(result.out)


async def test_a_journey_is_steered_by_commands(place: Place) -> None:
    """Each says what the state is and how many instances were reached; refusals say what is possible."""
    name = place.name
    async with place.workers():
        await place.publish()
        await place.enter(2)
        paused = await sojourn(place, "journeys", "pause", name)
        assert paused.code == 0, paused.err
        assert f"{name} is paused." in paused.out
        assert "done; 2 of 2 instances done" in paused.out
        refused = await sojourn(place, "journeys", "close", name)
        assert refused.code == 1
        assert "Resume it and close it then, or stop it." in refused.err
        resumed = await as_json(place, "journeys", "resume", name)
        assert (resumed["state"], resumed["operation"]["done"]) == ("live", 2)
        assert (await sojourn(place, "journeys", "close", name)).out == f"{name} is closed, version 1.\n"
        reopened = await sojourn(place, "journeys", "reopen", name)
        assert reopened.out == f"{name} is live, version 2.\n"
        one = await sojourn(place, "journeys", "pause", name, "--version", "1")
        assert (one.code, f"pause {name} version 1: done" in one.out) == (0, True)
        listed = await sojourn(place, "operations", "--journey", name)
        assert listed.out.count(name) == 3
        last = (await as_json(place, "operations", "--journey", name))["operations"][0]
        shown = await sojourn(place, "operations", str(last["id"]), "--follow")
        assert "2 of 2 instances done" in shown.out
        assert (await sojourn(place, "operations", "999999")).code == 1


async def test_one_version_is_stopped_and_no_other(place: Place) -> None:
    """`stop --version` leaves the journey live, and those in other versions where they are."""
    async with place.workers():
        await place.publish()
        await place.enter(1)
        await place.publish(JOURNEY.replace("90d", "80d"))
        assert await place.send("entered", "p1") == "started"
        stopped = await sojourn(place, "journeys", "stop", place.name, "--version", "1", "--yes")
        assert "1 of 1 instance" in stopped.out, stopped.err
        assert (await place.handle("p0").result())["outcome"] == "stopped"
        assert "running at listen" in (await sojourn(place, "instances", f"{place.name}:p1")).out
        assert await place.state() == "live"


async def test_stopping_asks_first(place: Place) -> None:
    """No is the answer of whoever does not say yes."""
    async with place.workers():
        await place.publish()
        await place.enter(1)
        unsure = await sojourn(place, "journeys", "stop", place.name, stdin="n\n")
        assert unsure.code == 1
        assert await place.state() == "live"
        sure = await sojourn(place, "journeys", "stop", place.name, "--yes")
        assert (sure.code, await place.state()) == (0, "stopped")
        assert (await place.handle("p0").result())["outcome"] == "stopped"


async def test_an_interrupt_stops_watching_and_nothing_else(place: Place) -> None:
    """Ctrl-C while no worker works on it: the command says how to look again, and the operation goes on."""
    await place.publish()
    await place.enter(1)
    process = await started(place, "journeys", "pause", place.name)
    assert process.stdout is not None
    assert (await process.stdout.readline()).decode() == f"{place.name} is paused.\n"
    process.send_signal(signal.SIGINT)
    _, err = await process.communicate()
    assert process.returncode == 130
    (operation,) = await place.store.operations.list()
    assert f"sojourn operations {operation.id} --follow" in err.decode()
    assert operation.state == "running"
    detached = await sojourn(place, "journeys", "pause", place.name, "--detach")
    assert detached.code == 0
    assert "running; 0 of" in detached.out
    async with place.workers():
        assert (await place.over({"operation": {"id": operation.id}}))["done"] == 1


@pytest.mark.parametrize("what", ["pause", "move"])
async def test_an_interrupt_before_the_answer_says_that_it_may_have_begun(what: str, place: Place) -> None:
    """An API that has been asked and hangs: nobody knows whether it does what it was asked."""
    asked: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.set_result(await reader.readline())
        await reader.read()
        writer.close()

    async with await asyncio.start_server(hang, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        process = await started(place, "journeys", what, "welcome", "--api", url)
        assert (await asked).startswith(f"POST /v1/journeys/welcome/{what} ".encode())
        process.send_signal(signal.SIGINT)
        _, err = await process.communicate()
    assert process.returncode == 130
    assert "It may have begun: `sojourn operations --journey welcome`" in err.decode()


async def test_one_instance_is_steered_by_commands(place: Place) -> None:
    """`show` may be left out; why it is paused is said; without a worker, that what was asked is kept."""
    first, second = f"{place.name}:p0", f"{place.name}:p1"
    async with place.workers():
        await place.publish()
        await place.enter(2)
        assert "paused by itself at listen" in (await sojourn(place, "instances", "pause", first)).out
        await place.over(await place.act("pause"))
        still = await sojourn(place, "instances", "resume", first)
        assert "paused with its journey at listen" in still.out
        assert f"sojourn journeys resume {place.name}" in still.err
        for words in (["instances", second], ["instances", "show", second]):
            assert "paused with its journey" in (await sojourn(place, *words)).out
        listed = await as_json(place, "instances", "--journey", place.name)
        assert {item["workflow_id"] for item in listed["instances"]} == {first, second}
        ended = await sojourn(place, "instances", "exit", first, "--reason", "asked us to")
        assert "exited: asked us to" in ended.out
        assert (await sojourn(place, "instances", "stop", second, stdin="n\n")).code == 1
        assert "stopped" in (await sojourn(place, "instances", "stop", second, "--yes")).out
        gone = await sojourn(place, "instances", "pause", second)
        assert (gone.code, "has ended" in gone.err) == (1, True)


async def test_a_draft_is_saved_published_and_discarded(place: Place, tmp_path: Path) -> None:
    """`publish --draft` changes nothing that is live."""
    project = tmp_path / "project"
    project.mkdir()
    (project / "events.yaml").write_text(EVENTS)
    journey = JOURNEY.replace("NAME", place.name)
    (project / "journey.yaml").write_text(journey)
    saved = await sojourn(place, "publish", str(project), "--draft")
    assert f"Saved as a draft: {place.name} version 1" in saved.out, saved.err
    listed = await as_json(place, "journeys")
    assert [(item["name"], item["state"]) for item in listed["journeys"]] == [(place.name, "draft")]
    assert (
        await sojourn(place, "journeys", "publish", place.name)
    ).out == f"{place.name} is live, version 1.\n"
    (project / "journey.yaml").write_text(journey.replace("done}", "other}"))
    await sojourn(place, "publish", str(project), "--draft")
    assert "live, draft 2" in (await sojourn(place, "journeys")).out
    assert (await sojourn(place, "journeys", "discard", place.name)).code == 0
    again = await sojourn(place, "journeys", "publish", place.name)
    assert (again.code, "has no draft" in again.err) == (1, True)
