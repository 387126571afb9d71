"""The command line: arguments and options of each command, every `--help`, and answers that need no server."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import typer

from sojourn.cli.main import app
from tests.surface.definitions import problems, projects

WIDTH = "100"

_BOX = re.compile(r"^[╭╰│]─?|─*[╮╯]$|│$")

_RUNS: tuple[tuple[str, ...], ...] = (
    ("eval", "1 + 2 * 3"),
    ("eval", "size([1, 2]) > 1 ? 'two' : 'one'"),
    ("eval", "addDays(now, 3)", "--now", "2026-03-28T12:00:00Z"),
    ("eval", "1 +"),
    ("eval", "unknown.name"),
    ("eval", "--template", "Hello ${'you'}, ${1 + 1}"),
    ("validate", "no-such-folder", "--json"),
    ("validate", "--no-such-option"),
    ("no-such-command",),
)
"""Command lines that need no server and no project."""


def tree(command: Any | None = None, name: str = "sojourn") -> Iterator[tuple[str, Any]]:
    """Yield every command and group with its full name."""
    command = typer.main.get_command(app) if command is None else command
    yield name, command
    for child, inner in sorted(getattr(command, "commands", {}).items()):
        yield from tree(inner, f"{name} {child}")


def shapes() -> dict[str, list[str]]:
    """Return the arguments and options of every command, without their texts."""
    return {name: [_parameter(parameter) for parameter in command.params] for name, command in tree()}


def _parameter(parameter: Any) -> str:
    names = ", ".join((*parameter.opts, *parameter.secondary_opts))
    default = parameter.default
    default = getattr(default, "value", default)
    plain = default is None or isinstance(default, str | int | float | list | tuple)
    return " ".join(
        filter(
            None,
            (
                parameter.param_type_name,
                names,
                parameter.metavar or "",
                "required" if parameter.required else "",
                "many" if parameter.multiple or parameter.nargs != 1 else "",
                f"default={default!r}" if plain and default not in (None, False, [], ()) else "",
            ),
        )
    )


def environment() -> dict[str, str]:
    """Return an environment in which help has one width and no colours."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("SOJOURN_", "TEMPORAL_"))}
    kept.pop("FORCE_COLOR", None)
    return kept | {"COLUMNS": WIDTH, "TERMINAL_WIDTH": WIDTH, "NO_COLOR": "1", "TERM": "dumb"}


def helps() -> str:
    """Return the text of every `--help`, one after another."""
    code = (
        "import contextlib, io, json, sys\n"
        "from sojourn.cli.main import run\n"
        "for words in json.load(sys.stdin):\n"
        "    out = io.StringIO()\n"
        "    with contextlib.redirect_stdout(out):\n"
        "        run([*words, '--help'])\n"
        "    print('$ sojourn', *words, '--help'); print(out.getvalue())\n"
    )
    words = [name.split()[1:] for name, _ in tree()]
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=json.dumps(words),
        env=environment(),
        capture_output=True,
        check=True,
        text=True,
    )
    return "\n".join(_BOX.sub("", line).rstrip() for line in done.stdout.splitlines()) + "\n"


def answers() -> dict[str, dict[str, Any]]:
    """Return exit status and output of commands that need no server; of JSON the shape, of texts only whether there is one."""
    names = {str(folder): name for name, folder in projects().items() if problems(folder)}
    runs = [*_RUNS, *(("validate", folder, "--json") for folder in names)]
    code = (
        "import contextlib, io, json, sys\n"
        "from sojourn.cli.main import run\n"
        "found = []\n"
        "for words in json.load(sys.stdin):\n"
        "    out, err = io.StringIO(), io.StringIO()\n"
        "    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):\n"
        "        status = run(words)\n"
        "    found.append([status, out.getvalue(), err.getvalue()])\n"
        "json.dump(found, sys.stdout)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=json.dumps(runs),
        env=environment(),
        capture_output=True,
        check=True,
        text=True,
    )
    return {
        " ".join(names.get(word, word) for word in words): _answer(status, out, err)
        for words, (status, out, err) in zip(runs, json.loads(done.stdout), strict=True)
    }


def _answer(status: int, out: str, err: str) -> dict[str, Any]:
    try:
        shown: Any = without_texts(json.loads(out))
    except ValueError:
        shown = re.sub(r"\s+", " ", out).strip()[:60] if status == 0 else bool(out)
    return {"status": status, "output": shown, "errors": bool(err)}


def without_texts(value: Any) -> Any:
    """Return JSON in which sentences are replaced, since their wording may change."""
    if isinstance(value, dict):
        return {key: without_texts(item) for key, item in value.items()}
    if isinstance(value, list):
        return [without_texts(item) for item in value]
    return "…" if isinstance(value, str) and " " in value else value


def record() -> dict[str, Any]:
    """Return what is compared strictly: the shape of the command line, and the answers."""
    return {"commands": shapes(), "answers": answers()}
