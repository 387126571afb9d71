"""What is known of a value before it exists: the static types of the checker."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

KINDS: Final = ("null", "bool", "int", "double", "string", "list", "map", "timestamp", "duration", "type")
"""The kinds of values of the language."""

_NAMES = {"map": "a map", "list": "a list", "null": "null", "int": "an int"}


@dataclass(frozen=True, slots=True)
class Type:
    """The values that may stand somewhere.

    Attributes:
        kinds: The kinds that the value may have.
        item: What the items of a list are; None if nothing is known.
        fields: What the fields of a map are; None if nothing is known.
        rest: What the fields of a map are that `fields` does not name; None if there are none.
    """

    kinds: frozenset[str]
    item: Type | None = None
    fields: Mapping[str, Type] | None = None
    rest: Type | None = None

    def may_be(self, kinds: Iterable[str]) -> bool:
        """Whether the value may be of one of these kinds."""
        return not self.kinds.isdisjoint(kinds)

    @property
    def known(self) -> bool:
        """Whether anything at all is known."""
        return len(self.kinds) < len(KINDS)

    def __str__(self) -> str:
        if not self.known:
            return "any value"
        kinds: list[str] = [kind for kind in KINDS if kind in self.kinds]
        if {"int", "double"} <= self.kinds:
            kinds = ["number" if kind == "int" else kind for kind in kinds if kind != "double"]
        return " or ".join(_NAMES.get(kind, f"a {kind}") for kind in sorted(kinds, key="null".__eq__))


def kind(*names: str) -> Type:
    """Return the type of values of these kinds."""
    return Type(frozenset(names))


Scope = Mapping[str, Type]
"""What the variables of an expression are, by name."""

ANY: Final = kind(*KINDS)
NULL: Final = kind("null")
BOOL: Final = kind("bool")
INT: Final = kind("int")
DOUBLE: Final = kind("double")
NUMBER: Final = kind("int", "double")
STRING: Final = kind("string")
LIST: Final = kind("list")
MAP: Final = kind("map")
TIMESTAMP: Final = kind("timestamp")
DURATION: Final = kind("duration")
TYPE: Final = kind("type")


def list_of(item: Type) -> Type:
    """Return the type of a list of such items."""
    return Type(frozenset(["list"]), item=item)


def map_of(fields: Mapping[str, Type], rest: Type | None = None) -> Type:
    """Return the type of a map with these fields.

    Args:
        fields: The fields by name.
        rest: What other fields are; without it there are no others.
    """
    return Type(frozenset(["map"]), fields=dict(fields), rest=rest)


def union(*types: Type) -> Type:
    """Return the type of a value that is of one of these types."""
    if not types:
        return ANY
    result = types[0]
    for other in types[1:]:
        result = _union(result, other)
    return result


def _union(one: Type, two: Type) -> Type:
    """Return the union of two types. A side that cannot be a list says nothing about items."""
    lists = [t for t in (one, two) if "list" in t.kinds]
    item = union(*[t.item for t in lists if t.item]) if lists and all(t.item for t in lists) else None
    maps = [t for t in (one, two) if "map" in t.kinds]
    fields: Mapping[str, Type] | None = None
    rest: Type | None = None
    if maps and all(t.fields is not None for t in maps):
        fields = maps[0].fields
        rest = maps[0].rest
        if len(maps) == 2:
            fields, rest = _union_fields(one, two)
    return Type(one.kinds | two.kinds, item, fields, rest)


def _union_fields(one: Type, two: Type) -> tuple[Mapping[str, Type], Type | None]:
    """Return the fields that either of two maps may have."""
    first, second = one.fields or {}, two.fields or {}
    fields = dict(first)
    for name, type_ in second.items():
        fields[name] = union(first[name], type_) if name in first else type_
    rests = [t.rest for t in (one, two) if t.rest is not None]
    return fields, union(*rests) if rests else None


def item_of(type_: Type) -> Type:
    """Return what the items of a list of this type are."""
    return type_.item or ANY


def field_of(type_: Type, name: str) -> Type | None:
    """Return what a field of a map of this type is, or None if there is no such field."""
    if type_.fields is None:
        return ANY
    return type_.fields.get(name, type_.rest)
