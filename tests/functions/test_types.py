"""What a type checker infers of decorated functions."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.repo.tree import ROOT

CODE = """\
from datetime import timedelta
from sojourn import action, source


@action.defn(name="a", throttle=action.Throttle(calls=1, per=timedelta(seconds=1)))
async def send(to: str, count: int = 1) -> list[str]:
    return [to] * count


@source.defn(name="s", cache=timedelta(seconds=1))
def look(key: str) -> int:
    return source.context().attempt


reveal_type(send)
reveal_type(look)
reveal_type(action.context().idempotency_key)


async def test() -> None:
    first: str = (await send("x"))[0]
    look(5)
    await send(to="x", cuont=1)
    action.defn("a")
"""


def test_the_decorated_function_keeps_its_type(tmp_path: Path) -> None:
    """A strict checker sees the function itself, and finds calls that are wrong."""
    path = tmp_path / "example.py"
    path.write_text(CODE)
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--follow-imports=silent",
        "--cache-dir",
        str(tmp_path / "cache"),
        str(path),
    ]
    # It does not find what is installed in editable form.
    variables = os.environ | {"MYPYPATH": str(ROOT)}
    done = subprocess.run(
        command, cwd=tmp_path, env=variables, capture_output=True, text=True, check=False, timeout=110
    )
    said = done.stdout
    assert (
        'Revealed type is "def (to: str, count: int =) -> typing.Coroutine[Any, Any, list[str]]"'
        in _short(said)
    ), said
    assert 'Revealed type is "def (key: str) -> int"' in _short(said)
    assert 'Revealed type is "str | None"' in _short(said)
    assert 'Argument 1 to "look" has incompatible type "int"; expected "str"' in said
    assert 'Unexpected keyword argument "cuont"' in said
    assert 'Too many positional arguments for "defn"' in said
    assert said.rstrip().splitlines()[-1].startswith("Found 3 errors"), said


def _short(text: str) -> str:
    return text.replace("builtins.", "")
