"""Where in the developer's own code an exception was raised."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

_FRAME = re.compile(r'^ *File "(.+)", line (\d+), in .+(?:\n +(.+))?', re.MULTILINE)


class Frame(NamedTuple):
    """One call of a traceback: the file, the line, and the text of it where it is known."""

    file: str
    line: int
    source: str | None


def frames_of(trace: str) -> list[Frame]:
    """Return the calls of a traceback in Python's format, as failures of Temporal carry it."""
    return [Frame(found[1], int(found[2]), _source(found[3])) for found in _FRAME.finditer(trace)]


def own_place(frames: Iterable[Frame], project: Path | None) -> tuple[str | None, str | None]:
    """Return the innermost line that is the project's, as `file:line`, and its text; None where there is none.

    Args:
        frames: The calls, the outermost first.
        project: The project's folder, where there is one.
    """
    place, source = None, None
    if project is None:
        return place, source
    for frame in frames:
        file = Path(frame.file)
        if file.is_relative_to(project):
            relative = file.relative_to(project)
            # A virtual environment within the project is not the developer's code.
            if not any(part.startswith(".") or part == "site-packages" for part in relative.parts):
                place, source = f"{relative}:{frame.line}", frame.source
    return place, source


def _source(line: str | None) -> str | None:
    # Without a source, what follows is the next call.
    return None if line is None or line.startswith('File "') else line
