"""The table of parts in docs/explanation/architecture.md, whose column of imports is that of the import test."""

from __future__ import annotations

import re

from tests.repo.test_imports import ALLOWED, LEAVES
from tests.repo.tree import ROOT

PAGE = ROOT / "docs" / "explanation" / "architecture.md"

_ROW = re.compile(
    r"^\| `sojourn(?:\.(?P<part>\w+))?` \| (?P<what>[^|]+) \| (?P<imports>[^|]+) \|$", re.MULTILINE
)


def imports_of(part: str) -> str:
    """Return what the page says a part may import."""
    allowed = ALLOWED[part]
    named = sorted(allowed - LEAVES if allowed >= LEAVES else allowed)
    ground = ["the ground floor"] if allowed >= LEAVES else []
    return ", ".join([*(f"`{name}`" for name in named), *ground]) or "nothing"


def rows() -> dict[str, str]:
    """Return the third column of the page's table, by part; the package itself is the empty part."""
    return {match["part"] or "": match["imports"] for match in _ROW.finditer(PAGE.read_text("utf-8"))}


def differences() -> list[str]:
    """Return how the page's table differs from the table of the import test."""
    shown = rows()
    lacking = [f"{PAGE.name}: add a row for sojourn.{part}" for part in sorted(ALLOWED.keys() - shown.keys())]
    surplus = [f"{PAGE.name}: sojourn.{part} is no part" for part in sorted(shown.keys() - ALLOWED.keys())]
    wrong = [
        f"{PAGE.name}: sojourn.{part} may import {imports_of(part)}, the page says {shown[part]}"
        for part in sorted(shown.keys() & ALLOWED.keys())
        if shown[part] != imports_of(part)
    ]
    return lacking + surplus + wrong


def write() -> None:
    """Write the column of imports anew."""

    def row(match: re.Match[str]) -> str:
        part = match["part"] or ""
        name = f"sojourn.{part}" if part else "sojourn"
        return f"| `{name}` | {match['what']} | {imports_of(part) if part in ALLOWED else match['imports']} |"

    PAGE.write_text(_ROW.sub(row, PAGE.read_text("utf-8")), "utf-8")
