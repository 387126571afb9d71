"""Functions of text."""

from __future__ import annotations

import functools
import string
from typing import Any

from sojourn.expressions import values
from sojourn.expressions.errors import EvaluationError
from sojourn.expressions.functions.registry import function
from sojourn.expressions.limits import check_list, check_text

_function = functools.partial(function, group="Text")

_SPACE = (
    " \t\n\v\f\r\u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006"
    "\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
)
_QUOTED = {
    ord("\a"): "\\a", ord("\b"): "\\b", ord("\f"): "\\f", ord("\n"): "\\n", ord("\r"): "\\r", ord("\t"): "\\t",
    ord("\v"): "\\v", ord("\\"): "\\\\", ord('"'): '\\"',
}  # fmt: skip


@_function(
    "contains(string, string) -> bool", "Whether a text holds another.", ("'team'.contains('ea')", "true")
)
def contains(text: str, part: str) -> bool:
    """Whether a text holds another."""
    return part in text


@_function(
    "startsWith(string, string) -> bool", "Whether a text begins so.", ("'team'.startsWith('te')", "true")
)
def starts_with(text: str, part: str) -> bool:
    """Whether a text begins with another."""
    return text.startswith(part)


@_function("endsWith(string, string) -> bool", "Whether a text ends so.", ("'team'.endsWith('am')", "true"))
def ends_with(text: str, part: str) -> bool:
    """Whether a text ends with another."""
    return text.endswith(part)


@_function(
    "equalsIgnoreCase(string, string) -> bool",
    "Whether two texts differ in nothing but capital letters.",
    ("'Rome'.equalsIgnoreCase('ROME')", "true"),
)
def equals_ignore_case(text: str, other: str) -> bool:
    """Whether two texts are the same but for case."""
    return text.casefold() == other.casefold()


@_function(
    "containsIgnoreCase(string, string) -> bool",
    "Whether a text holds another, whatever the capital letters.",
    ("'Team'.containsIgnoreCase('EA')", "true"),
)
def contains_ignore_case(text: str, part: str) -> bool:
    """Whether a text holds another but for case."""
    return part.casefold() in text.casefold()


@_function(
    "startsWithIgnoreCase(string, string) -> bool",
    "Whether a text begins so, whatever the capital letters.",
    ("'Team'.startsWithIgnoreCase('tE')", "true"),
)
def starts_with_ignore_case(text: str, part: str) -> bool:
    """Whether a text begins with another but for case."""
    return text.casefold().startswith(part.casefold())


@_function(
    "endsWithIgnoreCase(string, string) -> bool",
    "Whether a text ends so, whatever the capital letters.",
    ("'Team'.endsWithIgnoreCase('AM')", "true"),
)
def ends_with_ignore_case(text: str, part: str) -> bool:
    """Whether a text ends with another but for case."""
    return text.casefold().endswith(part.casefold())


@_function("lower(string) -> string", "The text in small letters.", ("lower('Été')", "'été'"))
def lower(text: str) -> str:
    """Return a text in small letters."""
    return text.lower()


@_function("upper(string) -> string", "The text in capital letters.", ("upper('Été')", "'ÉTÉ'"))
def upper(text: str) -> str:
    """Return a text in capital letters."""
    return text.upper()


_LOWER = {ord(letter): letter.lower() for letter in string.ascii_uppercase}
_UPPER = {ord(letter): letter.upper() for letter in string.ascii_lowercase}


@_function(
    "lowerAscii(string) -> string",
    "The text with A to Z in small letters.",
    ("'ÉTÉ A'.lowerAscii()", "'ÉtÉ a'"),
)
def lower_ascii(text: str) -> str:
    """Return a text with A to Z in small letters."""
    return text.lower() if text.isascii() else text.translate(_LOWER)


@_function(
    "upperAscii(string) -> string",
    "The text with a to z in capital letters.",
    ("'été a'.upperAscii()", "'éTé A'"),
)
def upper_ascii(text: str) -> str:
    """Return a text with a to z in capital letters."""
    return text.upper() if text.isascii() else text.translate(_UPPER)


@_function("trim(string) -> string", "The text without space around it.", ("'  a b '.trim()", "'a b'"))
def trim(text: str) -> str:
    """Return a text without space around it."""
    return text.strip(_SPACE)


@_function(
    "charAt(string, int) -> string", "The character at an index, counted from 0.", ("'abc'.charAt(1)", "'b'")
)
def char_at(text: str, index: int) -> str:
    """Return the character at an index; after the last one, nothing."""
    if not 0 <= index <= len(text):
        raise EvaluationError("the index is outside the text")
    return text[index : index + 1]


@_function(
    "indexOf(string, string, int?) -> int",
    "Where a text first holds another, from an index on; -1 if nowhere.",
    ("'banana'.indexOf('an')", "1"),
    ("'banana'.indexOf('an', 2)", "3"),
)
def index_of(text: str, part: str, start: int = 0) -> int:
    """Return where a text first holds another."""
    if not 0 <= start <= len(text):
        raise EvaluationError("the index is outside the text")
    return text.find(part, start)


@_function(
    "lastIndexOf(string, string, int?) -> int",
    "Where a text last holds another, up to an index; -1 if nowhere.",
    ("'banana'.lastIndexOf('an')", "3"),
)
def last_index_of(text: str, part: str, last: int | None = None) -> int:
    """Return where a text last holds another."""
    if last is None:
        return text.rfind(part)
    if not 0 <= last <= len(text):
        raise EvaluationError("the index is outside the text")
    return text.rfind(part, 0, last + len(part))


@_function(
    "substring(string, int, int?) -> string",
    "The text from one index to before another.",
    ("'Hello World'.substring(0, 5)", "'Hello'"),
    ("'Hello World'.substring(6)", "'World'"),
)
def substring(text: str, start: int, end: int | None = None) -> str:
    """Return a part of a text."""
    end = len(text) if end is None else end
    if not 0 <= start <= end <= len(text):
        raise EvaluationError("an index is outside the text")
    return text[start:end]


@_function(
    "replace(string, string, string, int?) -> string",
    "The text with another put in place of a part, everywhere or a number of times.",
    ("'banana'.replace('a', 'o')", "'bonono'"),
    ("'banana'.replace('a', 'o', 1)", "'bonana'"),
)
def replace(text: str, part: str, by: str, count: int = -1) -> str:
    """Return a text with a part replaced."""
    times = text.count(part) if count < 0 else min(text.count(part), count)
    check_text(len(text) + times * (len(by) - len(part)))
    return text.replace(part, by, max(count, -1))


@_function(
    "split(string, string, int?) -> list<string>",
    "The parts of a text between separators, at most so many.",
    ("'a,b,c'.split(',')", "['a', 'b', 'c']"),
    ("'a,b,c'.split(',', 2)", "['a', 'b,c']"),
)
def split(text: str, separator: str, limit: int = -1) -> list[str]:
    """Return the parts of a text between separators."""
    if limit == 0:
        return []
    check_list(len(text) + 1 if not separator else text.count(separator) + 1)
    if not separator:
        parts = list(text) or [""]
        return (
            parts if limit < 0 or len(parts) <= limit else [*parts[: limit - 1], "".join(parts[limit - 1 :])]
        )
    return text.split(separator, limit - 1 if limit > 0 else -1)


@_function(
    "join(list, string?) -> string",
    "The texts of a list, with a separator between them.",
    ("['a', 'b'].join('-')", "'a-b'"),
)
def join(items: list[Any], separator: str = "") -> str:
    """Return the texts of a list as one."""
    for item in items:
        if type(item) is not str:
            raise EvaluationError(f"join needs a list of texts, and this one holds {values.a_kind(item)}")
    check_text(sum(map(len, items)) + len(separator) * len(items))
    return separator.join(items)


@_function(
    "strings.quote(string) -> string",
    "The text between quotation marks, with escapes.",
    ("strings.quote('say \"hi\"')", '"\\"say \\\\\\"hi\\\\\\"\\""'),
)
def quote(text: str) -> str:
    """Return a text as an expression writes it."""
    return f'"{text.translate(_QUOTED)}"'
