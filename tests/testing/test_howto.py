"""The page on testing journeys is true: its scenarios pass, and so does its test."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import yaml

from tests.cli.support import environment, sojourn
from tests.repo.documents import Block, blocks
from tests.repo.tree import ROOT

PAGE = ROOT / "docs/how-to/test-journeys.md"

SCENARIO = """
scenario: a month without an order
events:
  - {at: 0s, event: customer.signed-up, data: {customer_id: ada, email: ada@example.com}}
expect:
  text: reminded
  steps: [{step: first-order, result: timeout, at: 30d}, sleep, {step: action-email.send, at: 721h}]
  calls: [{endpoint: email.send, with: {to: ada@example.com}, at: 721h}]
"""


def _blocks(language: str) -> list[Block]:
    return [block for block in blocks(PAGE) if block.language == language]


def _project(folder: Path) -> None:
    definitions, *parts = (block.text for block in _blocks("yaml"))
    scenarios = "---\n".join(parts)
    assert next(iter(next(yaml.safe_load_all(scenarios)))) == "scenario"
    (folder / "tests").mkdir()
    (folder / "journey.yaml").write_text(definitions)
    (folder / "tests/come-back.yaml").write_text(scenarios)


def test_the_scenarios_of_the_page_pass(tmp_path: Path) -> None:
    """Its project and its scenarios do what the page says, and the failure looks as it is shown."""
    _project(tmp_path)
    done = sojourn("test", cwd=tmp_path)
    assert done.code == 0, done.out + done.err
    assert "4 scenarios passed" in done.out
    file = tmp_path / "tests/come-back.yaml"
    file.write_text(file.read_text().replace("result: timeout, at: 30d", "result: timeout, at: 7d"))
    failed = sojourn("test", "-k", "month", cwd=tmp_path)
    (shown,) = (block.text for block in _blocks("text"))
    was = [line.split() for line in failed.out.splitlines()]
    for line in shown.splitlines()[1:]:
        assert line.startswith("─") or not line or line.split() in was, line


def test_the_test_of_the_page_passes(tmp_path: Path) -> None:
    """Its pytest fixture is found, and its test runs as it stands there."""
    _project(tmp_path)
    conftest, test, _, _ = (block.text for block in _blocks("python"))
    (tmp_path / "tests/conftest.py").write_text(conftest)
    (tmp_path / "tests/test_month.py").write_text(test)
    assert "1 passed" in _pytest(tmp_path)


def _pytest(folder: Path) -> str:
    """Run the tests of a project as its author does; returns what pytest says."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"]
    done = subprocess.run(
        command, cwd=folder, env=environment(), capture_output=True, check=False, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_python_journey_of_the_page(tmp_path: Path) -> None:
    """Its test passes as it stands there, and so does a scenario about the same journey."""
    conftest, _, code, test = (block.text for block in _blocks("python"))
    (tmp_path / "tests").mkdir()
    (tmp_path / "come_back.py").write_text(code)
    (tmp_path / "tests/conftest.py").write_text(conftest)
    (tmp_path / "tests/test_come_back.py").write_text(test)
    assert "1 passed" in _pytest(tmp_path)
    (tmp_path / "tests/come-back.yaml").write_text(SCENARIO)
    done = sojourn("test", ".", "--uncached", cwd=tmp_path)
    assert done.code == 0, done.out + done.err
    assert "1 scenario passed" in done.out


def test_the_first_project_has_scenarios_that_pass(tmp_path: Path) -> None:
    """What `sojourn init` writes passes its own scenarios."""
    assert sojourn("init", "shop", cwd=tmp_path).code == 0
    done = sojourn("test", "shop", cwd=tmp_path)
    assert done.code == 0, done.out + done.err
    assert "2 scenarios passed" in done.out
