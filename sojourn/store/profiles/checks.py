"""What a profile may hold: how much, how deep, which numbers, and what the project's schema says."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any

import jsonschema_rs

from sojourn.contract.json_values import deeper_than

MAX_SIZE = 64 * 1024
"""Most bytes of JSON in the attributes of one profile. An instance that names `profile` carries it."""

MAX_DEPTH = 64
"""Most objects and lists inside each other in a profile."""

MOST_VIOLATIONS = 20
"""Most violations of the schema that are told of one profile."""

_WORDS = {
    "string": "a text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "object": "an object",
    "array": "a list",
    "null": "null",
}
_KINDS = ((bool, "boolean"), (str, "string"), (int | float, "number"), (list, "array"), (dict, "object"))


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that is wrong with a write.

    Attributes:
        path: JSON pointer from the profile's attributes to what is wrong; empty for the whole.
        message: What is wrong, and what to write instead. It holds no value of the customer's.
    """

    path: str
    message: str

    def as_dict(self) -> dict[str, str]:
        """Return it as plain JSON."""
        return {"path": self.path, "message": self.message}


def unfit(attributes: Any) -> list[Violation]:
    """Return why attributes, or changes to some, could be kept by no profile; nothing where they can.

    Args:
        attributes: What was sent, as JSON was read.
    """
    if not isinstance(attributes, dict):
        what = _WORDS[kind_of(attributes)]
        return [Violation("", f'is {what}; write the attributes as an object, such as {{"email": "…"}}')]
    if deeper_than(attributes, MAX_DEPTH):
        return [Violation("", f"is nested more than {MAX_DEPTH} levels deep; write it flatter")]
    path = _odd_number(attributes, "")
    if path is not None:
        return [Violation(path, "is a number too large for a double; write it as a text")]
    return too_large(attributes)


def too_large(attributes: dict[str, Any]) -> list[Violation]:
    """Return the violation of a profile that takes more room than it may."""
    size = len(
        json.dumps(attributes, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    )
    if size <= MAX_SIZE:
        return []
    message = (
        f"the profile would take {size:,} bytes and at most {MAX_SIZE:,} are kept; keep what journeys need, and "
        "a reference to the rest"
    )
    return [Violation("", message)]


def _odd_number(value: Any, path: str) -> str | None:
    """Return the pointer of the first number that no double holds. Depth is bounded before."""
    if isinstance(value, bool):
        return None
    if isinstance(value, float):
        return None if math.isfinite(value) else path
    if isinstance(value, int):
        return path if value.bit_length() > 1023 else None
    children: Any = ()
    if isinstance(value, dict):
        children = value.items()
    elif isinstance(value, list):
        children = enumerate(value)
    for part, child in children:
        if not isinstance(child, str) and (found := _odd_number(child, _pointer(path, part))) is not None:
            return found
    return None


class SchemaCheck:
    """The project's schema of profiles, ready to be applied."""

    def __init__(self, schema: Mapping[str, Any] | None) -> None:
        """Compile a schema.

        Args:
            schema: JSON Schema of the attributes; None lets everything pass.

        Raises:
            ValueError: It does not compile here.
        """
        self.schema = schema
        self._validator = (
            None
            if schema is None
            # Nothing is ever fetched: a remote reference is an error.
            else jsonschema_rs.validator_for(
                dict(schema), offline=True, validate_formats=True, mask="the value"
            )
        )

    def violations(self, attributes: dict[str, Any]) -> list[Violation]:
        """Return what is wrong with a whole profile, at most `MOST_VIOLATIONS`."""
        if self._validator is None or self._validator.is_valid(attributes):
            return []
        found: list[Violation] = []
        for error in islice(self._validator.iter_errors(attributes), MOST_VIOLATIONS):
            found += _explained(error, attributes)
        return found[:MOST_VIOLATIONS]


def _explained(error: Any, attributes: Any) -> list[Violation]:
    """Return a validator's error in plain words, at the field that is meant."""
    path = ""
    for part in error.instance_path:
        path = _pointer(path, part)
    about = error.kind.as_dict()
    match error.kind.name:
        case "required":
            return [
                Violation(_pointer(path, about["property"]), "is missing; the profile's schema requires it")
            ]
        case "additionalProperties" | "unevaluatedProperties":
            message = "is not in the profile's schema; leave it out, or add it there and publish the project"
            return [Violation(_pointer(path, name), message) for name in about["unexpected"]]
        case "type":
            wanted = " or ".join(_WORDS.get(name, name) for name in about["types"])
            is_now = _WORDS[kind_of(_at(attributes, error.instance_path))]
            return [Violation(path, f"is {is_now}; write {wanted}")]
        case "enum":
            options = ", ".join(json.dumps(option, ensure_ascii=False) for option in about["options"][:20])
            return [Violation(path, f"is none of the values of the schema; write one of {options}")]
        case "format":
            return [Violation(path, f"is not of the format {about['format']}; write one that is")]
    return [Violation(path, f"does not fit the profile's schema: {error.message}")]


def kind_of(value: Any) -> str:
    """Return JSON Schema's name of a value's type; `number` for whole ones too."""
    return next((name for kind, name in _KINDS if isinstance(value, kind)), "null")


def _at(value: Any, path: list[str | int]) -> Any:
    for part in path:
        value = value[part]
    return value


def _pointer(path: str, part: str | int) -> str:
    return f"{path}/{str(part).replace('~', '~0').replace('/', '~1')}"


def merged(target: Any, patch: dict[str, Any]) -> dict[str, Any]:
    """Return what a merge patch (RFC 7396) makes of a value. Neither of them is changed.

    A null removes a member, objects are merged, and all else replaces what was there.

    Args:
        target: What is there; anything but an object counts as an empty one.
        patch: The changes, of bounded depth.
    """
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        elif isinstance(value, dict):
            result[name] = merged(result.get(name), value)
        else:
            result[name] = value
    return result


def same(one: Any, other: Any) -> bool:
    """Say whether two JSON values are equal, telling true from 1 and 1 from 1.0, whatever the order of names."""
    return one == other and json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


@lru_cache(maxsize=1)
def no_schema() -> SchemaCheck:
    """Return the check that lets every profile pass."""
    return SchemaCheck(None)
