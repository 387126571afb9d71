"""Writes `docs/reference/journeys-in-python.md` from the docstrings of `sojourn.journey`."""

from __future__ import annotations

import inspect
import re
from inspect import Parameter
from typing import Any

from sojourn import Event, journey

_HEAD = """\
# Journeys in Python

<!-- Made by `python -m sojourn.cli.journey_reference > docs/reference/journeys-in-python.md`. Do not edit. -->

What `from sojourn import Event, journey` offers. How to write a journey with it: [Write journeys in
Python](../how-to/python-journeys.md).
"""


def page() -> str:
    """Return the page."""
    parts = [_HEAD, _section("Event", Event)]
    parts += [
        _section(f"journey.{name}", getattr(journey, name))
        for name in sorted(journey.__all__, key=str.lower)
        if inspect.isroutine(getattr(journey, name)) or inspect.isclass(getattr(journey, name))
    ]
    return "\n".join(parts)


def _section(name: str, thing: object) -> str:
    lines = _plain(inspect.getdoc(thing) or "").splitlines()
    return "\n".join([f"## {name}", "", *_head(name, thing), *_rendered(lines), ""])


def _head(name: str, thing: object) -> list[str]:
    if inspect.isclass(thing):
        return []
    parameters = inspect.signature(thing).parameters.values()  # type: ignore[arg-type]
    words: list[str] = []
    keyword = False
    stars: dict[Any, str] = {Parameter.VAR_POSITIONAL: "*", Parameter.VAR_KEYWORD: "**"}
    for parameter in parameters:
        if parameter.kind is parameter.KEYWORD_ONLY and not keyword:
            keyword = True
            words += [] if any(word.startswith("*") for word in words) else ["*"]
        star = stars.get(parameter.kind, "")
        words.append(f"{star}{parameter.name}" + ("" if parameter.default is parameter.empty else "=…"))
    wait = "await " if inspect.iscoroutinefunction(thing) else ""
    return [f"`{wait}{name}({', '.join(words)})`", ""]


def _rendered(lines: list[str]) -> list[str]:
    """Return a docstring's lines as Markdown: sections of arguments become lists."""
    found: list[str] = []
    listing = False
    for line in lines:
        if re.fullmatch(r"(Args|Returns|Raises|Attributes|Class arguments):", line):
            listing = True
            found += [f"**{line[:-1]}**", ""]
        elif not line.strip():
            found.append("")
            listing = listing and bool(found)
        elif listing and (match := re.match(r"    (?! )([\w.]+): (.*)", line)):
            found.append(f"- `{match[1]}`: {match[2]}")
        elif listing and line.startswith("    "):
            found.append(f"  {line.strip()}" if found[-1] else f"- {line.strip()}")
        else:
            listing = False
            found.append(line)
    return found


def _plain(text: str) -> str:
    return text.replace("``", "`")


if __name__ == "__main__":
    print(page(), end="")
