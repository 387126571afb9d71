"""`sojourn test` as its users run it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.support import sojourn

PROJECT = """
event: began
key: event.id
schema: {type: object, properties: {id: {type: string}}}
---
action: mail
url: https://mail.example.com/messages
parameters: {to: {type: string}}
---
journey: month
entry: {event: began}
steps:
  month: {wait: {for: 30d}}
  mail:
    action: mail
    with: {to: "${entry.id}"}
  done: {end: done}
"""
RIGHT = """
scenario: after a month
events: [{event: began, data: {id: ada}}]
expect: {text: done, calls: [{endpoint: mail, with: {to: ada}, at: 30d}]}
"""
WRONG = """
scenario: after a week
events: [{event: began, data: {id: ada}}]
expect:
  text: done
  steps: [{step: month, at: 7d}, mail, done]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project without scenarios."""
    (tmp_path / "journey.yaml").write_text(PROJECT)
    (tmp_path / "tests").mkdir()
    return tmp_path


def test_scenarios_that_pass(folder: Path) -> None:
    """Each is a line, also without a cache, and the exit status is 0."""
    (folder / "tests/month.yaml").write_text(RIGHT)
    done = sojourn("test", cwd=folder)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("passed  after a month  tests/month.yaml:2 ")
    assert done.out.splitlines()[-1].startswith("1 scenario passed in ")
    assert sojourn("test", "--uncached", cwd=folder).code == 0


def test_a_scenario_that_fails(folder: Path) -> None:
    """Expected and actual stand side by side, the first difference is marked, and trace and calls are shown."""
    (folder / "tests/month.yaml").write_text(RIGHT + "---" + WRONG)
    done = sojourn("test", cwd=folder)
    assert (done.code, done.err) == (1, "")
    assert "FAILED  after a week" in done.out
    (marked,) = [line.split() for line in done.out.splitlines() if line.startswith(" >")]
    assert marked == [">", "steps[0]", "+7d", "month", "+30d", "month", "(waited)"]
    assert "month v1, profile ada: completed: done" in done.out
    assert 'mail       ada       {"to": "ada"}   200' in done.out
    assert done.out.splitlines()[-1].startswith("1 scenario of 2 failed in ")


def test_some_scenarios_as_json(folder: Path) -> None:
    """-k chooses by name; --json gives everything that was compared and seen, and nothing else."""
    (folder / "tests/month.yaml").write_text(RIGHT + "---" + WRONG)
    done = sojourn("test", "-k", "WEEK", "--json", cwd=folder)
    answer = json.loads(done.out)
    assert (done.code, done.err) == (1, "")
    (scenario,) = answer["scenarios"]
    assert (answer["ok"], scenario["ok"], scenario["line"]) == (False, False, 6)
    assert [row["ok"] for row in scenario["compared"]] == [False, True, True, True]
    assert scenario["calls"][0]["at"] == "2026-02-04T12:00:00+00:00"
    assert [step["step"] for step in scenario["instances"][0]["steps"]] == ["month", "mail", "done"]


def test_a_wrong_file(folder: Path) -> None:
    """Nothing is run: the problems are listed as those of definitions are."""
    (folder / "tests/month.yaml").write_text(RIGHT.replace("endpoint: mail", "endpoint: mial"))
    done = sojourn("test", cwd=folder)
    assert done.code == 1
    assert "error: tests/month.yaml:4:30: E306 expect[0].calls[0]" in done.out
    assert "Did you mean `mail`?" in done.out
    assert "nothing was run: 1 error" in done.out


def test_wrong_usage(folder: Path) -> None:
    """Without scenarios, or with none of the name, the exit status is 2 and the message says what to do."""
    nothing = sojourn("test", cwd=folder)
    assert nothing.code == 2
    assert "there are no scenarios in tests" in nothing.err
    (folder / "tests/month.yaml").write_text(RIGHT)
    other = sojourn("test", "-k", "year", cwd=folder)
    assert (other.code, "'after a month'" in other.err) == (2, True)


def test_without_temporal(folder: Path) -> None:
    """Where there is no `temporal` program, the message says how to get one."""
    (folder / "tests/month.yaml").write_text(RIGHT)
    done = sojourn("test", cwd=folder, env={"SOJOURN_TEMPORAL_BINARY": "/nowhere/temporal"})
    assert done.code == 3
    assert "SOJOURN_TEMPORAL_BINARY" in done.err


def test_scenarios_are_no_definitions(folder: Path) -> None:
    """`sojourn validate` passes over the folder `tests`."""
    (folder / "tests/month.yaml").write_text(RIGHT)
    assert sojourn("validate", cwd=folder).code == 0
