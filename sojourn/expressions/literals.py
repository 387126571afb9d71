"""Constants in an expression: numbers and texts, with their escapes."""

from __future__ import annotations

import re

from sojourn.expressions.errors import ExpressionError

INT_MIN = -(2**63)
INT_MAX = 2**63 - 1

_SIMPLE_ESCAPES = {
    "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v",
    "\\": "\\", "?": "?", '"': '"', "'": "'", "`": "`",
}  # fmt: skip

_ESCAPE = re.compile(
    r"""\\(?:(?P<simple>[abfnrtv\\?"'`])
       |[xX](?P<hex>[0-9a-fA-F]{2})
       |u(?P<short>[0-9a-fA-F]{4})
       |U(?P<long>[0-9a-fA-F]{8})
       |(?P<octal>[0-3][0-7]{2}))""",
    re.VERBOSE,
)


def decode_number(source: str, position: int, text: str) -> int | float:
    """Return the number that a token stands for. A minus sign is not part of it.

    Raises:
        ExpressionError: The number is unsigned (`1u`), or too large for 64 bits. The largest magnitude, 2 to the
            power of 63, is let through, for the parser to refuse where no minus sign stands before it.
    """
    if text[-1] in "uU":
        raise ExpressionError(
            "unsigned numbers are not a type here; write the number without the `u`", source, position
        )
    if text[:2] in ("0x", "0X"):
        value = int(text, 16)
    elif text.isdigit():
        # Python refuses to read more than 4,300 digits; nothing near that fits anyway.
        value = int(text) if len(text) <= 40 else INT_MAX + 2
    else:
        return float(text)
    if value > INT_MAX + 1:
        raise ExpressionError(
            "the number is too large for a 64-bit integer; write it with a decimal point", source, position
        )
    return value


def decode_text(source: str, position: int, opening: str) -> tuple[str, int]:
    """Return the text that begins at `position` with `opening` (such as `"`, `r'`, three quotes), and where it ends.

    Raises:
        ExpressionError: The text does not end, or holds an escape that does not exist.
    """
    raw = opening[0] in "rR"
    quote = opening[1:] if raw else opening
    start = position + len(opening)
    end = _closing(source, start, quote, raw=raw)
    if end < 0:
        raise ExpressionError(f"the text is not closed; end it with {quote}", source, position)
    body = source[start:end]
    if len(quote) == 1 and ("\n" in body or "\r" in body):
        raise ExpressionError(
            f"the text runs over the end of the line; close it with {quote}, or write \\n", source, position
        )
    return (body if raw else _unescape(source, start, body)), end + len(quote)


def _closing(source: str, start: int, quote: str, *, raw: bool) -> int:
    """Return where the closing quote of a text is, or -1."""
    position = start
    while True:
        end = source.find(quote, position)
        if end < 0 or raw:
            return end
        slash = source.find("\\", position, end)
        if slash < 0:
            return end
        position = slash + 2


def _unescape(source: str, start: int, body: str) -> str:
    """Return a text with its escapes replaced."""
    if "\\" not in body:
        return body
    parts: list[str] = []
    position = 0
    while True:
        slash = body.find("\\", position)
        if slash < 0:
            parts.append(body[position:])
            return "".join(parts)
        parts.append(body[position:slash])
        match = _ESCAPE.match(body, slash)
        if match is None:
            raise ExpressionError(
                "this escape does not exist; write \\\\ for a backslash, or put r before the text",
                source,
                start + slash,
            )
        parts.append(_escaped(match, source, start + slash))
        position = match.end()


def _escaped(match: re.Match[str], source: str, position: int) -> str:
    """Return the character that an escape stands for."""
    if match["simple"]:
        return _SIMPLE_ESCAPES[match["simple"]]
    code = (
        int(match["octal"], 8) if match["octal"] else int(match["hex"] or match["short"] or match["long"], 16)
    )
    if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
        raise ExpressionError("this is not a Unicode character", source, position)
    return chr(code)


def closing_quote(text: str, position: int) -> int:
    """Return where the text literal that begins with the quote at `position` ends: its last character, or -1.

    Serves those that look for the end of an expression inside other text.
    """
    quote = text[position]
    raw = position > 0 and text[position - 1] in "rR" and not (position > 1 and _is_word(text[position - 2]))
    opening = quote * 3 if text.startswith(quote * 3, position) else quote
    end = _closing(text, position + len(opening), opening, raw=raw)
    return end + len(opening) - 1 if end >= 0 else -1


def _is_word(character: str) -> bool:
    """Whether a character can be a part of a name."""
    return character.isalnum() or character == "_"
