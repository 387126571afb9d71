"""Fits parts of documents to their models, and says in plain words what does not fit."""

from __future__ import annotations

import copy
import types
from collections.abc import Container
from dataclasses import dataclass, field
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, Tag, ValidationError
from pydantic_core import ErrorDetails

from sojourn.definitions.codes import Code
from sojourn.definitions.documents.yaml import Document, Place
from sojourn.definitions.limits import MAX_PROBLEMS
from sojourn.definitions.problems import Path, Problem, choose, dotted, nearest, sentence, severity_of

M = TypeVar("M", bound=BaseModel)
_CODES = {code.value: code for code in Code}
_KINDS = {
    str: "a text",
    bool: "true or false",
    int: "a number",
    float: "a number",
    list: "a list",
    dict: "a mapping",
}
_EXPECTED = {
    "string_type": "a text",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
}


@dataclass(slots=True)
class Source:
    """A document of a file, and the list into which problems with it go."""

    file: str
    document: Document
    problems: list[Problem]
    kind: str = ""
    """The document's first key."""
    failed: set[Path] = field(default_factory=set)
    """Paths at which an error was reported."""
    reported: dict[str, int] = field(default_factory=dict)
    """How many problems of each severity were reported."""

    @property
    def full(self) -> bool:
        """Whether so many errors were reported that no more are taken."""
        return self.reported.get("error", 0) >= MAX_PROBLEMS

    def report(
        self,
        code: Code,
        path: Path,
        message: str,
        hint: str = "",
        *,
        key: bool = False,
        place: Place | None = None,
    ) -> None:
        """Note a problem.

        Args:
            code: Its stable code.
            path: Where in the document it is.
            message: What is wrong, without a full stop at the end.
            hint: What to write instead.
            key: It is the key that is wrong, not its value.
            place: Line and column, where they are known better than from the path.
        """
        severity = severity_of(code)
        if severity == "error":
            self.failed.add(path)
        # Counted apart: a hundred warnings must not hide an error.
        count = self.reported[severity] = self.reported.get(severity, 0) + 1
        if count > MAX_PROBLEMS + 1:
            return
        if count > MAX_PROBLEMS:
            code, path, place = Code.MORE, (), None
            message, hint = (
                f"There are more {severity}s in this document",
                "They are named when these are solved.",
            )
            severity = "warning"
        line, column = place or self.document.place(path, key=key)
        if self.file.endswith(".py"):
            # The document was made from a Python function, in whose first line it stands: only the line is true.
            column = 1
        self.problems.append(
            Problem(code.value, severity, self.file, line, column, dotted(path), message.rstrip("."), hint)
        )


def described(value: Any) -> str:
    """Return what a value is, for people: `the number 5`, `a list`. Long texts stay out."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"the number {value}"
    if isinstance(value, str):
        return f"the text {value!r}" if len(value) <= 40 else "a text"
    return _KINDS.get(type(value), "something else")


def fit(
    model: type[M],
    value: Any,
    source: Source,
    path: Path = (),
    rename: str | None = None,
    dispensable: Container[str] = (),
) -> M | None:
    """Return the model that a part of a document makes, or None where it does not.

    Unknown keys, and dispensable ones that do not fit, are reported and then left out, so that the rest can be
    checked further.

    Args:
        model: What it should be.
        value: The part, plain JSON.
        source: The document; problems are reported there.
        path: Where in the document the part is.
        rename: Key that stands in the file for the model's field `name`.
        dispensable: Keys of the part without which the rest can be checked.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        details = error.errors(include_url=False)
    removed = []
    for detail in details:
        raw = detail["loc"]
        inner = tuple(part for part in raw if not _is_tag(part))
        key = inner[-1:] == ("[key]",)
        inner = inner[:-1] if key else inner
        if rename and inner[:1] == ("name",):
            inner = (rename, *inner[1:])
        if detail["type"] == "extra_forbidden":
            removed.append(inner)
        elif inner and inner[0] in dispensable:
            removed.append(inner[:1])
        if source.full:
            # Only counted: what would be said of it is not worth finding out.
            source.report(Code.WRONG_VALUE, path, "")
            continue
        code, message, hint, at_key = _explain(detail, model, raw, rename)
        source.report(code, (*path, *inner), message, hint, key=key or at_key)
    if len(removed) < len(details):
        return None
    pruned = copy.deepcopy(value)
    # Inner ones first: nothing is left inside a key that is gone.
    for inner in sorted(set(removed), key=len, reverse=True):
        _remove(pruned, inner)
    try:
        return model.model_validate(pruned)
    except ValidationError:
        return None


def _is_tag(part: str | int) -> bool:
    return isinstance(part, str) and part.startswith("kind:")


def _remove(value: Any, path: Path) -> None:
    for part in path[:-1]:
        value = value[part]
    value.pop(path[-1], None)


def _explain(
    detail: ErrorDetails, model: type[BaseModel], raw: Path, rename: str | None
) -> tuple[Code, str, str, bool]:
    """Return code, message, hint and whether the key is at fault, for one error of pydantic's."""
    kind, context, found = detail["type"], detail.get("ctx", {}), detail.get("input")
    if kind in _CODES:
        return _CODES[kind], str(context["message"]), str(context["hint"]), False
    if kind == "extra_forbidden":
        known = keys_at(model, raw[:-1])
        if rename and len(raw) == 1:
            known = [rename, *(key for key in known if key not in ("name", "kind"))]
        message, hint = _unknown_key(str(raw[-1]), known)
        return Code.UNKNOWN_KEY, message, hint, True
    if kind == "missing":
        return Code.MISSING_KEY, f"The key `{raw[-1]}` is missing", f"Add `{raw[-1]}:`.", True
    if kind in _EXPECTED:
        return Code.WRONG_VALUE, *_wrong_type(_EXPECTED[kind], found, raw), False
    if kind == "literal_error":
        allowed = [
            {"True": "true", "False": "false"}.get(text, text) for text in _literals(str(context["expected"]))
        ]
        hint = (
            choose(str(found), allowed) if isinstance(found, str) else f"Write one of {', '.join(allowed)}."
        )
        return Code.WRONG_VALUE, f"{_shown(found)} is not allowed here", hint, False
    if kind == "union_tag_invalid":
        allowed = [name.removeprefix("kind:") for name in _literals(str(context["expected_tags"]))]
        tag = str(context["tag"]).removeprefix("kind:")
        # What is no slip of the pen may be a credential that went to the wrong key, so it is not repeated.
        shown = f" `{tag}`" if nearest(tag, allowed) else " of this name"
        return Code.WRONG_VALUE, f"There is no type{shown}", choose(tag, allowed), False
    if kind == "union_tag_not_found":
        if isinstance(found, dict):
            return (
                Code.MISSING_KEY,
                "The key `type` is missing",
                "Say which: {type: bearer, token: ...}.",
                True,
            )
        return Code.WRONG_VALUE, *_wrong_type("a mapping", found, raw), False
    return _bounds(kind, context, found)


def _bounds(kind: str, context: dict[str, Any], found: Any) -> tuple[Code, str, str, bool]:
    if kind == "too_short":
        least = context["min_length"]
        return (
            Code.WRONG_VALUE,
            "This is empty" if not found else "This is too short",
            f"Write {least} or more.",
            False,
        )
    words = {
        "greater_than_equal": ("ge", "at least"),
        "less_than_equal": ("le", "at most"),
        "greater_than": ("gt", "more than"),
        "string_too_long": ("max_length", "at most"),
        "string_too_short": ("min_length", "at least"),
    }
    if kind in words:
        name, word = words[kind]
        unit = " characters" if kind.startswith("string") else ""
        bound = f"{word} {context[name]:g}{unit}"
        return Code.OUT_OF_RANGE, f"{sentence(described(found))} is out of range", f"Write {bound}.", False
    return Code.WRONG_VALUE, f"This value does not fit ({kind.replace('_', ' ')})", "", False


def _shown(value: Any) -> str:
    return f"`{value[:60]}`" if isinstance(value, str) else sentence(described(value))


_FORMS = {
    "cap": "Write {calls: 15, per: 1s}.",
    "throttle": "Write {calls: 100, per: 1s, expire: 6h}.",
    "auth": "Write {type: bearer, token: {secret: NAME}}, or another type.",
    "schema": "Write a JSON Schema, such as {type: object}.",
    "response": "Write a JSON Schema, such as {type: object}.",
}
"""How the mappings are written for which people write a text, by key."""


def _wrong_type(expected: str, found: Any, raw: Path) -> tuple[str, str]:
    message = f"This must be {expected}, not {described(found)}"
    if expected == "a mapping" and raw and raw[-1] in _FORMS:
        return message, _FORMS[str(raw[-1])]
    if expected == "a mapping" and raw[:1] == ("parameters",) and len(raw) == 2:
        return message, "Write a JSON Schema, such as {type: string}."
    if expected == "a text" and isinstance(found, bool | int | float):
        shown = described(found).removeprefix("the number ")
        return message, f'Put it in quotes: "{shown}".'
    if expected == "a text" and isinstance(found, dict) and len(found) == 1:
        return message, 'If it is a template or an expression, put it in quotes: "${...}".'
    if expected == "true or false" and isinstance(found, str):
        return message, "Write true or false, without quotes."
    if expected == "a mapping":
        return message, "Write keys and values, as `key: value`."
    if expected == "a list":
        return message, "Begin each item with `- `, or write [a, b]."
    return message, ""


def _unknown_key(key: str, known: list[str]) -> tuple[str, str]:
    if nearest(key, known) is None and known:
        return (
            f"The key `{key[:80]}` is not known here",
            f"Known keys are {', '.join(f'`{name}`' for name in known)}.",
        )
    return f"The key `{key[:80]}` is not known here", choose(key, known)


def _literals(text: str) -> list[str]:
    return [part.strip().strip("'") for part in text.replace(" or ", ", ").split(",") if part.strip()]


def keys_at(model: type[BaseModel], path: Path) -> list[str]:
    """Return the keys that a model knows at a path, as pydantic reports paths: with the tags of unions."""
    found: Any = model
    for part in path:
        found = _inner(found, part)
    found = _unwrap(found)
    if isinstance(found, type) and issubclass(found, BaseModel):
        return [field.alias or name for name, field in found.model_fields.items()]
    return []


def _unwrap(annotation: Any) -> Any:
    """Return the model behind `X | None` and `Annotated`, where there is one."""
    while True:
        origin = get_origin(annotation)
        if origin is Annotated:
            annotation = get_args(annotation)[0]
        elif origin in (Union, types.UnionType):
            rest = [arg for arg in get_args(annotation) if arg is not type(None)]
            if len(rest) != 1:
                return annotation
            annotation = rest[0]
        else:
            return annotation


def _inner(annotation: Any, part: str | int) -> Any:
    found = _unwrap(annotation)
    if _is_tag(part):
        for member in get_args(found):
            if any(isinstance(extra, Tag) and extra.tag == part for extra in get_args(member)[1:]):
                return member
        return found
    if isinstance(found, type) and issubclass(found, BaseModel):
        for name, info in found.model_fields.items():
            if part in (name, info.alias):
                return info.annotation
    arguments = get_args(found)
    return arguments[-1] if arguments else found
