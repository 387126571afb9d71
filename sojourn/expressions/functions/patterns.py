"""Functions with regular expressions, which RE2 runs in time linear in the text."""

from __future__ import annotations

import functools

import re2

from sojourn.expressions.errors import EvaluationError
from sojourn.expressions.functions.registry import function
from sojourn.expressions.limits import check_list, check_text

GROUP = "Patterns"
_function = functools.partial(function, group=GROUP)

MAX_PATTERN = 1_000
"""Characters in a pattern. Matching takes time in proportion to the pattern, too."""

_options = re2.Options()
_options.log_errors = False
_options.max_mem = 4 << 20


@functools.lru_cache(maxsize=512)
def compiled(pattern: str) -> re2._Regexp:
    """Return a compiled pattern.

    Raises:
        EvaluationError: The pattern is not one of RE2, or is too long.
    """
    if len(pattern) > MAX_PATTERN:
        raise EvaluationError(f"the pattern is longer than {MAX_PATTERN:,} characters")
    try:
        return re2.compile(pattern, _options)
    except (re2.error, ValueError):
        raise EvaluationError(
            "the pattern is not a regular expression of RE2, which has no look-around and no back-references"
        ) from None


def _encodable(text: str) -> str:
    """Return the text, if RE2 can read it: half of a surrogate pair has no UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise EvaluationError("the text holds half a character and cannot be matched") from None
    return text


@_function(
    "matches(string, string) -> bool",
    "Whether a regular expression (RE2) matches anywhere in a text; `^` and `$` bind it to the ends.",
    ("'user@example.com'.matches('@example[.]com$')", "true"),
)
def matches(text: str, pattern: str) -> bool:
    """Whether a pattern matches anywhere in a text."""
    return compiled(_encodable(pattern)).search(_encodable(text)) is not None


@_function(
    "regex.replace(string, string, string, int?) -> string",
    "The text with what matches replaced, everywhere or a number of times; `\\\\1` stands for the first group.",
    ("regex.replace('Hello World', 'l+', 'x')", "'Hexo Worxd'"),
    ("regex.replace('Hello World', 'l', 'x', 1)", "'Hexlo World'"),
    (r"regex.replace('Ann Lee', '(\\w+) (\\w+)', '\\2, \\1')", "'Lee, Ann'"),
    work="scan",
)
def regex_replace(text: str, pattern: str, by: str, count: int = -1) -> str:
    """Return a text with what matches a pattern replaced."""
    expression = compiled(_encodable(pattern))
    if count == 0:
        return text
    _encodable(text)
    with_groups = "\\" in by
    pieces: list[str] = []
    position = length = 0
    for number, match in enumerate(expression.finditer(text)):
        if 0 < count <= number:
            break
        check_list(number)
        piece = _fill(by, match) if with_groups else by
        pieces += (text[position : match.start()], piece)
        length += len(piece)
        check_text(length)
        position = match.end()
    check_text(length + len(text))
    return "".join([*pieces, text[position:]])


def _fill(template: str, match: re2._Match) -> str:
    """Return a replacement with the groups that it names filled in."""
    groups = [match.group(), *(group or "" for group in match.groups())]
    parts: list[str] = []
    index = 0
    while index < len(template):
        character = template[index]
        if character != "\\":
            parts.append(character)
            index += 1
            continue
        following = template[index + 1 : index + 2]
        if following == "\\":
            parts.append("\\")
        elif following.isascii() and following.isdigit() and int(following) < len(groups):
            parts.append(groups[int(following)])
        else:
            raise EvaluationError("the replacement holds a \\ before what is no group of the pattern")
        index += 2
    check_text(sum(map(len, parts)))
    return "".join(parts)


@_function(
    "regex.split(string, string) -> list<string>",
    "The parts of a text between what matches.",
    ("regex.split('20.45.2', '[.]')", "['20', '45', '2']"),
    work="scan",
)
def regex_split(text: str, pattern: str) -> list[str]:
    """Return the parts of a text between matches of a pattern."""
    parts: list[str] = []
    position = 0
    for match in compiled(_encodable(pattern)).finditer(_encodable(text)):
        if match.end() > match.start():
            parts.append(text[position : match.start()])
            position = match.end()
            check_list(len(parts) + 1)
    return [*parts, text[position:]]


@_function(
    "regex.find(string, string) -> string",
    "What first matches in a text, or its first group if the pattern has one; an empty text if nothing does.",
    ("regex.find('order 4711 paid', '[0-9]+')", "'4711'"),
    ("regex.find('id=7;', 'id=([0-9]+)')", "'7'"),
)
def regex_find(text: str, pattern: str) -> str:
    """Return what first matches a pattern in a text."""
    expression = compiled(_encodable(pattern))
    match = expression.search(_encodable(text))
    if match is None:
        return ""
    return match.group(1 if expression.groups else 0) or ""
