"""Checking values against JSON Schema without ever repeating them: they may be a customer's data."""

from __future__ import annotations

import re
from typing import Any

import jsonschema_rs

from sojourn.definitions.checks.json_schema import validator

_SHOWN = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,40}")


class SchemaCheck:
    """A compiled JSON Schema, the same as publishing checks it. Nothing that it refers to is fetched.

    Args:
        schema: The schema.

    Raises:
        ValueError: It is none; publishing would have refused it.
    """

    def __init__(self, schema: dict[str, Any]) -> None:
        self._validator = validator(schema)

    def problem(self, value: Any) -> str | None:
        """Return where and by which keyword a value breaks the schema, or None; never the value."""
        try:
            if self._validator.is_valid(value):
                return None
        except (ValueError, TypeError):  # half a character, or a type that JSON does not have
            return "the value is none that JSON can hold"
        error = next(self._validator.iter_errors(value))
        where = "".join(_step(part) for part in error.instance_path) or "the value"
        keyword = next((part for part in reversed(error.schema_path) if isinstance(part, str)), "schema")
        return f"{where.removeprefix('.')} breaks `{keyword}`{_what(error)}"


def _what(error: jsonschema_rs.ValidationError) -> str:
    """Return the part of an error that is the schema's own, and so may be told."""
    kind = error.kind
    if isinstance(kind, jsonschema_rs.ValidationErrorKind.Required):
        return f", {kind.property} is missing" if isinstance(kind.property, str) else ""
    if isinstance(kind, jsonschema_rs.ValidationErrorKind.Type):
        return f", it should be {', '.join(kind.types)}"
    return ""


def _step(part: str | int) -> str:
    """Return one step of a path. What looks unlike the name of a field may be data, such as an address."""
    if isinstance(part, int):
        return f"[{part}]"
    return f".{part}" if _SHOWN.fullmatch(part) else ".*"
