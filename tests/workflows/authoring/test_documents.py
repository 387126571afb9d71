"""The pages on Python journeys are true: the journey of the how-to runs, and the reference is what the code says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from sojourn.cli.journey_reference import page
from tests.cli.support import environment, sojourn
from tests.repo.documents import blocks
from tests.repo.tree import ROOT

HOW_TO = ROOT / "docs/how-to/python-journeys.md"
REFERENCE = ROOT / "docs/reference/journeys-in-python.md"


def test_the_reference_is_current() -> None:
    """It is written from the docstrings."""
    assert REFERENCE.read_text() == page()


def test_the_journey_of_the_page_passes_its_test(tmp_path: Path) -> None:
    """Its files make a project that is valid, and its test passes."""
    code, test = (block.text for block in blocks(HOW_TO) if block.language == "python")
    (definitions,) = (block.text for block in blocks(HOW_TO) if block.language == "yaml")
    (tmp_path / "tests").mkdir()
    (tmp_path / "reminders.py").write_text(code)
    (tmp_path / "events.yaml").write_text(definitions)
    (tmp_path / "tests/conftest.py").write_text('pytest_plugins = ["sojourn.testing.plugin"]\n')
    (tmp_path / "tests/test_reminders.py").write_text(test)
    assert sojourn("validate", ".", cwd=tmp_path).code == 0
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
