"""What JSON Schema says of a value, as a type of the checker."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sojourn.expressions import types, values
from sojourn.expressions.types import ANY, Type, kind, union

_KINDS = {
    "null": ("null",), "boolean": ("bool",), "integer": ("int", "double"), "number": ("int", "double"),
    "string": ("string",), "array": ("list",), "object": ("map",),
}  # fmt: skip
_MAX_DEPTH = 32


def from_json_schema(schema: Any) -> Type:
    """Return what is known of a value that a JSON Schema describes.

    What the schema leaves open stays open. Fields that `properties` does not name do not exist, unless the schema
    says `additionalProperties` or `patternProperties`: a name that the schema does not have is a slip far more
    often than a wish.

    Args:
        schema: The schema: a mapping, or a bool.
    """
    return _Reader(schema).read(schema, 0)


class _Reader:
    """Reads one schema; the root is kept for references into it."""

    def __init__(self, root: Any) -> None:
        self.root = root

    def read(self, schema: Any, depth: int) -> Type:
        if not isinstance(schema, Mapping) or depth > _MAX_DEPTH:
            return ANY
        if "$ref" in schema:
            return self.read(self._referred(schema["$ref"]), depth + 1)
        for word in ("anyOf", "oneOf"):
            if isinstance(schema.get(word), list) and schema[word]:
                rest = {key: value for key, value in schema.items() if key != word}
                return union(*(self.read({**rest, **part}, depth + 1) if isinstance(part, Mapping) else ANY
                               for part in schema[word]))  # fmt: skip
        if isinstance(schema.get("allOf"), list):
            return self._all_of(schema, depth)
        if "const" in schema:
            return _constant(schema["const"])
        if isinstance(schema.get("enum"), list) and schema["enum"]:
            return union(*(_constant(value) for value in schema["enum"]))
        return self._plain(schema, depth)

    def _plain(self, schema: Mapping[str, Any], depth: int) -> Type:
        names = schema.get("type")
        if names is None:
            names = "object" if "properties" in schema else "array" if "items" in schema else None
        names = [names] if isinstance(names, str) else names
        if not isinstance(names, list) or not all(isinstance(n, str) and n in _KINDS for n in names):
            return ANY
        kinds = frozenset(k for name in names for k in _KINDS[name])
        item = self.read(schema["items"], depth + 1) if isinstance(schema.get("items"), Mapping) else None
        fields, rest = self._fields(schema, depth) if "map" in kinds else (None, None)
        return Type(kinds, item if "list" in kinds else None, fields, rest)

    def _fields(self, schema: Mapping[str, Any], depth: int) -> tuple[Mapping[str, Type] | None, Type | None]:
        properties = schema.get("properties")
        more = schema.get("additionalProperties")
        if not isinstance(properties, Mapping):
            if more is False:
                return {}, None
            return (None, None) if not isinstance(more, Mapping) else ({}, self.read(more, depth + 1))
        fields = {str(name): self.read(part, depth + 1) for name, part in properties.items()}
        if more is True or "patternProperties" in schema:
            return fields, ANY
        return fields, self.read(more, depth + 1) if isinstance(more, Mapping) else None

    def _all_of(self, schema: Mapping[str, Any], depth: int) -> Type:
        """Read parts that all hold: their fields together, and the kinds that all allow."""
        rest = {key: value for key, value in schema.items() if key != "allOf"}
        parts = [self.read(part, depth + 1) for part in [rest, *schema["allOf"]]]
        kinds = frozenset.intersection(*(part.kinds for part in parts))
        fields: dict[str, Type] = {}
        for part in parts:
            fields.update(part.fields or {})
        item = next((part.item for part in parts if part.item), None)
        open_ = [part.rest for part in parts if part.rest]
        if not kinds:
            return ANY
        return Type(kinds, item, fields or None, open_[0] if open_ else None)

    def _referred(self, reference: Any) -> Any:
        """Return the part of the schema that a local reference such as `#/$defs/item` means, None for others."""
        if not isinstance(reference, str) or not reference.startswith("#"):
            return None
        part: Any = self.root
        for name in reference[1:].strip("/").split("/"):
            if name:
                key = name.replace("~1", "/").replace("~0", "~")
                part = part.get(key) if isinstance(part, Mapping) else None
        return part


def _constant(value: Any) -> Type:
    """Return the type of a constant of JSON."""
    if isinstance(value, bool):
        return types.BOOL
    if isinstance(value, int | float):
        return types.NUMBER
    if isinstance(value, str):
        return types.STRING
    return kind("null") if value is None else ANY


def from_value(value: Any) -> Type:
    """Return the type of a value that is there: its fields, and no others; its items.

    Serves where an expression failed on data at hand, to say what is wrong with it in the words of the checker.
    """
    return _of_value(value, 0)


def _of_value(value: Any, depth: int) -> Type:
    """Return the type of a value. See `from_value`."""
    named = values.kind_of(value)
    if named == "unknown" or depth > _MAX_DEPTH:
        return ANY
    if named == "list":
        return types.list_of(union(*(_of_value(item, depth + 1) for item in value)))
    if named == "map":
        return types.map_of({str(key): _of_value(item, depth + 1) for key, item in value.items()})
    return kind(named)
