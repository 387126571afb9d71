"""Reads the fenced blocks of Markdown files, with what the line before a block says of its test.

A block is tested by its language unless an HTML comment before it says otherwise:

- `<!-- test: skip, REASON -->`: nothing is done with it, except that its `sojourn` commands must exist;
- `<!-- test: parse, REASON -->`: it is only parsed, for instance because it shows a part of a file;
- `<!-- test: project NAME -->`: all blocks of that name on the page are one journey project.
- `<!-- test: live NAME -->`: it runs against `sojourn dev` with the example of that name; of commands, `curl` too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from tests.repo.tree import ROOT, files, shown

_FENCE = re.compile(r"^(?P<indent>\s*)(?P<fence>`{3,}|~{3,})\s*(?P<language>[\w+-]*)(?P<rest>.*)$")
_DIRECTIVE = re.compile(r"^\s*<!--\s*test:\s*(?P<verb>\w+)[,\s]*(?P<text>.*?)\s*-->\s*$")
VERBS = ("skip", "parse", "project", "live")


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        path: The Markdown file.
        line: Line of the opening fence, from 1.
        language: What the fence says, empty if nothing.
        text: The content, with the fence's own indentation taken off.
        verb: One of `VERBS`, or empty.
        argument: The reason, or the name of the project or example.
    """

    path: Path
    line: int
    language: str
    text: str
    verb: str = ""
    argument: str = ""

    @property
    def where(self) -> str:
        """Where the block is, as messages show it."""
        return f"{shown(self.path)}:{self.line}"


def documents() -> list[Path]:
    """Every Markdown file that people read: of the repository's own, not of data that came with a README."""
    return [path for path in files() if path.suffix == ".md" and "data" not in path.relative_to(ROOT).parts]


def blocks(path: Path) -> list[Block]:
    """The fenced blocks of a file, in order."""
    found: list[Block] = []
    lines = path.read_text("utf-8").splitlines()
    index = 0
    while index < len(lines):
        opening = _FENCE.match(lines[index])
        if not opening:
            index += 1
            continue
        start, indent, fence = index, len(opening["indent"]), opening["fence"]
        index += 1
        content: list[str] = []
        while index < len(lines) and not re.fullmatch(
            rf"\s*{re.escape(fence[0])}{{{len(fence)},}}\s*", lines[index]
        ):
            content.append(lines[index][indent:] if lines[index][:indent].isspace() else lines[index])
            index += 1
        assert index < len(lines), f"{shown(path)}:{start + 1}: the block never ends"
        index += 1
        verb, argument = _directive(lines, start)
        found.append(Block(path, start + 1, opening["language"], "\n".join(content) + "\n", verb, argument))
    return found


def _directive(lines: list[str], start: int) -> tuple[str, str]:
    """The comment above a fence, with at most one empty line between."""
    for line in reversed(lines[max(0, start - 2) : start]):
        match = _DIRECTIVE.match(line)
        if match:
            return match["verb"], match["text"]
        if line.strip():
            break
    return "", ""


def all_blocks() -> list[Block]:
    """The fenced blocks of every document."""
    return [block for path in documents() for block in blocks(path)]
