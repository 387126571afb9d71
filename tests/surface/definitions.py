"""The compiled form of every journey of the examples, the scenarios and the cases beside this file."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

from sojourn import definitions
from sojourn.loading import load_project

ROOT = Path(__file__).resolve().parents[2]

_CASES = Path(__file__).parent / "cases"
"""Projects that once showed a fault, invented after situations from the field."""


def projects() -> dict[str, Path]:
    """Return the folders that are recorded, by their names."""
    folders = [*(ROOT / "examples").iterdir(), *(ROOT / "tests" / "scenarios").iterdir(), *_CASES.iterdir()]
    return {
        f"{folder.parent.name}/{folder.name}": folder
        for folder in sorted(folders)
        if folder.is_dir() and not folder.name.startswith(("_", "."))
    }


def canonical(value: Any) -> str:
    """Return a value as JSON of which there is one form only."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, indent=1)


def digest(value: Any) -> str:
    """Return a short hash of a value."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()[:16]


@cache
def _load(folder: Path) -> definitions.Project:
    return load_project(folder)


def compiled(folder: Path) -> dict[str, Any]:
    """Return a project's compiled journeys; empty if it has errors."""
    project = _load(folder)
    return project.compiled() if project.ok else {}


def problems(folder: Path) -> list[str]:
    """Return code, place and field of each problem of a project, without its text."""
    return [
        " ".join(
            filter(None, (problem.code, f"{problem.file}:{problem.line}:{problem.column}", problem.field))
        )
        for problem in _load(folder).problems
    ]


def schema() -> str:
    """Return the hash of the JSON Schema of definitions, without its descriptions."""
    return digest(_without_texts(definitions.json_schema()))


def _without_texts(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: _without_texts(item)
            for key, item in value.items()
            if not (key in {"description", "title", "$comment"} and isinstance(item, str))
        }
    return [_without_texts(item) for item in value] if isinstance(value, list) else value


def record() -> dict[str, Any]:
    """Return what is compared: of each project the hash of every compiled journey, and its problems."""
    return {
        name: {
            "journeys": {journey: digest(form) for journey, form in compiled(folder).items()},
            "problems": problems(folder),
        }
        for name, folder in projects().items()
    }
