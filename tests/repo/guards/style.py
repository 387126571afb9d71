"""Counts words that the style guide in CONTRIBUTING.md replaces, in prose of the package and the documentation.

The patterns are heuristics. They leave out uses that are good English as far as a pattern can tell (`where` for a place,
`none of them`, `left behind`), so a count of 0 is reachable for every file.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.repo.guards import lists
from tests.repo.tree import PACKAGE, ROOT, files, shown, tree

_PLACE_BEFORE = (
    "say", "says", "said", "saying", "tell", "tells", "know", "knows", "known", "see", "sees", "find", "finds", "found",
    "show", "shows", "is", "was", "are", "from", "to", "of", "about", "code", "and", "or", "line", "place", "places",
    "point", "points", "decide", "decides", "return", "returns", "check", "look", "looks", "exactly", "on", "starts",
    "remembers", "contain", "contains", "prints", "give", "gives", "name", "names", "folder", "directory", "page", "section",
)  # fmt: skip
_PLACE_AFTER = (
    r"\s+(?:it|each|they|one|this|that|he|she|everyone|X|(?:the|an?|each|every) \w+)\s+"
    r"(?:stands?|stood|runs?|lies|ends?|begins?|starts?|leads?|goes|go|comes? from|belongs?|lives?|listens?|(?:is|are) "
    r"(?:kept|stored|defined|found|used|written)|(?:is|are|was|were)(?=\s*[,.;:)]))\b"
)
_BEFORE = "".join(rf"(?<!\b{word} )" for word in _PLACE_BEFORE)

WORDS: dict[str, re.Pattern[str]] = {
    "where": re.compile(
        rf"{_BEFORE}\bwhere\b(?!{_PLACE_AFTER})(?!\s*[,.:;?)|]|$)"  # `None where there is no such journey`
        r"|\bX? ?(?:\b(?:also|even|only|except|not|but|nothing|none|empty|false|true|null) |None |False |True )where\b"
        r"|(?:^|(?<=[.;:|] ))Where\b(?! (?:is|are|do|does|to)\b)[^.?:|]{3,160}?, (?!such as)"
    ),
    "none": re.compile(
        r"\b(?:is|are|was|were|be|has|have|had|holds?|makes?|takes?|needs?|concerns?|gives?|with) none\b"
        r"(?! of (?:the|them|these|those|its|his|her|their|our|your)\b)"
    ),
    "behind": re.compile(
        r"(?<!left )(?<!leave )(?<!leaves )(?<!leaving )\b[Bb]ehind\b(?! (?:X|workflow\.patched)\b)"
        r"(?! (?:an?|the|your|its|their) (?:\w+ )?(?:proxy|proxies|firewall|balancer|gateway|flag|interface|lock|scenes)\b)"
    ),
    "is to": re.compile(
        r"\b(?:is|was) (?:not )?to be\b|\b(?:are|were) (?:not )?to (?!(?:an?|the|X|its?|us|you|them)\b)\w"
        r"|(?<!what it )(?<!close it )\bis (?:not )?to (?!(?:an?|the|X|its?|us|you|them|be)\b)\w"
    ),
    "tell": re.compile(r"\b(?:tells|told|says|said|telling|saying)\b"),
    "let": re.compile(r"\b[Ll]ets?\b(?!'s)"),
    "What": re.compile(r"(?!)"),  # counted for module docstrings only
}
"""What is counted, by name; code in backticks is read as `X`."""


def prose_files() -> list[Path]:
    """Return the files whose prose is counted: the package, the documentation, README and CONTRIBUTING."""
    return [
        path
        for path in files()
        if (path.suffix == ".py" and path.is_relative_to(PACKAGE))
        or (path.suffix == ".md" and path.is_relative_to(ROOT / "docs"))
        or path in {ROOT / "README.md", ROOT / "CONTRIBUTING.md"}
    ]


def prose(text: str, *, markdown: bool = False) -> str:
    """Return the prose of a file, paragraphs apart: of Python the docstrings, comments and texts of more than a word.

    Args:
        text: The file's text.
        markdown: Whether it is Markdown; fenced blocks are left out.

    Returns:
        The prose, code in backticks replaced by `X`.
    """
    found = _markdown(text) if markdown else "\n\n".join(_python(text))
    return re.sub(r"`[^`\n]*`", "X", re.sub(r"[ \t]*\n[ \t]*(?=\S)", " ", found))


def _markdown(text: str) -> str:
    kept, fence = [], ""
    for line in text.splitlines():
        mark = re.match(r"\s*(`{3,}|~{3,})", line)
        if mark and not fence:
            fence = mark[1]
        elif mark and line.strip().startswith(fence):
            fence = ""
        elif not fence:
            kept.append(line)
    return "\n".join(kept)


def _python(text: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value.strip():
            yield node.value
    row, comment = -2, ""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            if token.start[0] != row + 1:
                yield comment
                comment = ""
            comment += token.string.lstrip("# ") + " "
            row = token.start[0]
    yield comment


def count(path: Path) -> Counter[str]:
    """Return how often each of `WORDS` occurs in a file; what does not occur is left out."""
    text = prose(path.read_text("utf-8"), markdown=path.suffix == ".md")
    found = Counter({name: len(pattern.findall(text)) for name, pattern in WORDS.items()})
    if path.suffix == ".py":
        found["What"] = int((ast.get_docstring(tree(path)) or "").startswith("What"))
    return +found


def counts() -> dict[str, Counter[str]]:
    """Return the counts of every file that has any."""
    return {shown(path): found for path in prose_files() if (found := count(path))}


def entry(path: str, found: Counter[str]) -> str:
    """Return a file's line in the table."""
    return f"{path}: " + ", ".join(f"{name} = {found[name]}" for name in WORDS if found[name])


def allowed() -> dict[str, Counter[str]]:
    """Return the table: how often each word may occur in each file."""
    table = {}
    for line in lists.read("style"):
        path, _, words = line.partition(": ")
        pairs = (word.split(" = ") for word in words.split(", "))
        table[path] = Counter({name: int(number) for name, number in pairs})
    return table


def excess() -> list[str]:
    """Return the words of which a file has more than the table allows; a file that is not in it may have none."""
    table = allowed()
    return [
        f"{path}: {number} of {name!r}, {table.get(path, Counter())[name]} allowed (see CONTRIBUTING.md, Style)"
        for path, found in sorted(counts().items())
        for name, number in found.items()
        if number > table.get(path, Counter())[name]
    ]
