"""What a text means as an attribute: a cell of a CSV file, or what stands after `NAME=`."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

from sojourn.cli.output import CliError, ExitCode

Reader = Callable[[str], Any]
"""Turns a text into a value; raises ValueError with what is wrong."""


def strict_json(text: str | bytes) -> Any:
    """Return what a JSON text holds.

    Raises:
        ValueError: It is no JSON, or has a number that is none there or that no double holds.
    """
    try:
        return json.loads(text, parse_constant=_no_constant, parse_float=_finite)
    except RecursionError:
        raise ValueError("is nested too deep") from None


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError("a number is too large for a double")
    return number


def _integer(text: str) -> int:
    try:
        return int(text.strip())
    except ValueError:
        raise ValueError("is no whole number") from None


def _number(text: str) -> Any:
    try:
        value = strict_json(text.strip())
    except ValueError:
        value = None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("is no number; write it like 12.5")
    return value


def _boolean(text: str) -> bool:
    try:
        return {"true": True, "false": False}[text.strip().lower()]
    except KeyError:
        raise ValueError("is neither true nor false") from None


def _json(text: str) -> Any:
    try:
        return strict_json(text)
    except ValueError:
        raise ValueError("is no JSON") from None


def inferred(text: str) -> Any:
    """Return the number, boolean, list or object that a text is as JSON, else the text."""
    try:
        value = strict_json(text)
    except ValueError:
        return text
    return text if value is None or isinstance(value, str) else value


TYPES: dict[str, Reader] = {
    "text": str,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "json": _json,
}


def read_types(words: str | None) -> dict[str, Reader]:
    """Return how to read columns, from `visits=integer,optIn=boolean`.

    Raises:
        CliError: It is not of that form.
    """
    readers = {}
    for word in filter(None, (words or "").split(",")):
        column, _, name = word.rpartition("=")
        if not column or name.strip() not in TYPES:
            raise CliError(
                f"--types {word[:60]!r} is not COLUMN=TYPE: write visits=integer,optIn=boolean; the types are "
                f"{', '.join(TYPES)}",
                ExitCode.USAGE,
            )
        readers[column.strip()] = TYPES[name.strip()]
    return readers


def by_schema(schema: Mapping[str, Any] | None) -> dict[str, Reader]:
    """Return how to read each attribute that a schema describes.

    A text stays one where the schema takes it there; else it is read as JSON where that fits. What fits
    neither way stays as it is: the API says what is wrong with it.
    """
    from sojourn.definitions.checks.json_schema import validator

    readers: dict[str, Reader] = {}
    properties = (schema or {}).get("properties")
    for name, part in (properties if isinstance(properties, dict) else {}).items():
        whole = {**part, "$defs": (schema or {}).get("$defs", {})} if isinstance(part, dict) else {}
        try:
            readers[name] = _reader(validator(whole))
        except ValueError:
            continue  # It refers to something beyond itself.
    return readers


def _reader(check: Any) -> Reader:
    def read(text: str) -> Any:
        if check.is_valid(text):
            return text
        for word in (text.strip(), text.strip().lower()):
            try:
                value = strict_json(word)
            except ValueError:
                continue
            if check.is_valid(value):
                return value
        return text

    return read
