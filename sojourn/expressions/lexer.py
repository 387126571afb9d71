"""From text to tokens."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from sojourn.expressions.errors import ExpressionError
from sojourn.expressions.limits import MAX_SOURCE
from sojourn.expressions.literals import decode_number, decode_text

RESERVED = frozenset(
    [
        "as",
        "break",
        "const",
        "continue",
        "else",
        "for",
        "function",
        "if",
        "import",
        "let",
        "loop",
        "package",
        "namespace",
        "return",
        "var",
        "void",
        "while",
    ]
)
"""Words that CEL keeps for later: no variable can have such a name, a field can."""

_LITERAL_WORDS: dict[str, Any] = {"true": True, "false": False, "null": None}

_TOKEN = re.compile(
    r"""
    (?P<space>(?:[ \t\r\n\f]+|//[^\n]*)+)
  | (?P<text>[rR]?(?:\"{3}|'{3}|["']))
  | (?P<bytes>(?:[bB][rR]?|[rR][bB])["'])
  | (?P<number>(?:0[xX][0-9a-fA-F]+|(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)[uU]?)
  | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
  | (?P<quoted>`[A-Za-z0-9_.\-/ ]+`)
  | (?P<symbol>&&|\|\||==|!=|<=|>=|[-+*/%<>!?:.,()\[\]{}])
    """,
    re.VERBOSE,
)

_INSTEAD = {
    "=": "to compare, write `==`",
    "&": "write `&&` for and",
    "|": "write `||` for or",
    "$": "`${` begins an expression in a template and is not written inside one",
    "@": "fields are written as `event.name`",
    "#": "fields are written as `profile.name`",
    "“": 'write the plain quotation mark `"`',
    "”": 'write the plain quotation mark `"`',
    "’": "write the plain quotation mark `'`",
    ";": "an expression is one value, without `;`",
}


@dataclass(frozen=True, slots=True)
class Token:
    """A token.

    Attributes:
        kind: `literal`, `name`, `quoted`, `symbol` (then `value` is the symbol itself) or `end`.
        value: What the token stands for.
        position: Where it begins.
        end: Where it ends.
    """

    kind: str
    value: Any
    position: int
    end: int

    def __str__(self) -> str:
        if self.kind == "end":
            return "the end"
        if self.kind == "literal":
            return (
                "null"
                if self.value is None
                else f"a {type(self.value).__name__} constant".replace("a int", "an int")
            )
        return f"`{self.value}`"


def tokenize(source: str) -> list[Token]:
    """Split an expression into tokens; the last one is of kind `end`.

    Raises:
        ExpressionError: The text is too long or holds something that no token can be.
    """
    if len(source) > MAX_SOURCE:
        raise ExpressionError(
            f"the expression has {len(source):,} characters; {MAX_SOURCE:,} are allowed", source, MAX_SOURCE
        )
    tokens: list[Token] = []
    position = 0
    while position < len(source):
        match = _TOKEN.match(source, position)
        if match is None:
            raise _unexpected(source, position)
        token, end = _token(source, position, match)
        if token is not None:
            tokens.append(token)
        position = end
    tokens.append(Token("end", None, len(source), len(source)))
    return tokens


def _token(source: str, position: int, match: re.Match[str]) -> tuple[Token | None, int]:
    """Return the token that a match of the pattern begins, None for space, and where it ends."""
    kind, text, end = match.lastgroup, match.group(), match.end()
    if kind == "space":
        return None, end
    if kind == "text":
        value, end = decode_text(source, position, text)
        return Token("literal", value, position, end), end
    if kind == "bytes":
        raise ExpressionError("bytes are not a type here; write a text, without the `b`", source, position)
    if kind == "number":
        if end < len(source) and (source[end].isalnum() or source[end] == "_"):
            raise ExpressionError(
                'a number runs into a name; a field whose name starts with a digit is written as `x["3h"]`',
                source,
                position,
            )
        return Token("literal", decode_number(source, position, text), position, end), end
    if kind == "word":
        if text in _LITERAL_WORDS:
            return Token("literal", _LITERAL_WORDS[text], position, end), end
        return Token("symbol" if text == "in" else "name", text, position, end), end
    if kind == "quoted":
        return Token("quoted", text[1:-1], position, end), end
    return Token("symbol", text, position, end), end


def _unexpected(source: str, position: int) -> ExpressionError:
    """Return the error for a character that begins no token."""
    character = source[position]
    shown = f"`{character}`" if character.isprintable() else f"the character U+{ord(character):04X}"
    hint = _INSTEAD.get(character)
    return ExpressionError(f"{shown} cannot stand here" + (f"; {hint}" if hint else ""), source, position)
