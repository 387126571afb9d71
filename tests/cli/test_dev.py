"""`sojourn dev`, run as a user runs it."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import re
import signal
import socket
from pathlib import Path
from typing import Any

import psutil
import pytest
import watchfiles

from sojourn.cli.dev.lock import ProjectLock
from sojourn.cli.dev.process import Dev
from sojourn.local import Ports
from tests.cli.conftest import JOURNEY, DevRun, dev_ports, write_project
from tests.cli.support import gone, quickly, running, sojourn, until
from tests.conftest import free_port


def family_of(dev: DevRun) -> list[psutil.Process]:
    """The processes of a `dev`, its guard with them."""
    return dev.process.family()


def test_dev_lives_from_start_to_end(tmp_path: Path) -> None:
    """Taken ports are replaced, changes published, errors survived; the next start goes on."""
    # A name that would mean something in a URL.
    folder = write_project(tmp_path / "shop #1 (50%20)?")
    journey = folder / "journeys/follow-up.yaml"
    journey.write_text("journey: [")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        options = ["--port", str(taken.getsockname()[1]), *dev_ports()[2:]]
        with running("dev", ".", *options, cwd=folder) as process:
            # A project with errors from the start: said, and published once they are gone.
            said = process.until("Not published: 1 error.")
            assert f"Port {options[1]} is taken: API uses" in said
            assert "error: journeys/follow-up.yaml:1:" in said
            journey.write_text(JOURNEY)
            process.until("Published: follow-up version 1")
            dev = DevRun(folder, process)
            assert not dev.api.endswith(f":{options[1]}")

            sent = dev.json("send", "lead.created", "--id", "e-1", "--data", '{"customerId": "ada"}')
            assert sent["instances"][0]["effect"] == "started"

            # An error in a file: said with its place, and nothing changes.
            length = len(process.said)
            journey.write_text(JOURNEY.replace("lead.won", "lead.one"))
            said = process.until("Not published: 1 error.", after=length)
            assert re.search(r"error: journeys/follow-up.yaml:\d+:\d+: E\d+ .*lead.one", said)
            assert dev.json("journeys", "show", "follow-up")["version"] == 1

            # Put right, with a difference: the next version.
            length = len(process.said)
            journey.write_text(JOURNEY.replace("end: lost", "end: gave up"))
            process.until("Published: follow-up version 2", after=length)
            # What it says behind that belongs to this change, not to the next.
            process.until("Running.", after=length)

            # A journey that is gone from the files is not gone: nobody shall have to find that out.
            length = len(process.said)
            journey.rename(journey.with_suffix(".away"))
            said = process.until("Running.", after=length)[length:]
            assert "no file has the journey follow-up any more, but it still lets profiles in" in said
            length = len(process.said)
            journey.with_suffix(".away").rename(journey)
            assert "no file has" not in process.until("Running.", after=length)[length:]

            # A second one in the same project is refused, and names the first.
            second = sojourn("dev", ".", cwd=folder)
            assert second.code == 1
            assert f"runs already in {folder}: process {process.process.pid}, API {dev.api}" in second.err

            family = family_of(dev)
            assert process.end(signal.SIGINT) == 130
            gone(family)
            assert "Stopped." in process.said
    assert not (folder / ".sojourn/dev.json").exists()

    with running("dev", ".", *dev_ports(), cwd=folder) as process:
        assert "Published: no journey is new" in process.until("Running.")
        dev = DevRun(folder, process)
        again = dev.json("send", "lead.created", "--id", "e-1", "--data", '{"customerId": "ada"}')
        assert again["status"] == "duplicate"
        won = dev.json("send", "lead.won", "--id", "e-2", "--data", '{"customerId": "ada"}')
        assert won["instances"][0]["effect"] == "signalled"
        until(lambda: dev.outcome("follow-up:ada") == "completed: won", 20)
        # It kept the version that it had entered.
        assert dev.json("instances", "follow-up:ada")["version"] == 1
        assert process.end(signal.SIGTERM) == 143


def test_killed_dev_leaves_no_processes_and_frees_the_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After `kill -9` its processes end; whoever wants the project waits for that, and then has it."""
    write_project(tmp_path)
    with running("dev", ".", *dev_ports(), cwd=tmp_path) as process:
        process.until("Running.")
        family = process.family()
        assert len(family) >= 5
        (guard,) = (member for member in family if member.cmdline()[-1].endswith("guard.py"))
        process.process.kill()
        process.process.wait()
        # What it left behind leads nobody astray. On the default port somebody's own `dev` may be running.
        monkeypatch.setattr("sojourn.cli.api_client.DEFAULT_URL", f"http://127.0.0.1:{free_port()}")
        assert quickly("journeys", cwd=tmp_path, env={"SOJOURN_API": ""}).code == 3
        with ProjectLock(tmp_path / ".sojourn/lock"):
            gone([member for member in family if member != guard], timeout=0)
        # It had the lock, which is free a moment before its last holder is gone.
        gone([guard])


def test_dev_needs_a_project(tmp_path: Path) -> None:
    """A folder without definitions, and one that is missing, are refused with what to do."""
    empty = sojourn("dev", ".", cwd=tmp_path)
    assert empty.code == 1
    assert "there are no definitions in" in empty.err
    assert "sojourn init" in empty.err
    missing = sojourn("dev", "nowhere", cwd=tmp_path)
    assert missing.code == 2
    assert "nowhere does not exist" in missing.err


def test_dev_without_temporal_says_how_to_get_it(tmp_path: Path) -> None:
    """No binary: what to install, no traceback, and the project is free again."""
    write_project(tmp_path)
    result = sojourn("dev", ".", *dev_ports(), cwd=tmp_path, env={"SOJOURN_TEMPORAL_BINARY": "/nowhere"})
    assert result.code == 3
    assert "SOJOURN_TEMPORAL_BINARY is '/nowhere', which is no program" in result.err
    assert "Traceback" not in result.err


def test_dev_shows_why_a_process_does_not_start(tmp_path: Path) -> None:
    """A Temporal that falls at the start: the end of its log is shown, and nothing is left."""
    write_project(tmp_path)
    broken = tmp_path / "temporal"
    broken.write_text("#!/bin/sh\necho the file is not a database\nexit 26\n")
    broken.chmod(0o755)
    env = {"SOJOURN_TEMPORAL_BINARY": str(broken)}
    result = sojourn("dev", ".", *dev_ports(), cwd=tmp_path, env=env)
    assert result.code == 3
    assert "temporal ended with status 26" in result.err
    assert "the file is not a database" in result.err


def test_init_project_runs_as_it_is(tmp_path: Path) -> None:
    """What `init` writes validates without a word, and its sample runs instances to their end."""
    made = quickly("init", "my shop", cwd=tmp_path)
    assert made.code == 0
    # What it says to type can be typed.
    assert "  sojourn dev 'my shop'" in made.out
    assert "  cd 'my shop'" in made.out
    folder = tmp_path / "my shop"
    checked = quickly("validate", "--json", cwd=folder)
    assert json.loads(checked.out) == {"ok": True, "problems": []}
    assert json.loads((folder / ".sojourn/schema.json").read_text())

    again = quickly("init", "my shop", cwd=tmp_path)
    assert again.code == 1
    assert "nothing was written, because my shop already has README.md" in again.err

    # The sample waits for 20 seconds; the test does not.
    journey = folder / "journeys/welcome.yaml"
    journey.write_text(journey.read_text().replace("after: 20s", "after: 1s"))
    with running("dev", ".", *dev_ports(), cwd=folder) as process:
        process.until("Running.")
        dev = DevRun(folder, process)
        tally = dev.json("send", "--file", "events.jsonl")
        assert (tally["accepted"], tally["started"], tally["signalled"]) == (5, 3, 2)

        expected = {"ada": "large first order", "ben": "first order", "cleo": "no order"}
        for name, text in expected.items():
            until(lambda: dev.outcome(f"welcome:{name}") == f"completed: {text}", 20)  # noqa: B023


async def test_files_are_polled_where_they_cannot_be_watched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A machine whose limit of watches is reached still gets its changes published."""
    write_project(tmp_path)
    real = watchfiles.awatch

    def limited(*paths: Path, force_polling: bool | None = None, **options: Any) -> Any:
        if not force_polling:
            raise OSError("OS file watch limit reached")
        return real(*paths, force_polling=True, **options | {"poll_delay_ms": 50})

    monkeypatch.setattr(watchfiles, "awatch", limited)
    changed: asyncio.Queue[set[Path]] = asyncio.Queue()
    watching = asyncio.create_task(Dev(tmp_path, Ports.free())._watch(changed))
    try:
        async with asyncio.timeout(20):
            # When the first look has been taken, nobody says: what is written before it is no change.
            for turn in itertools.count():
                (tmp_path / "more.yaml").write_text(f"event: other{turn}\nkey: event.id\n")
                (tmp_path / "notes.txt").write_text(f"of no concern {turn}")
                with contextlib.suppress(TimeoutError):
                    assert await asyncio.wait_for(changed.get(), 0.5) == {Path("more.yaml")}
                    break
    finally:
        watching.cancel()
    assert "OS file watch limit reached" in capsys.readouterr().err
