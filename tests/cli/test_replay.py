"""`sojourn replay`, and the page on changing Python journeys: its code, under an instance that runs."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from sojourn.plugin import JourneyPlugin
from sojourn.workflows.authoring.define import settings_of
from tests.cli.support import Result, sojourn
from tests.repo.documents import blocks
from tests.repo.tree import ROOT
from tests.workflows.support import Runner, signal, until_waiting

PAGE = ROOT / "docs/how-to/change-python-journeys.md"
JOURNEY = "first-purchase-watch"


def project(folder: Path, text: str) -> Path:
    """Write a project of one Python file."""
    folder.mkdir()
    (folder / "watch.py").write_text(text)
    return folder


def journey_of(folder: Path) -> type:
    """Import the journey of a project under a name of its own, since each has the same."""
    spec = importlib.util.spec_from_file_location(f"watch_{folder.name}", folder / "watch.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    found: type = module.FirstPurchase
    return found


def worker(temporal: WorkflowEnvironment, queue: str, body: type) -> Worker:
    """Return a worker with a version of the code."""
    return Worker(
        temporal.client,
        task_queue=queue,
        plugins=[JourneyPlugin(journeys=[body], register_activities=False)],
        workflow_runner=UnsandboxedWorkflowRunner(),
    )


async def replayed(*arguments: str | Path, temporal: WorkflowEnvironment, cwd: Path) -> Result:
    """Run the command against the tests' server."""
    env = {"TEMPORAL_ADDRESS": temporal.client.service_client.config.target_host}
    return await asyncio.to_thread(lambda: sojourn("replay", *arguments, cwd=cwd, env=env))


async def test_a_change_under_a_running_instance_needs_a_patch(
    temporal: WorkflowEnvironment, tmp_path: Path, unique: str
) -> None:
    """Without one the command says where it differs; with one, the instance goes on with the new code."""
    first, patched, _ = (block.text for block in blocks(PAGE) if block.language == "python")
    greeting = '        if workflow.patched("greeting"):\n            await'
    assert greeting in patched
    before = project(tmp_path / "before", first)
    bare = project(tmp_path / "bare", patched.replace(greeting, "        await"))
    after = project(tmp_path / "after", patched)
    body = journey_of(before)
    with temporal.with_time_skipping_disabled():
        async with worker(temporal, unique, body):
            definition = {**settings_of(body).definition(), "version": 1}
            handle = await Runner(temporal.client, unique).start(
                definition, {"customer_id": unique}, key=unique
            )
            await until_waiting(handle, "wait_for-first.purchase")
        options = ("--from-temporal", "--journey", JOURNEY)
        for _ in range(50):  # until Temporal lists it
            fine = await replayed(
                before, *options, "--save", tmp_path / "saved", temporal=temporal, cwd=tmp_path
            )
            if handle.id in fine.out:
                break
        assert fine.code == 0, fine.out + fine.err
        assert f"ok      {handle.id}" in fine.out
        assert "what customers' events" in fine.err
        differs = await replayed(bare, *options, temporal=temporal, cwd=tmp_path)
        assert differs.code == 1
        assert "differs" in differs.out
        assert "at event" in differs.out
        assert "of step wait_for-first.purchase" in differs.out
        assert "1 would stand still" in differs.out
        assert "Traceback" not in differs.err
        fine = await replayed(after, *options, temporal=temporal, cwd=tmp_path)
        assert fine.code == 0, fine.out + fine.err
        async with worker(temporal, unique, journey_of(after)):
            await signal(handle, "first.purchase", {"customer_id": unique})
            result = await handle.result()
    assert result["text"] == "bought"
    assert [record["kind"] for record in result["steps"]] == ["wait_for"]
    _recorded(tmp_path, bare, after, handle.id)


def _recorded(folder: Path, bare: Path, after: Path, identity: str) -> None:
    """What was saved is replayed without Temporal, and its names tell no customer."""
    saved = folder / "saved"
    (file,) = saved.glob("*.json")
    assert identity.partition(":")[2] not in file.name
    fine = sojourn("replay", after, "--histories", saved, cwd=folder)
    assert (fine.code, fine.out.split()[0]) == (0, "ok")
    done = sojourn("replay", bare, "--histories", saved, "--json", cwd=folder)
    assert done.code == 1
    (found,) = json.loads(done.out)["histories"]
    assert (found["journey"], found["verdict"], found["step"]) == (
        JOURNEY,
        "differs",
        "wait_for-first.purchase",
    )
    assert found["event"] > 1
    empty = folder / "empty"
    empty.mkdir()
    missing = sojourn("replay", empty, "--histories", saved, cwd=folder)
    assert missing.code == 1
    assert "missing" in missing.out


def test_yaml_journeys_are_checked_with_the_interpreter(tmp_path: Path) -> None:
    """The recorded histories of the releases, and what is no journey's."""
    histories = ROOT / "tests/workflows/histories"
    done = sojourn("replay", "--histories", histories, "--journey", "second-purchase", cwd=tmp_path)
    assert done.code == 0, done.out + done.err
    assert "all go on" in done.out
    (source,) = list(histories.rglob("cart-purchased-1.json"))[:1]
    text = source.read_text()
    (tmp_path / "h").mkdir()
    (tmp_path / "h/other.json").write_text(text.replace("sojourn.Journey", "Invoice"))
    done = sojourn("replay", "--histories", "h", cwd=tmp_path)
    assert done.code == 0
    assert done.out.startswith("skipped other.json: Invoice is no journey")


def test_wrong_uses_are_told(tmp_path: Path) -> None:
    """With what to write, and the exit status of wrong usage or of something that does not answer."""
    assert "say where histories come from" in sojourn("replay", cwd=tmp_path).err
    (tmp_path / "empty").mkdir()
    none = sojourn("replay", "--histories", "empty", cwd=tmp_path)
    assert (none.code, "no history in empty" in none.err) == (2, True)
    (tmp_path / "empty/x.json").write_text("{}")
    bad = sojourn("replay", "--histories", "empty", cwd=tmp_path)
    assert (bad.code, "is no history" in bad.err) == (2, True)
    away = sojourn("replay", "--from-temporal", cwd=tmp_path, env={"TEMPORAL_ADDRESS": "127.0.0.1:9"})
    assert (away.code, "no Temporal server" in away.err) == (3, True)
    unset: dict[str, Any] = {"SOJOURN_DATA_CONVERTER": "nowhere:converter"}
    wrong = sojourn("replay", "--histories", "empty", cwd=tmp_path, env=unset)
    assert (wrong.code, "cannot be imported" in wrong.err) == (2, True)
