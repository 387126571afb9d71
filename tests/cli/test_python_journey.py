"""`examples/python-journey` does what its README says: each of its commands, run as a reader does."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import DevRun, dev_ports
from tests.cli.support import environment, running, until
from tests.repo.documents import blocks
from tests.repo.tree import ROOT

EXAMPLE = ROOT / "examples/python-journey"
README = EXAMPLE / "README.md"


def commands() -> dict[str, list[list[str]]]:
    """The commands of the README that this module runs, by their first two words."""
    found: dict[str, list[list[str]]] = {}
    for block in blocks(README):
        if "test_python_journey" in block.argument:
            for line in block.text.splitlines():
                words = shlex.split(line.removeprefix("$ "), comments=True)
                found.setdefault(" ".join(words[:2]), []).append(words)
    return found


def table() -> dict[str, str]:
    """What becomes of customers, as the README says."""
    rows = re.findall(r"^\| (\w+) \| (.+) \|$", README.read_text("utf-8"), re.MULTILINE)
    return dict(rows[rows.index(("customer", "outcome")) + 1 :])


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the example."""
    ignored = shutil.ignore_patterns(".sojourn", "__pycache__")
    return Path(shutil.copytree(EXAMPLE, tmp_path / "coffee", ignore=ignored))


@pytest.mark.slow
def test_its_tests_pass(project: Path) -> None:
    """Its pytest tests pass as its README runs them."""
    ((_, *words),) = commands()["python -m"]
    done = subprocess.run(
        [sys.executable, *words, "-q", "-p", "no:cacheprovider"],
        cwd=project,
        env=environment(),
        capture_output=True,
        check=False,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "8 passed" in done.stdout


@pytest.mark.slow
def test_its_readme_is_true(project: Path) -> None:
    """Everything that it tells to type is typed; what becomes of customers is what its table says."""
    told = commands()
    (start,), (sample, again), (listing, showing, changed) = (
        told[f"sojourn {verb}"] for verb in ("dev", "send", "instances")
    )
    with running(*start[1:], *dev_ports(), cwd=project) as process:
        assert "Published: coffee-refill version 1" in process.until("Running.")
        dev = DevRun(project, process)
        assert dev.sojourn(*sample[1:]).code == 0
        outcomes = table()
        assert list(outcomes) == ["ada", "ben", "cleo", "zoe"]
        for customer in ("ada", "cleo", "zoe"):
            until(
                lambda customer=customer: (
                    dev.outcome(f"coffee-refill:{customer}") == f"completed: {outcomes[customer]}"
                ),
                40,
            )  # type: ignore[misc]
        # The list is about a second behind.
        until(lambda: len(dev.get("/v1/instances")["instances"]) == len(outcomes), 40)
        listed = dev.sojourn(*listing[1:])
        assert listed.code == 0
        assert all(f"coffee-refill:{customer}" in listed.out for customer in outcomes)
        shown = dev.sojourn(*showing[1:])
        assert shown.out.count("  action  ") == 2
        outbox = (project / ".sojourn/outbox.txt").read_text().splitlines()
        assert outbox == [
            f"ada@example.com: {template} for Ada" for template in ("refill", "refill-with-voucher")
        ]
        assert dev.get("/v1/instances/coffee-refill:ben")["step"] == "drinks"
        # What it tells to change: who is inside goes on with three reminders.
        length = len(process.said)
        code = project / "refill.py"
        code.write_text(
            code.read_text().replace('"refill-with-voucher")', '"refill-with-voucher", "farewell")')
        )
        assert "the worker starts again" in process.until("Running.", after=length)
        assert dev.sojourn(*again[1:]).code == 0
        until(lambda: dev.outcome("coffee-refill:ben") == "completed: lost after 2 bags", 40)
        shown = dev.sojourn(*changed[1:])
        assert shown.out.count("  action  ") == 3
        assert (project / ".sojourn/outbox.txt").read_text().endswith("ben@example.com: farewell for Ben\n")
