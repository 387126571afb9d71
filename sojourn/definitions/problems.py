"""Problems: what is wrong with a definition, where, and what to write instead."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

from sojourn.definitions.codes import Code

Path = tuple[str | int, ...]
"""Where in a document something is: keys and list positions."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, or looks wrong, with a definition.

    Attributes:
        code: Stable code, see `docs/reference/errors.md`.
        severity: `error` refuses the definition, `warning` does not.
        file: Path of the file, relative to the project's folder; empty if it concerns no file.
        line: Line, from 1; 0 if it concerns no line.
        column: Column, from 1; 0 if it concerns no line.
        field: Path of the field in its document, such as `steps.a.wait_for[0].event`; may be empty.
        message: What is wrong.
        hint: What to write instead; may be empty.
    """

    code: str
    severity: Literal["error", "warning"]
    file: str
    line: int
    column: int
    field: str
    message: str
    hint: str

    def as_dict(self) -> dict[str, Any]:
        """Return the problem as plain JSON."""
        return asdict(self)

    @property
    def sort_key(self) -> tuple[str, int, int, str, str]:
        """Problems are listed in the order of files and lines."""
        return self.file, self.line, self.column, self.code, self.field

    def __str__(self) -> str:
        """Return the problem on one line: `journeys/a.yaml:6:5: E201 steps.a: ... — Write ...`."""
        place = (
            f"{self.file}:{self.line}:{self.column}: " if self.line else f"{self.file}: " if self.file else ""
        )
        field = f"{self.field}: " if self.field else ""
        hint = f" — {self.hint}" if self.hint else ""
        return f"{place}{self.code} {field}{self.message}{hint}"


_LONGEST = 100
_MOST = 50


def severity_of(code: Code) -> Literal["error", "warning"]:
    """Return whether problems with this code refuse the definition."""
    return "warning" if code.value.startswith("W") else "error"


def dotted(path: Path) -> str:
    """Return a path as people write it: `steps.a.wait_for[0].event`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text if len(text) <= 300 else text[:297] + "..."


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that the author most likely meant, or None if none is near."""
    if len(name) > _LONGEST:
        return None
    names = list(known)
    folded = name.lower()
    same = next((candidate for candidate in names if candidate.lower() == folded), None)
    if same is not None:
        return same
    if len(names) > _MOST:
        # Comparing with all of them would cost too much, and slips seldom change the first letter.
        names = [
            candidate
            for candidate in names
            if candidate[:1] == name[:1] and abs(len(candidate) - len(name)) < 3
        ]
    found = difflib.get_close_matches(name, names[:_MOST], n=1, cutoff=0.6)
    return found[0] if found else None


def sentence(text: str) -> str:
    """Return a text with its first letter in upper case, and the rest as it is."""
    return text[:1].upper() + text[1:]


def a(word: str) -> str:
    """Return a kind of step in code style with its article: "an `end`"."""
    return f"an `{word}`" if word[0] in "aeio" else f"a `{word}`"


def choose(name: str, known: Iterable[str], noun: str = "") -> str:
    """Return the hint for an unknown name: the nearest known one, else all of them where they are few."""
    names = list(known)
    near = nearest(name, names)
    if near is not None:
        return f"Did you mean `{near}`?"
    if not names:
        return f"There is no {noun} to choose from." if noun else ""
    if len(names) <= 12:
        return f"Write one of {', '.join(f'`{known_name}`' for known_name in names)}."
    return ""
