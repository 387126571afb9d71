"""Reading bodies: what type they are, and JSON with errors that say where and what to write instead."""

from __future__ import annotations

import re
from email.message import Message
from typing import Any

from pydantic_core import from_json
from starlette.requests import Request

from sojourn.api.problems import kinds
from sojourn.api.problems.errors import ProblemError

_POSITION = re.compile(r"(.*) at line (\d+) column (\d+)", re.DOTALL)

_PLAIN_WORDS = {
    "EOF while parsing a value": "the body ends where a value should stand",
    "EOF while parsing an object": "the body ends in the middle of an object: a } is missing",
    "EOF while parsing a list": "the body ends in the middle of a list: a ] is missing",
    "EOF while parsing a string": 'the body ends in the middle of a string: a " is missing',
    "expected value": "a value should stand here",
    "expected ident": "this word is not JSON, which knows true, false and null",
    "expected `:`": "a : is missing here",
    "expected `,` or `}`": "a , or } is missing here",
    "expected `,` or `]`": "a , or ] is missing here",
    "key must be a string": "write the key in double quotes",
    "trailing comma": "remove the comma before this",
    "trailing characters": "the value ended before this; to send several, write them as a list: [ …, … ]",
    "invalid number": "this number is not JSON",
    "number out of range": "this number has too many digits",
    "invalid escape": "this escape is not JSON; write a backslash as \\\\",
    "lone leading surrogate in hex escape": "this escape is half of a character; both halves are needed",
    "unexpected end of hex escape": "this escape is half of a character; both halves are needed",
    "invalid unicode code point": "this byte is not UTF-8; encode the body in UTF-8",
    "recursion limit exceeded": "the nesting is deeper than 200 levels",
    "control character (\\u0000-\\u001F) found while parsing a string": "write control characters as "
    "escapes, such as \\n",
}


def content_type(request: Request) -> str:
    """Return the media type of a request in lower case, without parameters; empty if there is none.

    Raises:
        ProblemError: The charset is another one than UTF-8.
    """
    header = request.headers.get("content-type", "")
    media_type, _, parameters = header.partition(";")
    if "charset" in parameters.lower():
        message = Message()
        message["content-type"] = header
        charset = message.get_content_charset()
        if charset not in ("utf-8", "utf8", "us-ascii"):
            raise ProblemError(
                kinds.WRONG_CONTENT_TYPE,
                f"The charset is {str(charset)[:40]}. Encode the body in UTF-8.",
                accepted=[media_type.strip()],
            )
    return media_type.strip().lower()


def wrong_content_type(media_type: str, accepted: list[str]) -> ProblemError:
    """Return the problem of a body that is declared as something else than the operation reads."""
    said = f"The Content-Type is {media_type[:80]}." if media_type else "The header Content-Type is missing."
    return ProblemError(
        kinds.WRONG_CONTENT_TYPE,
        f"{said} Send {' or '.join(accepted)}.",
        accepted=accepted,
        headers={"Accept": ", ".join(accepted)},
    )


def parse_json(body: bytes, expected: str) -> Any:
    """Return what a JSON body holds. Of two members of the same name in an object the last one counts.

    Args:
        body: The body.
        expected: What the operation wants, for the message about an empty body.

    Raises:
        ProblemError: It is empty, or not JSON; the detail says line and column.
    """
    try:
        return from_json(body, allow_inf_nan=False, cache_strings="keys")
    except ValueError as error:
        if not body.strip():
            raise ProblemError(
                kinds.EMPTY_BODY, f"The request has no body. Send {expected} as JSON."
            ) from None
        raise _not_json(body, str(error)) from None


def _not_json(body: bytes, message: str) -> ProblemError:
    match = _POSITION.fullmatch(message)
    if (
        match is None
    ):  # The parser always says where; should it ever not, its own words are the best there is.
        return ProblemError(kinds.INVALID_JSON, f"The body is not JSON: {message}.", line=1, column=1)
    what, line, column = match[1], int(match[2]), int(match[3])
    text = body.split(b"\n", line)[line - 1]
    rest = text[max(column - 1, 0) :]
    # The parser counts bytes; people count characters.
    column = len(text[:column].decode("utf-8", "replace")) or 1
    words = _hint(body, rest) or _PLAIN_WORDS.get(what, what)
    return ProblemError(
        kinds.INVALID_JSON,
        f"The body is not JSON: {words}, at line {line}, column {column}.",
        line=line,
        column=column,
    )


def _hint(body: bytes, rest: bytes) -> str | None:
    """Return a better explanation than the parser's for what people often send."""
    if body.startswith(b"\xef\xbb\xbf"):
        return "it begins with a byte order mark; leave it out"
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "it is UTF-16; encode the body in UTF-8"
    if rest.startswith((b"NaN", b"Infinity", b"-I")):
        return "JSON has no NaN and no Infinity; write null, or leave the field out"
    if rest.startswith(b"I") and b"-Infinity" in body:
        return "JSON has no NaN and no Infinity; write null, or leave the field out"
    if rest.startswith(b"'"):
        return "write strings in double quotes"
    if rest.startswith((b"True", b"False", b"None")):
        return "write true, false or null in lower case, and no None"
    if rest.startswith((b"//", b"/*", b"#")):
        return "JSON has no comments"
    return None
