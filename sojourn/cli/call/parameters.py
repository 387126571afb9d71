"""The parameters of a test call, as they are given on a command line."""

from __future__ import annotations

import difflib
import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sojourn.cli.output import CliError, ExitCode

if TYPE_CHECKING:
    from sojourn.definitions import EndpointDefinition

EXAMPLE = '--with id=42, or --with \'{"id": "42"}\''


def read_parameters(definition: EndpointDefinition, words: Iterable[str], file: str | None) -> dict[str, Any]:
    """Return the parameters that a command line gives: first those of the file, then each `--with`.

    Args:
        definition: Whose parameters they are: their schemas say what `key=value` means.
        words: What stood after each `--with`: a JSON object, or `key=value`.
        file: A file with a JSON object; `-` is standard input.

    Raises:
        CliError: Something is of neither form.
    """
    parameters = {} if file is None else _object(_text_of(file), f"--with-file {file}")
    for word in words:
        if word.lstrip().startswith("{"):
            parameters |= _object(word, "--with")
            continue
        name, equals, text = word.partition("=")
        if not equals or not name.strip():
            raise CliError(
                f"--with {word[:60]!r} is neither JSON nor key=value: write {EXAMPLE}", ExitCode.USAGE
            )
        schema = definition.parameters.get(name.strip())
        parameters[name.strip()] = text if schema is None else _value(text, schema)
    return parameters


def check_parameters(definition: EndpointDefinition, parameters: Mapping[str, Any]) -> None:
    """Check parameters against their schemas.

    Raises:
        CliError: They do not fit. The message names every field that is wrong, and what to write.
    """
    declared, required = definition.parameters, definition.required_parameters
    wrong = [
        f"{name}: there is no such parameter{_nearest(name, declared)}"
        for name in parameters
        if name not in declared
    ]
    wrong += [
        f"{name}: is missing; write --with {name}={_placeholder(declared[name])}"
        for name in required
        if name not in parameters
    ]
    for name, value in parameters.items():
        if name in declared and not (value is None and name not in required):
            wrong += _violations(name, value, declared[name])
    if wrong:
        count = "A parameter does" if len(wrong) == 1 else "Some parameters do"
        raise CliError(
            f"{count} not fit the {definition.kind} {definition.name}:\n  " + "\n  ".join(wrong),
            ExitCode.USAGE,
        )


def _text_of(file: str) -> str:
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text("utf-8-sig")
    except OSError as error:
        raise CliError(f"{file} cannot be read: {error.strerror}", ExitCode.USAGE) from None
    except UnicodeDecodeError:
        raise CliError(f"{file} is not UTF-8 text", ExitCode.USAGE) from None


def _object(text: str, where: str) -> dict[str, Any]:
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise CliError(
            f"{where} is not JSON: {error}. Write an object, in single quotes: {EXAMPLE}", ExitCode.USAGE
        ) from None
    if not isinstance(value, dict):
        raise CliError(f"{where} must be a JSON object with the parameters: {EXAMPLE}", ExitCode.USAGE)
    return value


def _value(text: str, schema: dict[str, Any]) -> Any:
    """Return what a text means: itself where the schema takes a text there, else the JSON that it is."""
    if _fits(text, schema):
        return text
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return text


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def _fits(value: Any, schema: dict[str, Any]) -> bool:
    from sojourn.definitions.checks.json_schema import validator

    try:
        return bool(validator(schema).is_valid(value))
    except ValueError:
        return False


def _violations(name: str, value: Any, schema: dict[str, Any]) -> list[str]:
    from sojourn.definitions.checks.json_schema import validator

    try:
        found = list(validator(schema).iter_errors(value))[:5]
    except ValueError as error:
        return [f"{name}: {error}"]
    return [f"{name}{_path(error.instance_path)}: {error.message[:300]}{_wanted(schema)}" for error in found]


def _path(parts: Iterable[str | int]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)


def _wanted(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return ""  # the message names the values
    described = schema.get("description")
    return f" ({described})" if isinstance(described, str) else ""


def _placeholder(schema: Mapping[str, Any]) -> str:
    kind = schema.get("type")
    if isinstance(schema.get("enum"), list) and schema["enum"]:
        return str(schema["enum"][0])
    return {"integer": "N", "number": "N", "boolean": "true", "object": "'{...}'", "array": "'[...]'"}.get(
        kind if isinstance(kind, str) else "", "TEXT"
    )


def _nearest(name: str, declared: Iterable[str]) -> str:
    known = list(declared)
    near = difflib.get_close_matches(name, known, 1)
    if near:
        return f"; did you mean {near[0]}?"
    return f"; there are {', '.join(known)}" if known else "; it has none"
