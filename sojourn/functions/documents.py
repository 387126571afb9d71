"""Writes what Python files declare as definition files, each document on the line of its function.

What is wrong with such a document is then reported with the right file and line, by the same checks as all others.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable

from sojourn.functions.collecting import Declared

_NOT_ASCII = re.compile(r"[^\x00-\x7e]")


def documents(declared: Iterable[Declared], path_of: Callable[[Declared], str]) -> dict[str, str]:
    """Return the text of a definition file for each Python file.

    Args:
        declared: What was declared.
        path_of: Gives the path under which a Python file is known in the project.

    Returns:
        YAML by path.
    """
    files: dict[str, dict[int, str]] = {}
    for thing in declared:
        lines = files.setdefault(path_of(thing), {})
        line = thing.line
        while line in lines:  # a loop declares several in one place
            line += 1
        lines[line] = f"--- {_json(thing.document())}"
    return {
        path: "".join(f"{lines.get(number, '')}\n" for number in range(1, max(lines) + 1))
        for path, lines in sorted(files.items())
    }


def _json(value: object) -> str:
    """Return JSON that is YAML as well: YAML writes characters beyond 16 bits in another way."""
    return _NOT_ASCII.sub(_escaped, json.dumps(value, ensure_ascii=False))


def _escaped(match: re.Match[str]) -> str:
    number = ord(match[0])
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"
