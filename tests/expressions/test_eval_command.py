"""`sojourn eval`, run as a user runs it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sojourn.cli.output import ExitCode
from tests.cli.support import sojourn

DATA = {"event": {"cartId": "c-1", "total": 120, "at": "2026-03-29T08:00:00Z"}}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A file with variables."""
    file = tmp_path / "data.json"
    file.write_text(json.dumps(DATA))
    return file


def test_prints_the_value_as_json(data: Path) -> None:
    """The value of the expression goes to standard output."""
    done = sojourn(
        "eval", "{'big': event.total > 100, 'at': timestamp(event.at)}", "--data", data, cwd=data.parent
    )
    assert (done.code, json.loads(done.out)) == (0, {"big": True, "at": "2026-03-29T08:00:00Z"})


def test_templates_and_the_moment(data: Path) -> None:
    """A template is filled in, and `now` can be set."""
    options = ["--template", "--now", "2026-04-01T00:00:00Z", "-d", str(data)]
    done = sojourn(
        "eval", "${event.cartId} ${inLast(timestamp(event.at), days(3))}", *options, cwd=data.parent
    )
    assert (done.code, json.loads(done.out)) == (0, "c-1 true")


def test_yaml_and_standard_input(data: Path) -> None:
    """Data may be YAML, whose dates stay text, and JSON on standard input."""
    file = data.with_name("data.yaml")
    file.write_text("event: {on: 2026-03-29, n: 2}\n")
    done = sojourn("eval", "event.on + '!'", "-d", file, cwd=data.parent)
    assert json.loads(done.out) == "2026-03-29!"
    done = sojourn("eval", "event.n + 1", "-d", "-", cwd=data.parent, stdin='{"event": {"n": 2}}')
    assert json.loads(done.out) == 3
    assert sojourn("eval", "1 + 1", cwd=data.parent).out == "2\n"


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("event.total >", ["error: expression:1:14: E401 The expression ends too early — A value is missing here.",
                           "  event.total >", "               ^"]),
        ("event.cartID", ["error: expression:1:7: E402 `event` has no field `cartID` — Did you mean `cartId`?",
                          "  event.cartID", "        ^"]),
        ("event.total && true", ["error: expression:1:7: E403 What `&&` joins must be a bool, and `event.total` is an int"
                                 " — Compare it, such as `x > 0`.", "  event.total && true", "        ^"]),
        ("1 / 0", ["error: expression:1:3: E401 Division by zero", "  1 / 0", "    ^"]),
    ],
)  # fmt: skip
def test_errors_look_as_in_validation(data: Path, text: str, lines: list[str]) -> None:
    """What is wrong is told with place, code and hint, and a caret under the place."""
    done = sojourn("eval", text, "--data", data, cwd=data.parent)
    assert (done.code, done.out.splitlines()) == (int(ExitCode.PROBLEMS), lines)


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        ("[1]", [], "must hold an object"),
        ("{", [], "is not JSON"),
        ("{}", ["--now", "tomorrow"], "now: the text is not a timestamp"),
        (None, [], "cannot be read"),
    ],
)
def test_wrong_usage(tmp_path: Path, content: str | None, options: list[str], message: str) -> None:
    """Files that hold no variables are wrong usage, told in a sentence."""
    file = tmp_path / "data.json"
    if content is not None:
        file.write_text(content)
    done = sojourn("eval", "1", "--data", file, *options, cwd=tmp_path)
    assert (done.code, done.out) == (int(ExitCode.USAGE), "")
    assert message in done.err
    assert "Traceback" not in done.err
