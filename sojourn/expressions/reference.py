"""The reference of the function library, as Markdown made from the library itself.

`python -m sojourn.expressions.reference > docs/reference/functions.md` writes it; a test holds the two together.
"""

from __future__ import annotations

import sys
from itertools import groupby

from sojourn.expressions.adobe import COUNTERPARTS, EXAMPLE_NOW
from sojourn.expressions.functions.registry import FUNCTIONS, Function
from sojourn.expressions.macros import SUMMARIES, USAGE

_HEAD = f"""\
# Functions

What expressions can call. This page is made from the code (`python -m sojourn.expressions.reference`), and a test
evaluates every example on it.

How to read a signature: `number` is an int or a double; `?` marks what may be left out; `...` what may come again. A
function whose first argument is written before it in its examples can be written either way: `lower(x)` or
`x.lower()`. Time zones are IANA names (`Europe/Paris`) or offsets (`+02:00`); without one, functions of dates use the
zone of the timestamp, which is UTC unless `inZone` gave it another. A local time that a clock change skips means the
first moment after the gap; one that comes twice means the first. In the examples `now` is {EXAMPLE_NOW}.

"Missing" in a description means an error that `default(x, other)` catches.
"""

_ADOBE = """\
## From Adobe Journey Orchestration

What stands for each function and operator of Adobe's expression language. Where the fourth column is empty, the
two do the same.
"""


def render() -> str:
    """Return the reference as Markdown."""
    parts = [_HEAD, "## Macros\n", _table(["Macro", "What it does"], _macro_rows())]
    by_group = sorted(FUNCTIONS.values(), key=lambda f: (f.group, f.name.lower()))
    for group, functions in groupby(by_group, key=lambda f: f.group):
        rows = [[f"`{f.signature}`", f.summary, _examples(f)] for f in functions]
        parts += [f"## {group}\n", _table(["Function", "What it does", "Examples"], rows)]
    parts.append(_ADOBE)
    for group, counterparts in groupby(COUNTERPARTS, key=lambda c: c.group):
        rows = [
            [c.theirs, c.ours or "none", f"`{c.example}` is `{c.result}`" if c.example else "", c.note]
            for c in counterparts
        ]
        parts += [f"### {group}\n", _table(["Adobe", "Sojourn", "Example", "What differs"], rows)]
    return "\n".join(parts)


def _macro_rows() -> list[list[str]]:
    """Return the rows of the table of macros."""
    return [[", ".join(f"`{form}`" for form in USAGE[name]), summary] for name, summary in SUMMARIES.items()]


def _examples(function: Function) -> str:
    """Return the examples of a function as a cell of a table."""
    return "<br>".join(f"`{expression}` is `{result}`" for expression, result in function.examples)


def _table(head: list[str], rows: list[list[str]]) -> str:
    """Return a table as Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


if __name__ == "__main__":
    sys.stdout.write(render())
