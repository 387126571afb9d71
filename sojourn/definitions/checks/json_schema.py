"""Checks the JSON Schemas that stand in definitions. Nothing is ever fetched."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

import jsonschema_rs

from sojourn.definitions.codes import Code
from sojourn.definitions.documents.validate import Source, described
from sojourn.definitions.limits import MAX_PROBLEMS
from sojourn.definitions.problems import Path, choose, nearest, sentence

TYPES = ("string", "number", "integer", "boolean", "object", "array", "null")
_ONE = ("additionalProperties", "items", "contains", "not", "if", "then", "else", "propertyNames")
_ONE_LATER = ("unevaluatedItems", "unevaluatedProperties", "additionalItems", "contentSchema")
_LISTS = ("allOf", "anyOf", "oneOf", "prefixItems", "items")
_MAPS = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
_OTHERS = (
    "$schema $id $ref $anchor $dynamicRef $dynamicAnchor $comment $vocabulary "
    "title description default deprecated readOnly writeOnly examples example "
    "type enum const multipleOf maximum exclusiveMaximum minimum exclusiveMinimum "
    "maxLength minLength pattern format contentEncoding contentMediaType "
    "maxItems minItems uniqueItems maxContains minContains "
    "maxProperties minProperties required dependentRequired dependencies"
)
KEYWORDS = frozenset((*_ONE, *_ONE_LATER, *_LISTS, *_MAPS, *_OTHERS.split()))


@lru_cache(maxsize=1)
def _meta() -> Any:
    return jsonschema_rs.validator_for({"$ref": "https://json-schema.org/draft/2020-12/schema"}, offline=True)


def validator(schema: dict[str, Any]) -> Any:
    """Return a validator of a schema that passed the checks: draft 2020-12 unless `$schema` says otherwise.

    Raises:
        ValueError: The schema cannot be used. It never fetches anything.
    """
    return jsonschema_rs.validator_for(schema, offline=True, validate_formats=True)


def check_schema(schema: dict[str, Any], source: Source, path: Path, extra: tuple[str, ...] = ()) -> bool:
    """Report what is wrong with a JSON Schema.

    Args:
        schema: The schema.
        source: Its document.
        path: Where it stands there.
        extra: Keywords that are allowed at its top besides JSON Schema's own.

    Returns:
        Whether the schema can be used.
    """
    before = len(source.failed)
    remote = False
    for part, where in _subschemas(schema, path):
        remote |= _check_references(part, schema, source, where)
        _check_patterns(part, source, where)
        _check_keywords(part, source, where, extra if where == path else ())
    _check_meta(schema, source, path)
    if len(source.failed) == before and not remote:
        _check_compiles(schema, source, path)
    return len(source.failed) == before


def _subschemas(schema: Any, path: Path) -> Iterator[tuple[dict[str, Any], Path]]:
    """Yield a schema and all schemas in it; iterative, since files bound depth but not our stack."""
    waiting: list[tuple[Any, Path]] = [(schema, path)]
    while waiting:
        part, where = waiting.pop()
        if not isinstance(part, dict):
            continue
        yield part, where
        for keyword in (*_ONE, *_ONE_LATER):
            waiting += [(part[keyword], (*where, keyword))] if isinstance(part.get(keyword), dict) else []
        for keyword in _LISTS:
            if isinstance(part.get(keyword), list):
                waiting += [(item, (*where, keyword, index)) for index, item in enumerate(part[keyword])]
        for keyword in _MAPS:
            if isinstance(part.get(keyword), dict):
                waiting += [(item, (*where, keyword, name)) for name, item in part[keyword].items()]


def _check_references(schema: dict[str, Any], root: dict[str, Any], source: Source, path: Path) -> bool:
    """Report references that lead elsewhere or nowhere; return whether there is any."""
    found = False
    for keyword in ("$ref", "$dynamicRef"):
        target = schema.get(keyword)
        if isinstance(target, str) and not target.startswith("#"):
            source.report(
                Code.REMOTE_SCHEMA,
                (*path, keyword),
                f"The schema refers to another place, `{target[:100]}`; nothing is fetched",
                'Copy that schema under `$defs` and refer to it: {$ref: "#/$defs/name"}.',
            )
            found = True
        elif isinstance(target, str) and target.startswith("#/") and not _points_to_something(target, root):
            message = f"There is no `{target[:100]}` in this schema"
            source.report(Code.JSON_SCHEMA, (*path, keyword), message, "Define it under `$defs`.")
            found = True
    return found


def _points_to_something(pointer: str, root: Any) -> bool:
    part = root
    for name in unquote(pointer[2:]).split("/"):
        key = name.replace("~1", "/").replace("~0", "~")
        if isinstance(part, dict) and key in part:
            part = part[key]
        elif isinstance(part, list) and key.isdigit() and int(key) < len(part):
            part = part[int(key)]
        else:
            return False
    return True


def _check_patterns(schema: dict[str, Any], source: Source, path: Path) -> None:
    written = [(schema.get("pattern"), (*path, "pattern"), False)]
    if isinstance(schema.get("patternProperties"), dict):
        written += [(name, (*path, "patternProperties", name), True) for name in schema["patternProperties"]]
    for pattern, where, key in written:
        if isinstance(pattern, str) and not _is_pattern(pattern):
            message = "The pattern is no regular expression"
            source.report(Code.JSON_SCHEMA, where, message, "Check its brackets and escapes.", key=key)


@lru_cache(maxsize=1024)
def _is_pattern(pattern: str) -> bool:
    try:
        validator({"pattern": pattern})
    except ValueError:
        return False
    return True


def _check_keywords(schema: dict[str, Any], source: Source, path: Path, extra: tuple[str, ...]) -> None:
    for keyword in list(schema)[:MAX_PROBLEMS]:
        if keyword in KEYWORDS or keyword in extra or keyword.startswith("x-"):
            continue
        near = nearest(keyword, [*KEYWORDS, *extra])
        source.report(
            Code.UNKNOWN_KEYWORD,
            (*path, keyword),
            f"`{keyword[:60]}` is no keyword of JSON Schema and has no effect",
            f"Did you mean `{near}`?" if near else "Leave it out, or begin it with `x-` if it is a note.",
            key=True,
        )


def _check_meta(schema: dict[str, Any], source: Source, path: Path) -> None:
    seen: set[Path] = set()
    for error in _meta().iter_errors(schema):
        where = (*path, *error.instance_path)
        if where in seen:
            continue
        seen.add(where)
        found = _at(schema, error.instance_path)
        keyword = str(error.instance_path[-1]) if error.instance_path else ""
        if keyword == "type" and isinstance(found, str):
            message, hint = f"There is no type `{found[:60]}`", choose(found, TYPES)
        elif keyword == "required":
            message, hint = "`required` must be a list of names", "Write it as required: [name, other]."
        else:
            message = f"{sentence(described(found))} is not allowed here in a JSON Schema"
            hint = f"JSON Schema says: {error.message[:200]}."
        source.report(Code.JSON_SCHEMA, where, message, hint)


def _at(value: Any, path: list[str | int]) -> Any:
    for part in path:
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def _check_compiles(schema: dict[str, Any], source: Source, path: Path) -> None:
    try:
        validator(schema)
    except ValueError as error:
        where = (*path, *getattr(error, "instance_path", ()))
        said = getattr(error, "message", str(error)).splitlines()[0][:200]
        source.report(Code.JSON_SCHEMA, where, f"The JSON Schema cannot be used: {said}")
