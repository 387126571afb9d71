"""Projects with Python actions: `dev`, `validate`, `publish`, `call` and `worker`, run as a user runs them."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from tests.cli.conftest import DevRun, dev_ports
from tests.cli.support import quickly, running, sojourn, until
from tests.repo.tree import ROOT

EXAMPLE = ROOT / "examples" / "python-actions"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the example."""
    ignored = shutil.ignore_patterns(".sojourn", "__pycache__")
    return Path(shutil.copytree(EXAMPLE, tmp_path / "shop", ignore=ignored))


def place(dev: DevRun, name: str, customer: str, total: int) -> None:
    """Send an order."""
    data = json.dumps({"customer": customer, "total": total})
    assert (
        dev.json("send", "order.placed", "--id", name, "--data", data)["instances"][0]["effect"] == "started"
    )


def ends(dev: DevRun, customer: str, outcome: str) -> None:
    """Wait until an instance has ended in a certain way."""
    until(
        lambda: dev.outcome(f"reward:{customer}") == outcome,
        40,
        lambda: f"{customer}: {dev.get(f'/v1/instances/reward:{customer}')}",
    )


def test_dev_runs_python_actions_and_reloads_them(project: Path) -> None:
    """The example does what its README says; a changed file takes effect; a broken one changes nothing."""
    actions = project / "actions.py"
    with running("dev", ".", *dev_ports(), cwd=project) as process:
        assert "Published: reward version 1" in process.until("Running.")
        dev = DevRun(project, process)
        assert dev.sojourn("send", "--file", "events.jsonl").code == 0
        ends(dev, "adele", "completed: voucher V-0001 of 12 euros")
        ends(dev, "bo", "completed: thanked")
        ends(dev, "test-anna", "completed: no customer")
        with sqlite3.connect(project / ".sojourn/vouchers.db") as database:
            assert database.execute("SELECT customer, euros FROM vouchers").fetchall() == [("adele", 12)]

        # A broken file: said with its line; the worker goes on with what it has.
        text = actions.read_text()
        length = len(process.said)
        actions.write_text(text + "\nimport nosuch\n")
        said = process.until("Not published: 1 error.", after=length)
        assert f"error: actions.py:{text.count(chr(10)) + 2}:1: E112" in said
        assert "the worker goes on with those that it has" in said
        assert "Traceback" not in said
        place(dev, "order-4", "amelie", 200)
        ends(dev, "amelie", "completed: voucher V-0002 of 20 euros")

        # Put right, with a difference: calls get the new code.
        length = len(process.said)
        actions.write_text(text.replace('f"V-{number:04}"', 'f"W-{number:04}"'))
        said = process.until("Running.", after=length)
        assert "The Python files have changed: the worker starts again." in said
        place(dev, "order-5", "annabel", 30)
        until(lambda: dev.outcome("reward:annabel") is not None, 40)
        # Whichever worker took it, old or new, it was made, once.
        place(dev, "order-6", "antonia", 40)
        until(lambda: (dev.outcome("reward:antonia") or "").startswith("completed: voucher "), 40)
        until(lambda: "worker" in process.said and (project / ".sojourn/worker.ready").exists(), 40)
        place(dev, "order-7", "aurelia", 40)
        ends(dev, "aurelia", "completed: voucher W-0005 of 4 euros")


def test_dev_starts_with_a_broken_file_and_heals(project: Path) -> None:
    """A file with an error from the start is said; mended, its functions are there."""
    actions = project / "actions.py"
    text = actions.read_text()
    actions.write_text(text + "import nosuch\n")
    with running("dev", ".", *dev_ports(), cwd=project) as process:
        said = process.until("Not published: 1 error.")
        assert f"error: actions.py:{text.count(chr(10)) + 1}:1: E112" in said
        length = len(process.said)
        actions.write_text(text)
        process.until("Published: reward version 1", after=length)
        dev = DevRun(project, process)
        place(dev, "order-1", "adele", 120)
        ends(dev, "adele", "completed: voucher V-0001 of 12 euros")


def test_validate_names_python_files(project: Path) -> None:
    """Problems of Python files stand beside the others; warnings and prints do not disturb `--json`."""
    assert (
        quickly("validate", ".", cwd=project)
        .out.strip()
        .endswith("(1 journey, 1 event, 2 endpoints in 3 files)")
    )
    actions = project / "actions.py"
    actions.write_text(
        actions.read_text().replace("customer: str, euros", "customer, euros") + "print('x')\n"
    )
    result = quickly("validate", ".", "--json", cwd=project)
    assert result.code == 1
    (problem,) = json.loads(result.out)["problems"]
    assert (problem["code"], problem["file"]) == ("E216", "actions.py")
    assert problem["hint"] == "Write one, such as `customer: str`, or `customer: Any`."


def test_worker_refuses_what_it_cannot_import(project: Path) -> None:
    """In a deployment, a worker without all functions does not start; it says what is wrong, without a traceback."""
    (project / "broken.py").write_text("from sojourn import action\nimport nosuch\n")
    result = sojourn("worker", "--project", ".", cwd=project, env={"SOJOURN_DATABASE": "sqlite:///x.db"})
    assert result.code == 1
    assert "the Python files are not in order" in result.err
    assert "broken.py:2:1: E112" in result.err
    assert "Traceback" not in result.err
    result = sojourn(
        "worker", "--project", "nowhere", cwd=project, env={"SOJOURN_DATABASE": "sqlite:///x.db"}
    )
    assert result.code == 2
    assert "nowhere does not exist" in result.err
    result = sojourn("worker", "--module", "nosuch", cwd=project, env={"SOJOURN_DATABASE": "sqlite:///x.db"})
    assert result.code == 1
    assert "The module nosuch cannot be imported" in result.err


def test_call_runs_a_python_function(project: Path) -> None:
    """`sojourn call` makes a test call of a function of the project."""
    result = sojourn("call", "shop.loyalty", "--with", "customer=adele", "--json", cwd=project)
    assert result.code == 0, result.err + result.out
    assert '"gold"' in result.out
