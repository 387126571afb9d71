"""Reads YAML by the rules of YAML 1.2 and remembers where everything stands.

The text goes through libyaml's event stream. That keeps nesting bounded without recursion, shows anchors
before they are expanded, and leaves the meaning of plain scalars to us: `on` and `NO` are texts, `010` is ten,
`1:30` and `2026-01-01` are texts, as readers expect.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from sojourn.definitions.codes import Code
from sojourn.definitions.documents.yaml_errors import YamlProblem, explain
from sojourn.definitions.limits import MAX_PROBLEMS, Limits
from sojourn.definitions.problems import Path

_NULLS = frozenset(("", "~", "null", "Null", "NULL"))
_BOOLS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_SPECIAL = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_NUMBER_START = frozenset("0123456789+-.")
_LARGEST = 2**63
# libyaml where PyYAML was built with it, as all its wheels are.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Place = tuple[int, int]
"""Line and column, both from 1."""


@dataclass(slots=True)
class Document:
    """One document of a file.

    Attributes:
        value: Plain JSON: dict, list, str, int, float, bool or None. Keys are always texts.
        places: Where each value starts, by its path.
        keys: Where the key of each value starts, by the value's path.
        lines: The file's lines, for mapping positions inside texts.
    """

    value: Any = None
    places: dict[Path, Place] = field(default_factory=dict)
    keys: dict[Path, Place] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)

    def place(self, path: Path, *, key: bool = False) -> Place:
        """Return where a value stands, or the innermost thing around it that stands in the file.

        Args:
            path: The value's path.
            key: Return where its key stands, where it has one.
        """
        for length in range(len(path), -1, -1):
            part = path[:length]
            if length == len(path) and not key:
                found = self.places.get(part)
            else:
                # What is missing is reported at the key of what lacks it.
                found = self.keys.get(part) or self.places.get(part)
            if found:
                return found
        return 1, 1

    def inside(self, path: Path, text: str, offset: int) -> Place:
        """Return where a character of a text stands, if the text stands on one line as it is; else its start.

        Args:
            path: The path of the text.
            text: The text.
            offset: Position in it, from 0.
        """
        line, column = self.place(path)
        source = self.lines[line - 1][column - 1 :] if line <= len(self.lines) else ""
        if source.startswith(text):
            return line, column + offset
        if source[:1] in ("'", '"') and source[1:].startswith(text):
            return line, column + 1 + offset
        if source[:1] == "|":
            return self._inside_block(line, text, offset) or (line, column)
        return line, column

    def _inside_block(self, line: int, text: str, offset: int) -> Place | None:
        """Return where a character of a literal block (`|`) stands that begins after a line."""
        row = text.count("\n", 0, offset)
        column = offset - (text.rfind("\n", 0, offset) + 1)
        found = self.lines[line + row] if line + row < len(self.lines) else ""
        written = text.split("\n")[row]
        return (line + row + 1, found.index(written) + column + 1) if written and written in found else None


def read_documents(text: str, limits: Limits) -> tuple[list[Document], list[YamlProblem]]:
    """Read all documents of a file.

    Returns:
        The documents up to the first place where the YAML is broken, and what is wrong. Never raises.
    """
    problems: list[YamlProblem] = []
    reader = _Reader(text.split("\n"), limits, problems)
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            if not reader.take(event):
                break
            if len(problems) >= MAX_PROBLEMS:
                message = "There are more problems in this file; the rest of it is not read"
                problems.append(
                    YamlProblem(Code.TOO_LARGE, *_place(event), (), message, "Solve these first.")
                )
                reader.documents = reader.documents[: reader.complete]
                break
    except (yaml.YAMLError, UnicodeError) as error:
        problems.append(explain(error, reader.lines))
        reader.documents = reader.documents[: reader.complete]
    return reader.documents, problems


class _Reader:
    """Builds documents from events, with a stack of its own."""

    def __init__(self, lines: list[str], limits: Limits, problems: list[YamlProblem]) -> None:
        self.lines = lines
        self.limits = limits
        self.problems = problems
        self.documents: list[Document] = []
        self.complete = 0
        self.nodes = 0
        self.path: Path = ()
        # Open collections: the collection, its path, and the key that waits for its value (mappings only).
        self.stack: list[tuple[Any, Path]] = []
        self.key: list[tuple[str, Place] | None] = []

    def take(self, event: Any) -> bool:
        """Take the next event; False if reading must stop here."""
        kind = type(event)
        if kind is yaml.ScalarEvent:
            return self._count(event) and self._scalar(event)
        if kind is yaml.MappingStartEvent:
            return self._count(event) and self._open({}, event)
        if kind is yaml.SequenceStartEvent:
            return self._count(event) and self._open([], event)
        if kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
            self.stack.pop()
            self.key.pop()
        elif kind is yaml.AliasEvent:
            self._report(Code.ANCHOR, event, "Aliases (*name) are not allowed", "Write the value out.")
            return self._count(event) and self._add(None, _place(event))
        elif kind is yaml.DocumentStartEvent:
            self.documents.append(Document(lines=self.lines))
            if len(self.documents) > self.limits.documents:
                message = f"The file holds more than {self.limits.documents:,} documents"
                self._report(Code.TOO_LARGE, event, message, "Divide it into several files.")
                return False
        elif kind is yaml.DocumentEndEvent:
            self.complete = len(self.documents)
        return True

    def _count(self, event: Any) -> bool:
        self.nodes += 1
        if self.nodes > self.limits.nodes:
            message = f"The file holds more than {self.limits.nodes:,} values"
            self._report(Code.TOO_LARGE, event, message, "Divide it into several files.")
            self.documents = self.documents[: self.complete]
            return False
        if getattr(event, "anchor", None) and type(event) is not yaml.AliasEvent:
            self._report(Code.ANCHOR, event, "Anchors (&name) are not allowed", "Write the value out.")
        return True

    def _scalar(self, event: Any) -> bool:
        if event.tag is not None and event.tag != "!":
            self._tag(event)
            # What looks like a tag was meant as an expression; as that it is checked on.
            event.value = f"{event.tag} {event.value}".strip() if event.tag.startswith("!") else event.value
        place = _place(event)
        is_key = bool(self.stack) and type(self.stack[-1][0]) is dict and self.key[-1] is None
        if is_key:
            return self._name(event.value, place, event)
        plain = event.implicit[0] and event.tag is None
        return self._add(self._plain(event) if plain else event.value, place)

    def _name(self, name: str, place: Place, event: Any) -> bool:
        mapping, path = self.stack[-1]
        if name in mapping:
            where = self.documents[-1].keys[(*path, name)]
            self._report(
                Code.DUPLICATE_KEY,
                event,
                f"The key `{name[:80]}` stands twice in the same mapping, first on line {where[0]}",
                "Keep one of the two.",
                (*path, name),
            )
        self.key[-1] = (name, place)
        return True

    def _plain(self, event: Any) -> Any:
        text: str = event.value
        if text in _NULLS:
            return None
        if text in _BOOLS:
            return _BOOLS[text]
        if text[0] not in _NUMBER_START:
            return text
        return self._number(text, event)

    def _number(self, text: str, event: Any) -> Any:
        if len(text) <= 40 and _INT.fullmatch(text):
            number = int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))
            if -_LARGEST <= number < _LARGEST:
                return number
            message = f"The number {text} does not fit 64 bits"
            self._report(Code.WRONG_VALUE, event, message, "Quote it if it is a text, such as an id.")
            return 0
        if _FLOAT.fullmatch(text):
            value = float(text) if len(text) <= 400 else float("inf")
            if value not in (float("inf"), float("-inf")):
                return value
        elif not _SPECIAL.fullmatch(text):
            return text
        self._report(
            Code.WRONG_VALUE, event, f"{text[:40]} is not a number that JSON has", "Quote it if it is a text."
        )
        return 0.0

    def _tag(self, event: Any) -> None:
        shown = event.tag.replace("tag:yaml.org,2002:", "!!")[:60]
        hint = "Leave it out; quote a value to make it a text."
        if not event.tag.startswith("tag:"):
            hint = "An expression that begins with ! must be quoted: '!event.paid'."
        self._report(Code.TAG, event, f"YAML tags such as {shown} are not allowed", hint)

    def _open(self, collection: Any, event: Any) -> bool:
        place = _place(event)
        if event.tag is not None and event.tag != "!":
            self._tag(event)
        if len(self.stack) >= self.limits.depth:
            message = f"The document is nested more than {self.limits.depth} levels deep"
            self._report(Code.TOO_LARGE, event, message, "Make it flatter.")
            self.documents = self.documents[: self.complete]
            return False
        if self.stack and type(self.stack[-1][0]) is dict and self.key[-1] is None:
            hint = "Write a text before the colon."
            if self._source(place).startswith("{{"):
                hint = 'Quote a template: "{{ ... }}"; templates of Sojourn are written "${...}".'
            self._report(Code.YAML, event, "A key must be a text, not a list or a mapping", hint)
            self.documents = self.documents[: self.complete]
            return False
        self._add(collection, place)
        self.stack.append((collection, self.path))
        self.key.append(None)
        return True

    def _source(self, place: Place) -> str:
        return self.lines[place[0] - 1][max(place[1] - 2, 0) :] if place[0] <= len(self.lines) else ""

    def _add(self, value: Any, place: Place) -> bool:
        """Put a value where it belongs, and note where it stands."""
        document = self.documents[-1]
        if not self.stack:
            self.path = ()
            document.value = value
            document.places[()] = place
            return True
        container, path = self.stack[-1]
        if type(container) is list:
            self.path = (*path, len(container))
            container.append(value)
        else:
            waiting = self.key[-1]
            if waiting is None:
                # An alias in the place of a key; reported already.
                self.key[-1] = ("*", place)
                return True
            name, name_place = waiting
            self.key[-1] = None
            self.path = (*path, name)
            if name in container:
                # Reported already. The first one stays; the path of the second is of no use to anyone.
                self.path = (*path, name, "(again)")
                return True
            container[name] = value
            document.keys[self.path] = name_place
        document.places[self.path] = place
        return True

    def _report(self, code: Code, event: Any, message: str, hint: str, path: Path | None = None) -> None:
        if path is None:
            path = self._here()
        line, column = _place(event)
        self.problems.append(YamlProblem(code, line, column, path, message, hint))

    def _here(self) -> Path:
        if not self.stack:
            return ()
        container, path = self.stack[-1]
        if type(container) is list:
            return (*path, len(container))
        waiting = self.key[-1]
        return (*path, waiting[0]) if waiting else path


def _place(event: Any) -> Place:
    mark = event.start_mark
    return mark.line + 1, mark.column + 1
