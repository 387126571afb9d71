"""`format`: text from a pattern with placeholders."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable
from typing import Any

from sojourn.expressions import values
from sojourn.expressions.errors import EvaluationError
from sojourn.expressions.functions.registry import function
from sojourn.expressions.limits import MAX_DATA_DEPTH, check_text

_function = functools.partial(function, group="Text")

_CLAUSE = re.compile(r"%(?:%|(?:\.(\d{1,3}))?(.))", re.DOTALL | re.ASCII)
MAX_PRECISION = 100


@_function(
    "format(string, list) -> string",
    "The text with the items of a list put in: `%s` any value, `%d` a number, `%.2f` with so many decimals, `%e`, "
    "`%b`, `%o`, `%x`, `%X`; `%%` is a percent sign.",
    ("'%s has %d points, %.1f%%'.format(['Ann', 20, 12.5])", "'Ann has 20 points, 12.5%'"),
    work="walk",
)
def format_(pattern: str, items: list[Any]) -> str:
    """Return a pattern with its placeholders filled in."""
    pieces: list[str] = []
    position = used = length = 0
    while (start := pattern.find("%", position)) >= 0:
        match = _CLAUSE.match(pattern, start)
        if match is None:
            raise EvaluationError("the pattern ends in the middle of a placeholder")
        if match.group() == "%%":
            piece = "%"
        else:
            if used >= len(items):
                raise EvaluationError("the pattern has more placeholders than the list has items")
            piece = _fill(match[2], match[1], items[used])
            used += 1
        pieces += (pattern[position:start], piece)
        length += len(piece)
        check_text(length)
        position = match.end()
    check_text(length + len(pattern))
    return "".join([*pieces, pattern[position:]])


def _fill(letter: str, digits: str | None, value: Any) -> str:
    """Return what stands in place of one placeholder."""
    precision = 6 if digits is None else int(digits)
    if precision > MAX_PRECISION:
        raise EvaluationError(f"a placeholder asks for more than {MAX_PRECISION} decimals")
    if letter in ("f", "e"):
        return _decimals(value, letter, precision)
    if digits is not None or letter not in _CLAUSES:
        raise EvaluationError("the pattern holds a placeholder that does not exist")
    return _CLAUSES[letter](value)


def _misfit(placeholder: str, value: Any) -> EvaluationError:
    return EvaluationError(f"the placeholder {placeholder} does not take {values.a_kind(value)}")


def _decimals(value: Any, letter: str, precision: int) -> str:
    if type(value) not in values.NUMBERS:
        raise _misfit(f"%{letter}", value)
    try:
        number = float(value)
    except OverflowError:
        raise _misfit(f"%{letter}", value) from None
    return f"{number:.{precision}{letter}}" if math.isfinite(number) else values.number_text(number)


def _number(value: Any) -> str:
    if type(value) is int or (type(value) is float and (not math.isfinite(value) or value == int(value))):
        return values.number_text(value if type(value) is int or not math.isfinite(value) else int(value))
    raise _misfit("%d", value)


def _radix(letter: str) -> Callable[[Any], str]:
    """Return what writes a whole number in another radix; for hexadecimal also the bytes of a text."""

    def write(value: Any) -> str:
        if type(value) is str and letter in ("x", "X"):
            encoded = value.encode("utf-8", "surrogatepass").hex()
            return encoded.upper() if letter == "X" else encoded
        if type(value) is int or (type(value) is bool and letter == "b"):
            return f"{int(value):{letter}}"
        raise _misfit(f"%{letter}", value)

    return write


def plain(value: Any, depth: int = 0) -> str:
    """Return what `%s` makes of a value: lists and maps in CEL's way, keys of maps in order."""
    if depth > MAX_DATA_DEPTH:
        raise EvaluationError(f"the data is nested more than {MAX_DATA_DEPTH} levels deep")
    kind = values.kind_of(value)
    if kind == "list":
        return f"[{', '.join(plain(item, depth + 1) for item in value)}]"
    if kind == "map":
        entries = sorted((plain(key), plain(item, depth + 1)) for key, item in value.items())
        return f"{{{', '.join(f'{key}: {item}' for key, item in entries)}}}"
    text = values.scalar_text(value)
    if text is None:
        raise _misfit("%s", value)
    return text


_CLAUSES: dict[str, Callable[[Any], str]] = {
    "s": plain, "d": _number, "b": _radix("b"), "o": _radix("o"), "x": _radix("x"), "X": _radix("X"),
}  # fmt: skip
