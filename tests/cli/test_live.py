"""The commands that talk to a running deployment, against a real one."""

from __future__ import annotations

import contextlib
import json
import re
import signal
import socket
from pathlib import Path

import psutil

from sojourn.cli.output import ExitCode
from tests.cli.conftest import DevRun, write_project
from tests.cli.support import quickly, running, sojourn, until
from tests.conftest import free_port


def test_publish_shows_what_is_new(dev: DevRun, tmp_path: Path) -> None:
    """A changed project: new versions, what is unchanged; a second time, nothing is new."""
    text = (
        "event: deal.made\nkey: event.customerId\n---\n"
        "journey: other\nentry: {event: deal.made}\nsteps:\n"
        "  pause:\n    wait: {for: 1h}\n  done: {end: done}\n"
    )
    write_project(tmp_path, other=text)
    first = quickly("publish", "--api", dev.api, cwd=tmp_path)
    assert first.code == ExitCode.OK
    assert "Published: other version 1" in first.out
    assert "Unchanged: follow-up" in first.out
    second = json.loads(quickly("publish", "--api", dev.api, "--json", cwd=tmp_path).out)
    assert (second["published"], sorted(second["unchanged"])) == ([], ["follow-up", "other"])


def test_journeys_are_listed_and_shown(dev: DevRun) -> None:
    """As tables for people and as JSON for programs."""
    listed = dev.sojourn("journeys")
    assert "Waits for a decision." in listed.out
    assert "lead.created" in listed.out
    shown = dev.sojourn("journeys", "show", "follow-up")
    assert "steps: decision, won, lost" in shown.out
    assert {"follow-up"} <= {journey["name"] for journey in dev.json("journeys")["journeys"]}
    unknown = dev.sojourn("journeys", "show", "followup")
    assert unknown.code == ExitCode.PROBLEMS
    assert "followup" in unknown.err


def test_one_event_says_what_it_did(dev: DevRun) -> None:
    """Accepted with its instance, duplicate, refused with the reason and what is wrong in the data."""
    sent = dev.sojourn("send", "lead.created", "--id", "one-1", "--data", '{"customerId": "one"}')
    assert sent.code == ExitCode.OK
    assert "accepted: lead.created (one-1)" in sent.out
    assert "started follow-up:one (version 1)" in sent.out
    again = dev.sojourn("send", "lead.created", "--id", "one-1", "--data", '{"customerId": "one"}')
    assert (again.code, again.out.split(":")[0]) == (ExitCode.OK, "duplicate")
    wrong = dev.sojourn("send", "lead.created", "--data", '{"customerId": 7}')
    assert wrong.code == ExitCode.PROBLEMS
    assert "invalid: " in wrong.out
    assert "/data/customerId" in wrong.out
    timeless = dev.sojourn("send", "lead.created", "--time", "yesterday", "--data", '{"customerId": "x"}')
    assert timeless.code == ExitCode.PROBLEMS
    assert "time" in timeless.err + timeless.out


def test_instances_are_listed_and_shown_with_their_steps(dev: DevRun) -> None:
    """Filters by journey, profile and status; one instance with each step it took."""
    for name in ("ann", "bob"):
        dev.json("send", "lead.created", "--id", f"new-{name}", "--data", json.dumps({"customerId": name}))
    dev.json("send", "lead.won", "--id", "won-ann", "--data", '{"customerId": "ann"}')
    until(lambda: dev.outcome("follow-up:ann") == "completed: won", 20)

    shown = dev.sojourn("instances", "follow-up:ann")
    assert "completed: won" in shown.out
    assert "decision" in shown.out
    waiting = dev.sojourn("instances", "follow-up:bob")
    assert "running at decision, waiting for lead.won until 20" in waiting.out
    steps = [(step["step"], step["result"]) for step in dev.json("instances", "follow-up:ann")["steps"]]
    assert steps == [("decision", "lead.won"), ("won", "won")]

    def ids(*filters: str) -> set[str]:
        return {item["workflow_id"] for item in dev.json("instances", *filters)["instances"]}

    # The list is about a second behind.
    until(lambda: bool(dev.get("/v1/instances", profile="ann", status="completed")["instances"]), 20)
    until(lambda: bool(dev.get("/v1/instances", profile="bob", status="running")["instances"]), 20)
    assert ids("--profile", "ann", "--status", "completed") == {"follow-up:ann"}
    assert "follow-up:bob" in ids("--journey", "follow-up", "--status", "running")
    assert ids("--profile", "nobody") == set()
    assert "No instances." in dev.sojourn("instances", "--profile", "nobody").out
    assert len(dev.json("instances", "--limit", "1")["instances"]) == 1
    unknown = dev.sojourn("instances", "follow-up:nobody")
    assert unknown.code == ExitCode.PROBLEMS
    assert "follow-up:nobody" in unknown.err
    odd = dev.sojourn("instances", "--status", "sleeping")
    assert odd.code == ExitCode.PROBLEMS
    assert "status: must be" in odd.err


def test_file_of_events_is_sent_and_can_be_sent_again(dev: DevRun, tmp_path: Path) -> None:
    """Batches in the order of the file; the second time everything is a duplicate."""
    file = tmp_path / "leads.jsonl"
    events = [
        {"id": f"lead-{n}", "name": "lead.created", "data": {"customerId": f"f-{n}"}} for n in range(12)
    ]
    file.write_text("\n".join(map(json.dumps, events)))
    first = dev.json("send", "--file", str(file), "--batch", "5")
    assert (first["sent"], first["accepted"], first["started"]) == (12, 12, 12)
    second = dev.json("send", "--file", str(file))
    assert (second["sent"], second["duplicate"], second["started"]) == (12, 12, 0)


def test_api_that_cannot_have_its_port_says_so(tmp_path: Path) -> None:
    """A port in use: the address, and what to do."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        env = {"SOJOURN_DATABASE": f"sqlite:///{tmp_path}/s.db"}
        result = sojourn("api", "--port", str(port), cwd=tmp_path, env=env)
    assert result.code == ExitCode.PROBLEMS
    assert f"cannot listen on 127.0.0.1:{port}: Address already in use" in result.err
    assert "SOJOURN_API_PORT" in result.err
    assert "Traceback" not in result.err


def test_api_beyond_this_machine_needs_a_key(tmp_path: Path) -> None:
    """Without keys it refuses to listen on all addresses."""
    env = {"SOJOURN_DATABASE": f"sqlite:///{tmp_path}/s.db"}
    result = sojourn("api", "--host", "0.0.0.0", "--port", "0", cwd=tmp_path, env=env)
    assert result.code == ExitCode.PROBLEMS
    assert "sojourn keys create" in result.err


def test_api_without_temporal_answers_503_and_wants_keys_once_there_are_some(tmp_path: Path) -> None:
    """It starts, says that Temporal is away, refuses events for now; a key made meanwhile counts at once."""
    port = str(free_port())
    env = {
        "SOJOURN_DATABASE": f"sqlite:///{tmp_path}/s.db",
        "TEMPORAL_ADDRESS": f"127.0.0.1:{free_port()}",
        "SOJOURN_API": f"http://127.0.0.1:{port}",
    }
    write_project(tmp_path)
    with running("api", "--port", port, cwd=tmp_path, env=env) as api:
        api.until("listens on")
        assert "no Temporal server answers at" in api.said
        assert quickly("publish", ".", cwd=tmp_path, env=env).code == ExitCode.OK
        sent = quickly("send", "lead.created", "--data", '{"customerId": "a"}', cwd=tmp_path, env=env)
        assert sent.code == ExitCode.UNREACHABLE
        assert "Temporal cannot be reached: start it (`sojourn dev` brings its own" in sent.err
        assert "TEMPORAL_ADDRESS" in sent.err
        # It may have been taken all the same: the id makes trying again harmless.
        assert re.search(r"Give it `--id [0-9a-f-]{36}` then", sent.err)
        listed = quickly("instances", cwd=tmp_path, env=env)
        assert "Temporal cannot be reached: start it" in listed.err

        key = quickly("keys", "create", "me", cwd=tmp_path, env=env).out.strip()
        until(lambda: quickly("journeys", cwd=tmp_path, env=env).code == ExitCode.PROBLEMS, 15)
        assert "--key or SOJOURN_API_KEY" in quickly("journeys", cwd=tmp_path, env=env).err
        assert quickly("journeys", cwd=tmp_path, env=env | {"SOJOURN_API_KEY": key}).code == ExitCode.OK
        assert api.end(signal.SIGTERM) == ExitCode.OK
    assert "Traceback" not in api.said
    assert "alembic.runtime.plugins" not in api.said


def test_worker_finishes_and_says_so(dev: DevRun, tmp_path: Path) -> None:
    """A second worker joins, writes its ready file, and leaves with status 0 on SIGTERM, 130 on Ctrl-C."""
    env = {
        "TEMPORAL_ADDRESS": dev.state["temporal"],
        "SOJOURN_DATABASE": f"sqlite:///{dev.folder}/.sojourn/sojourn.db",
    }
    for sign, status in ((signal.SIGTERM, ExitCode.OK), (signal.SIGINT, ExitCode.INTERRUPTED)):
        with running("worker", "--ready-file", "ready", cwd=tmp_path, env=env) as worker:
            until((tmp_path / "ready").exists, 30, lambda: worker.said)
            assert worker.end(sign) == status
            assert not (tmp_path / "ready").exists()
            assert "stopping: calls in flight get 10 seconds" in worker.said


def test_worker_says_that_the_namespace_is_missing(dev: DevRun, tmp_path: Path) -> None:
    """A namespace that does not exist is named, without a traceback."""
    env = {
        "TEMPORAL_ADDRESS": dev.state["temporal"],
        "TEMPORAL_NAMESPACE": "nowhere",
        "SOJOURN_DATABASE": f"sqlite:///{tmp_path}/s.db",
    }
    result = sojourn("worker", cwd=tmp_path, env=env)
    assert result.code == ExitCode.UNREACHABLE
    assert "nowhere" in result.err.splitlines()[-1]
    assert "Traceback" not in result.err


def test_dev_replaces_a_fallen_worker_and_rereads_secrets(dev: DevRun) -> None:
    """A killed worker is said and replaced; a new name in `.env` reaches a new worker."""

    def secrets() -> set[str]:
        found = set()
        for member in dev.process.family():
            with contextlib.suppress(psutil.Error):  # it has ended while it was looked at
                if "worker" in member.cmdline():
                    found.add(member.environ().get("SOJOURN_SECRETS", ""))
        return found

    worker = next(member for member in dev.process.family() if "worker" in member.cmdline())
    worker.kill()
    dev.process.until("Starting worker again.")
    (dev.folder / ".env").write_text("FIRST=one\nSECOND=two\n")
    dev.process.until("the worker starts again")
    until(lambda: secrets() == {"FIRST,SECOND"}, 20, lambda: str(secrets()))
    assert "two" not in dev.process.said
