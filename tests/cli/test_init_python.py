"""`sojourn init --python`: a project that runs and tests itself as it is written."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.cli.support import environment, sojourn


def test_the_python_project_passes_its_own_tests(tmp_path: Path) -> None:
    """It is valid; its scenarios and its test pass."""
    assert sojourn("init", "--python", "shop", cwd=tmp_path).code == 0
    checked = sojourn("validate", "shop", cwd=tmp_path)
    assert checked.code == 0, checked.out
    assert "1 journey, 2 events, 1 endpoint" in checked.out
    assert {"__pycache__/", ".pytest_cache/"} <= {*(tmp_path / "shop/.gitignore").read_text().splitlines()}
    scenarios = sojourn("test", "shop", cwd=tmp_path)
    assert "2 scenarios passed" in scenarios.out, scenarios.out + scenarios.err
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"]
    done = subprocess.run(
        command,
        cwd=tmp_path / "shop",
        env=environment(),
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_mistake_is_told_with_its_place(tmp_path: Path) -> None:
    """`validate` names file and line of a Python journey that breaks a rule, and what to write."""
    assert sojourn("init", "--python", "shop", cwd=tmp_path).code == 0
    file = tmp_path / "shop/journeys.py"
    file.write_text(file.read_text().replace("    async def run", "    def run").replace("await ", ""))
    checked = sojourn("validate", "shop", cwd=tmp_path)
    assert checked.code == 1
    assert "journeys.py:" in checked.out
    assert "Welcome.run must be `async def`: a journey waits" in checked.out
