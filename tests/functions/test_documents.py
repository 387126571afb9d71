"""The how-to on Python actions does what it says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sojourn.loading import load_project
from tests.repo.documents import Block, blocks
from tests.repo.tree import ROOT

PAGE = ROOT / "docs" / "how-to" / "python-actions.md"


def shown(language: str) -> list[Block]:
    """The page's blocks of a language."""
    return [block for block in blocks(PAGE) if block.language == language]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The page's project on disk."""
    functions, context, tests, _ = shown("python")
    (journey,) = shown("yaml")
    (tmp_path / "actions.py").write_text(functions.text + "\n\n" + context.text)
    (tmp_path / "test_actions.py").write_text(tests.text)
    (tmp_path / "journey.yaml").write_text(journey.text)
    return tmp_path


def test_the_project_is_valid(project: Path) -> None:
    """Its journey fits its functions."""
    loaded = load_project(project)
    assert [str(problem) for problem in loaded.errors] == []
    assert set(loaded.endpoints) == {"source:crm.customer", "action:email.send", "action:voucher.issue"}


def test_the_tests_pass(project: Path) -> None:
    """What it shows as tests of an author are tests that pass."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_actions.py"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 passed" in done.stdout


async def test_a_host_takes_the_functions(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last block gives a plugin, and calls that reach the functions."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    program = shown("python")[-1]
    assert 'Path("shop-journeys")' in program.text
    found: dict[str, Any] = {}
    exec(compile(program.text.replace('"shop-journeys"', repr(str(project))), program.where, "exec"), found)
    assert found["plugin"].name() == "sojourn.JourneyPlugin"
    try:
        async with found["calls"] as calls:
            result = await calls.call("source", "crm.customer", {"number": "ada"}, window=5)
    finally:
        sys.modules.pop("actions", None)
    assert result == {"status": 200, "body": {"email": "ada@example.com", "opted_in": True}}
