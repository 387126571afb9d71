"""Python in documents runs: each page with some is run by a test, and those here by this module."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from temporalio.testing import WorkflowEnvironment

from sojourn.activities import Calls, StaticEndpoints
from sojourn.definitions import load_texts
from sojourn.testing import World
from sojourn.testing.projects import prepare_project
from tests.repo.documents import Block, all_blocks, blocks
from tests.repo.tree import ROOT, shown

LIMITS = ROOT / "docs/how-to/limit-calls.md"
SEVERAL = ROOT / "docs/how-to/several-instances.md"

PROGRAMS = sorted({block.path for block in all_blocks() if block.language == "python" and not block.verb})


def program_of(page: Path) -> Block:
    """The only program of a page."""
    (found,) = (block for block in blocks(page) if block.language == "python")
    return found


@pytest.mark.parametrize("page", PROGRAMS, ids=shown)
def test_each_page_with_programs_has_a_test(page: Path) -> None:
    """A test names the page, and runs what it shows; whatever is only to be parsed says so."""
    texts = (path.read_text("utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    assert any(f"{page.parent.name}/{page.name}" in text or f'"{page.name}"' in text for text in texts)


async def test_several_instances_in_python(temporal: WorkflowEnvironment, tmp_path: Path) -> None:
    """Each order has an instance of its own, and its shipping ends that one."""
    (tmp_path / "orders_of_the_page.py").write_text(program_of(SEVERAL).text)
    about = prepare_project(tmp_path, [])
    async with World.open(temporal, about.project, journeys=about.journeys) as world:
        for order in ("o-1", "o-2"):
            await world.send("order.placed", {"customer": "ada", "order": order})
        await world.send("order.shipped", {"customer": "ada", "order": "o-2"})
        assert [instance.text for instance in world.instances] == [None, "o-2 shipped"]


async def test_the_queues_of_throttled_actions_are_served(temporal: WorkflowEnvironment) -> None:
    """The program of the page polls the queue while it runs, at the rate of the action."""
    action = "action: mail.send\nmethod: POST\nurl: http://127.0.0.1:1/\nthrottle: {calls: 5, per: 1s}\n"
    endpoints = StaticEndpoints(load_texts({"a.yaml": action}).endpoints)
    program = program_of(LIMITS)
    served: list[Any] = []
    found: dict[str, Any] = {"looked_at": served.append, "asyncio": asyncio}
    waiting = "        looked_at(queues)\n        while not queues.polled: await asyncio.sleep(0.05)\n"
    assert "        ...\n" in program.text
    exec(compile(program.text.replace("        ...\n", waiting), program.where, "exec"), found)
    with temporal.with_time_skipping_disabled():
        await asyncio.wait_for(found["serve"](temporal.client, endpoints, Calls(endpoints)), 30)
    assert len(served) == 1
    assert served[0].polled == {}
