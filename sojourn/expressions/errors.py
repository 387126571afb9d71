"""What can go wrong with an expression, and where: errors of compiling, of evaluating, findings of checking."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

Path = tuple[str | int, ...]
"""A place in the data: `("event", "items", 0, "price")`."""


def line_and_column(source: str, position: int) -> tuple[int, int]:
    """Return the line and the column, both counted from 1, of a character of a text."""
    before = source[:position]
    return before.count("\n") + 1, position - (before.rfind("\n") + 1) + 1


def caret(source: str, position: int, width: int = 100) -> str:
    """Return the line of `source` that holds `position`, and under it a caret that points at the place.

    Long lines are shortened around the place, to about `width` characters.
    """
    start = source.rfind("\n", 0, position) + 1
    end = source.find("\n", position)
    line = source[start : len(source) if end < 0 else end].replace("\t", " ")
    column = position - start
    if len(line) > width:
        first = max(0, min(column - width // 2, len(line) - width))
        line, column = line[first : first + width], column - first
        if first:
            line, column = "…" + line, column + 1
    return f"{line}\n{' ' * column}^"


def nearest(name: str, candidates: Iterable[str]) -> str | None:
    """Return the candidate that a writer of `name` most likely meant, or None if none is close."""
    options = list(candidates)
    folded = {option.casefold().replace("_", ""): option for option in reversed(options)}
    same = folded.get(name.casefold().replace("_", ""))
    if same is not None:
        return same
    close = difflib.get_close_matches(name, options, n=1, cutoff=0.6)
    return close[0] if close else None


def write_path(path: Path) -> str:
    """Write a path the way an expression does: `event.items[0].price`, `events["a.b"]`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif part.isidentifier():
            text += f".{part}" if text else part
        else:
            quoted = part.replace("\\", "\\\\").replace('"', '\\"')
            text += f'["{quoted}"]' if text else part
    return text


class ExpressionError(ValueError):
    """A text that is not an expression.

    Args:
        message: What is wrong and what to write instead.
        source: The whole text.
        position: Where it is wrong: the index of a character of `source`.

    Attributes:
        line: The line of the place, counted from 1.
        column: The column of the place, counted from 1.
    """

    def __init__(self, message: str, source: str, position: int) -> None:
        super().__init__(message, source, position)
        self.message = message
        self.source = source
        self.position = position
        self.line, self.column = line_and_column(source, position)

    def __str__(self) -> str:
        return f"{self.message} (line {self.line}, column {self.column})"

    def caret(self) -> str:
        """Return two lines: the line of the source, and a caret under the place."""
        return caret(self.source, self.position)


class EvaluationError(ValueError):
    """An expression that could not be evaluated on the data that it was given.

    The message names places and types, never the data.

    Args:
        message: What is wrong.
        expression: The text of the expression; filled in where the evaluation began.
        position: Where in the expression.
        path: The place in the data that was missing or did not fit, where there is one.
    """

    def __init__(self, message: str, expression: str = "", position: int = -1, path: Path = ()) -> None:
        super().__init__(message)
        self.message = message
        self.expression = expression
        self.position = position
        self.path = path

    @property
    def line(self) -> int:
        """The line of the place in the expression, counted from 1."""
        return line_and_column(self.expression, max(0, self.position))[0]

    @property
    def column(self) -> int:
        """The column of the place in the expression, counted from 1."""
        return line_and_column(self.expression, max(0, self.position))[1]

    def __str__(self) -> str:
        if not self.expression:
            return self.message
        shown = " ".join(self.expression.split())
        shown = shown if len(shown) <= 200 else shown[:199] + "…"
        return f"{self.message} (line {self.line}, column {self.column} of `{shown}`)"

    def caret(self) -> str:
        """Return two lines: the line of the expression, and a caret under the place."""
        return caret(self.expression, max(0, self.position))


class AbsentError(EvaluationError):
    """What was asked for is not there: a field, a key, an item, a variable. `default(...)` catches it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that checking found: the expression compiles, but cannot work on the data described.

    Attributes:
        position: Where: the index of a character of the source.
        line: The line of the place, counted from 1.
        column: The column of the place, counted from 1.
        message: What is wrong.
        hint: What to write instead, or None.
        unknown: Whether there is no such name or field; otherwise types do not fit.
    """

    position: int
    line: int
    column: int
    message: str
    hint: str | None = None
    unknown: bool = False

    def __str__(self) -> str:
        return f"{self.message}; {self.hint}" if self.hint else self.message


class ExhaustedError(Exception):
    """An evaluation has done all the work that it may.

    No `EvaluationError`, so that nothing inside the expression can go on in spite of it: `x || true` would. It becomes
    one where the evaluation began.

    Args:
        position: Where in the expression.
    """

    def __init__(self, position: int) -> None:
        super().__init__(position)
        self.position = position


class WrongCall(Exception):
    """A call that cannot be made: no such function, or not with these arguments.

    Args:
        message: What is wrong and what to write instead.
        position: Where in the source.
    """

    def __init__(self, message: str, position: int) -> None:
        super().__init__(message)
        self.message = message
        self.position = position
