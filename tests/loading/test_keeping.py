"""A worker runs the code of its start, whatever happens to the files meanwhile."""

from __future__ import annotations

import asyncio
from pathlib import Path

from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from sojourn.client import JourneyClient
from sojourn.hosting import journey_plugin
from sojourn.loading import load_project
from sojourn.settings import Settings
from sojourn.store import Store

CODE = """\
from words_UNIQUE import WORD

from sojourn import Event, journey


class Entered(Event, name="entered", key="id"):
    id: str


@journey.defn(name="kept-UNIQUE", entry=Entered)
class Kept:
    @journey.run
    async def run(self, entered: Entered) -> str:
        return WORD
"""


async def test_files_that_change_do_not_reach_a_running_worker(
    temporal: WorkflowEnvironment, tmp_path: Path, unique: str
) -> None:
    """Instances, each of which the sandbox gives modules of its own, have those of the worker's start."""
    project = tmp_path / "shop"
    project.mkdir()
    code, words = (project / f"{name}_{unique}.py" for name in ("kept", "words"))
    code.write_text(CODE.replace("UNIQUE", unique))
    words.write_text('WORD = "first"\n')
    settings = Settings(database=f"sqlite:///{tmp_path}/sojourn.db", task_queue=unique)
    store = await Store.open(settings.database)
    await store.migrate()
    await store.publish(load_project(project))
    await store.close()
    caller = JourneyClient(temporal.client, task_queue=unique)

    async def outcome(key: str) -> str | None:
        await caller.send("entered", {"id": key})
        return (await asyncio.wait_for(caller.result(f"kept-{unique}", key), 20)).text

    with temporal.with_time_skipping_disabled():
        async with (
            journey_plugin(settings, project=project) as plugin,
            Worker(temporal.client, task_queue=unique, plugins=[plugin]),
        ):
            assert await outcome("a") == "first"
            words.write_text('WORD = "second"\n')
            assert await outcome("b") == "first"
            code.write_text("half a line(\n")
            words.unlink()
            code.unlink()
            assert await outcome("c") == "first"
