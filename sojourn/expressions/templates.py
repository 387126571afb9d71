"""Templates: JSON with `${...}` in its texts.

A text that is one `${...}` and nothing else keeps the type of its value. Where other text stands around it, the
value becomes text: null nothing, bools `true` and `false`, numbers without needless zeros, timestamps RFC 3339,
durations seconds such as `3600s`, lists and maps their JSON. `$${` is a literal `${`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

from sojourn.expressions import values
from sojourn.expressions.errors import EvaluationError, ExhaustedError, ExpressionError, Path
from sojourn.expressions.expression import CACHED, Expression, compile  # noqa: A004
from sojourn.expressions.limits import MAX_DATA_DEPTH, MAX_TEMPLATE, MAX_TEXT, Meter
from sojourn.expressions.literals import closing_quote

_Fill = Callable[[Mapping[str, Any], Meter], Any]


class Template:
    """A JSON value whose texts may hold expressions. It holds no state.

    Make one with `compile_template`.

    Attributes:
        source: The value that it was made of.
        expressions: Its expressions, each with the place in the value where it stands.
        constant: Whether there are none, so that the value is always the same.
    """

    __slots__ = ("_fill", "constant", "expressions", "source")

    def __init__(self, source: Any) -> None:
        self.source = source
        self.expressions: list[tuple[Path, Expression]] = []
        builder = _Builder(self.expressions)
        self._fill = builder.build(source, (), 0)
        self.constant = not self.expressions

    def evaluate(self, variables: Mapping[str, Any]) -> Any:
        """Return the value with its expressions filled in.

        It is new: changing it changes neither the template nor the variables. Timestamps and durations that stand
        alone stay what they are; `to_json` makes text of them.

        Raises:
            EvaluationError: An expression cannot be evaluated on this data.
        """
        try:
            return self._fill(variables, Meter())
        except ExhaustedError:
            raise EvaluationError("the template builds too much; leave parts of the data out") from None


def compile_template(value: Any) -> Template:
    """Return the template that a JSON value is.

    Args:
        value: None, bool, int, float, str, or lists and dicts of these. Keys of dicts are taken as they are.

    Raises:
        ExpressionError: An expression in it does not compile, or is not closed. `source` is then the text that holds
            it, so that line and column count within that text.
        ValueError: The value is not JSON, is nested too deeply, or is too long.
    """
    return Template(value)


class _Builder:
    """Builds what fills one template.

    Args:
        expressions: Where to put the expressions that are found.
    """

    def __init__(self, expressions: list[tuple[Path, Expression]]) -> None:
        self.expressions = expressions
        self.length = 0

    def build(self, value: Any, path: Path, depth: int) -> _Fill:
        if depth > MAX_DATA_DEPTH:
            raise ValueError(f"the template is nested more than {MAX_DATA_DEPTH} levels deep")
        kind = values.kind_of(value)
        if kind == "string":
            return self.text(value, path)
        if kind == "list":
            items = [self.build(item, (*path, index), depth + 1) for index, item in enumerate(value)]
            return lambda variables, meter: [item(variables, meter) for item in items]
        if kind == "map":
            entries = [(key, self.build(item, (*path, str(key)), depth + 1)) for key, item in value.items()]
            return lambda variables, meter: {key: item(variables, meter) for key, item in entries}
        if kind in ("type", "unknown"):
            raise ValueError("a template is made of JSON: text, numbers, true, false, null, lists and maps")
        return lambda variables, meter: value

    def text(self, text: str, path: Path) -> _Fill:
        """Return what fills one text."""
        self.length += len(text)
        if self.length > MAX_TEMPLATE:
            raise ValueError(f"the template has more than {MAX_TEMPLATE:,} characters")
        parts = split(text)
        self.expressions += [(path, part) for part in parts if isinstance(part, Expression)]
        if all(isinstance(part, str) for part in parts):
            constant = "".join(str(part) for part in parts)
            return lambda variables, meter: constant
        if len(parts) == 1 and isinstance(parts[0], Expression):
            return _whole(parts[0])
        return _joined(parts)


def _whole(expression: Expression) -> _Fill:
    """Return what gives the value of an expression, as a copy of its own."""
    return lambda variables, meter: _copy(expression.evaluate(variables), expression, meter, 0)


def _copy(value: Any, expression: Expression, meter: Meter, depth: int) -> Any:
    """Return a copy of lists and maps, all the way down."""
    kind = values.kind_of(value)
    if kind not in ("list", "map"):
        return value
    if depth > MAX_DATA_DEPTH:
        raise EvaluationError(
            f"the data is nested more than {MAX_DATA_DEPTH} levels deep", expression.source, 0
        )
    meter.charge(1 + len(value), 0)
    if kind == "list":
        return [_copy(item, expression, meter, depth + 1) for item in value]
    return {key: _copy(item, expression, meter, depth + 1) for key, item in value.items()}


def _joined(parts: tuple[str | Expression, ...]) -> _Fill:
    """Return what joins text and the texts of values."""

    def fill(variables: Mapping[str, Any], meter: Meter) -> str:
        pieces = []
        length = 0
        for part in parts:
            if isinstance(part, str):
                piece = part
            else:
                value = part.evaluate(variables)
                try:
                    piece = values.text(value)
                except EvaluationError as error:
                    error.expression, error.position = part.source, 0
                    raise
            length += len(piece)
            meter.charge(len(piece) >> 6, 0)
            if length > MAX_TEXT:
                raise EvaluationError(f"the text would be longer than {MAX_TEXT:,} characters")
            pieces.append(piece)
        return "".join(pieces)

    return fill


@functools.lru_cache(maxsize=CACHED)
def split(text: str) -> tuple[str | Expression, ...]:
    """Return the parts of a template text: literal text, and expressions. Each text is split once in a process.

    Raises:
        ExpressionError: An expression does not compile, or is not closed.
    """
    parts: list[str | Expression] = []
    literal = ""
    position = 0
    while True:
        start = text.find("${", position)
        if start < 0:
            literal += text[position:]
            if literal or not parts:
                parts.append(literal)
            return tuple(parts)
        if start > position and text[start - 1] == "$":
            literal += text[position : start - 1] + "${"
            position = start + 2
            continue
        literal += text[position:start]
        end = _closing_brace(text, start)
        if literal:
            parts.append(literal)
            literal = ""
        parts.append(_compiled(text, start + 2, end))
        position = end + 1


def _closing_brace(text: str, start: int) -> int:
    """Return where the brace is that closes the `${` at `start`; braces in texts and of maps do not count."""
    depth = 0
    position = start + 1
    while position < len(text):
        character = text[position]
        if character == "{":
            depth += 1
        elif character == "}":
            depth -= 1
            if depth == 0:
                return position
        elif character in "\"'":
            position = closing_quote(text, position)
            if position < 0:
                break
        position += 1
    raise ExpressionError(
        "`${` is not closed; end the expression with `}`, or write `$${` for the characters", text, start
    )


def _compiled(text: str, start: int, end: int) -> Expression:
    """Compile the expression between two places of a text; errors speak of the places in the whole text."""
    inner = text[start:end]
    lead = len(inner) - len(inner.lstrip())
    try:
        return compile(inner.strip())
    except ExpressionError as error:
        raise ExpressionError(error.message, text, start + lead + error.position) from None
