"""A data converter that the environment names, in real processes: routed, run, asked and replayed with it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from temporalio.testing import WorkflowEnvironment

from sojourn.definitions import load_texts
from sojourn.store import Store
from tests.cli.support import running, sojourn
from tests.conftest import free_port
from tests.plugin import codec
from tests.plugin.support import YAML
from tests.repo.tree import ROOT


async def test_every_process_takes_it(temporal: WorkflowEnvironment, tmp_path: Path, unique: str) -> None:
    """An event over HTTP starts an instance whose payloads only they can read."""
    database = f"sqlite:///{tmp_path}/sojourn.db"
    store = await Store.open(database)
    await store.migrate()
    await store.publish(load_texts({"project.yaml": YAML}))
    await store.close()
    variables = {
        "SOJOURN_DATABASE": database,
        "SOJOURN_TASK_QUEUE": f"codec-{unique}",
        "SOJOURN_DATA_CONVERTER": "tests.plugin.codec:converter",
        "TEMPORAL_ADDRESS": temporal.client.service_client.config.target_host,
        "PYTHONPATH": str(ROOT),
    }
    with temporal.with_time_skipping_disabled():
        await asyncio.to_thread(_send_and_ask, tmp_path, variables, unique)
        handle = temporal.client.get_workflow_handle(f"visit:{unique}")
        start = (await handle.fetch_history()).events[0].workflow_execution_started_event_attributes
        (payload,) = start.input.payloads
        assert payload.metadata["encoding"] == b"binary/encrypted"
        (value,) = await codec.converter.decode([payload])
        assert value["key"] == unique
        await handle.terminate()


def _send_and_ask(folder: Path, variables: dict[str, str], key: str) -> None:
    port = str(free_port())
    url = f"http://127.0.0.1:{port}"
    with (
        running("worker", cwd=folder, env=variables) as worker,
        running("api", "--port", port, cwd=folder, env=variables) as api,
    ):
        worker.until("ready: task queue")
        api.until("listens on")
        data = json.dumps({"customerId": key})
        sent = sojourn("send", "visited", "--id", key, "--data", data, "--api", url, cwd=folder)
        assert sent.code == 0, sent.out + sent.err
        shown = sojourn("instances", f"visit:{key}", "--api", url, "--json", cwd=folder)
        assert json.loads(shown.out)["step"] == "buy", shown.out + shown.err
    fine = sojourn("replay", "--from-temporal", "--journey", "visit", cwd=folder, env=variables)
    assert fine.code == 0, fine.out + fine.err


def test_a_converter_that_is_none_is_told_at_the_start(tmp_path: Path) -> None:
    """With what to write."""
    for named, says in (
        ("codec", "write MODULE:ATTRIBUTE"),
        ("nowhere.codec:converter", "cannot be imported"),
        ("json:converter", "json has no converter"),
        ("json:dumps", "DataConverter"),
    ):
        done = sojourn("worker", cwd=tmp_path, env={"SOJOURN_DATA_CONVERTER": named})
        assert (done.code, says in done.err, "Traceback" in done.err) == (2, True, False), done.err
