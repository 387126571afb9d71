"""What libyaml says about broken YAML, said so that a journey author knows what to do."""

from __future__ import annotations

import re
from typing import NamedTuple

import yaml

from sojourn.definitions.codes import Code
from sojourn.definitions.problems import Path


class YamlProblem(NamedTuple):
    """Something wrong with the YAML itself."""

    code: Code
    line: int
    column: int
    path: Path
    message: str
    hint: str


_TAG = re.compile(r"[:,\[{-] +(![^\s!]+)")
_MEANINGS = (
    (
        "mapping values are not allowed",
        "A ': ' stands where YAML expects no further key",
        "Put a text that contains ': ' in quotes, and check the indentation of the line.",
    ),
    (
        "could not find expected ':'",
        "A key without ':' after it",
        "Write `key: value`, and put a text of several lines after `|`.",
    ),
    (
        "did not find expected ',' or '}'",
        "A { is not closed as it should be",
        'Check the commas, close it with }, and quote templates and expressions in it: "${...}".',
    ),
    (
        "did not find expected ',' or ']'",
        "A [ is not closed as it should be",
        'Check the commas, close it with ], and quote templates and expressions in it: "${...}".',
    ),
    (
        "did not find expected key",
        "The line fits neither the mapping around it nor the value before it",
        "Check the indentation. A value that begins with a quote ends with it: quote the whole expression.",
    ),
    (
        "did not find expected '-' indicator",
        "The line is no item of the list around it",
        "Begin the item with '- ', or indent the line as the keys of the item before it.",
    ),
    (
        "found unexpected end of stream",
        "A text in quotes is not closed before the end of the file",
        "Close the quotes.",
    ),
    (
        "did not find expected node content",
        "A value is missing",
        "Write it, close [ with ] and { with }, or quote a text that begins with a comma or a bracket.",
    ),
    (
        "found unexpected ':'",
        "A ':' stands where none can",
        "Write a space after it, and put texts in quotes.",
    ),
    ("found undefined tag handle", "YAML tags are not allowed", "Leave it out."),
    (
        "did not find expected alphabetic or numeric character",
        "A value begins with & or *, which name anchors and aliases in YAML",
        "Put the value in quotes.",
    ),
    (
        "found unknown escape character",
        "An unknown \\ escape in double quotes",
        "Use single quotes for such a text.",
    ),
    (
        "block sequence entries are not allowed",
        "A list begins where YAML allows none",
        "Begin the list on a line of its own.",
    ),
    (
        "did not find expected <document start>",
        "The file goes on after the end of its document",
        "Check the indentation; a further document begins after a line '---'.",
    ),
)


def explain(error: Exception, lines: list[str]) -> YamlProblem:
    """Return what an error of libyaml means, and where it is.

    Args:
        error: What the parser raised.
        lines: The file's lines.
    """
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    line, column = (mark.line + 1, mark.column + 1) if mark else _unreadable(lines)
    if (
        mark
        and not "".join(["".join(lines[mark.line : mark.line + 1])[mark.column :], *lines[line:]]).strip()
    ):
        line, column = _last(error, lines)
    source = lines[line - 1] if 0 < line <= len(lines) else ""
    indent = source[: len(source) - len(source.lstrip())]
    said = getattr(error, "problem", None) or str(error)
    if "\t" in indent or ("cannot start any token" in said and source[column - 1 : column] == "\t"):
        return YamlProblem(
            Code.TAB,
            line,
            source.find("\t") + 1,
            (),
            "A tab stands in the indentation",
            "Indent with spaces.",
        )
    if isinstance(error, yaml.reader.ReaderError) or "control characters are not allowed" in said:
        return YamlProblem(
            Code.YAML,
            line,
            column,
            (),
            "The file holds a control character, which YAML does not allow",
            'Remove it, or write it as an escape in double quotes, such as "\\u0007".',
        )
    if isinstance(error, UnicodeError):
        message = "The file holds half a character, a lone surrogate"
        return YamlProblem(Code.ENCODING, line, column, (), message, "Save it as UTF-8.")
    if "cannot start any token" in said:
        character = source[column - 1 : column]
        return YamlProblem(
            Code.YAML, line, column, (), f"A value cannot begin with {character}", "Put the value in quotes."
        )
    tag = _TAG.search(source[:column])
    if tag:
        hint = "An expression that begins with ! must be quoted: '!event.paid'."
        return YamlProblem(Code.TAG, line, tag.start(1) + 1, (), "YAML tags are not allowed", hint)
    for pattern, message, hint in _MEANINGS:
        if pattern in said:
            return YamlProblem(Code.YAML, line, column, (), message, hint)
    return YamlProblem(
        Code.YAML,
        line,
        column,
        (),
        f"The YAML is broken: {said[:200]}",
        "Check the line and the one before it.",
    )


def _last(error: Exception, lines: list[str]) -> tuple[int, int]:
    """Return where what is open at the end of the file began, else the end of its last line."""
    mark = getattr(error, "context_mark", None)
    if mark and "".join(lines[mark.line : mark.line + 1])[mark.column :].strip():
        return mark.line + 1, mark.column + 1
    number = max((index for index, line in enumerate(lines) if line.strip()), default=0)
    return number + 1, len(lines[number].rstrip()) + 1


def _unreadable(lines: list[str]) -> tuple[int, int]:
    """Return the place of the first character that YAML does not allow, where the parser gives none."""
    for number, line in enumerate(lines, start=1):
        for column, character in enumerate(line, start=1):
            if (ord(character) < 0x20 and character not in "\t\r") or ord(character) == 0x7F:
                return number, column
    return 1, 1
