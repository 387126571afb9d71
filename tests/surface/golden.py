"""The golden files in `recorded/`, and how the present code differs from them."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable
from pathlib import Path

from tests.surface import commands, definitions

FOLDER = Path(__file__).parent / "recorded"


def _json(value: object) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def _makers() -> dict[str, Callable[[], str]]:
    return {
        "definitions.json": lambda: _json({"projects": definitions.record(), "schema": definitions.schema()}),
        "commands.json": lambda: _json(commands.record()),
        "help.txt": commands.helps,
        **{
            f"compiled/{name.partition('/')[2]}.json": lambda folder=folder: _json(
                definitions.compiled(folder)
            )
            for name, folder in definitions.projects().items()
            if name.startswith("examples/")
        },
    }


NAMES = tuple(_makers())
"""The golden files, relative to `FOLDER`."""


def write() -> None:
    """Write the golden files."""
    for name, make in _makers().items():
        path = FOLDER / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(make(), "utf-8")


def differences(*names: str) -> list[str]:
    """Return how the present code differs from the golden files, as a unified difference.

    Args:
        names: The files to compare; all of them if none is named.
    """
    lines: list[str] = []
    for name in names or NAMES:
        path = FOLDER / name
        recorded = path.read_text("utf-8") if path.exists() else ""
        now = _makers()[name]()
        lines += difflib.unified_diff(
            recorded.splitlines(), now.splitlines(), f"recorded/{name}", "now", lineterm="", n=1
        )
    return lines
