"""Reading the conformance cases of CEL, and comparing values with what they expect."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sojourn.expressions.values import TYPES, TypeValue, kind_of

CASES = Path(__file__).parents[2].parent / "shared" / "data" / "cel" / "conformance.jsonl"
"""The cases lie beside the project, since they are not ours to commit."""


@dataclass(frozen=True)
class Case:
    """One case of the suite."""

    file: str
    section: str
    name: str
    expr: str
    bindings: dict[str, Any]
    expected: dict[str, Any] | None

    @property
    def id(self) -> str:
        return f"{self.file}/{self.section}/{self.name}"


def read_cases() -> list[Case]:
    """Return all cases; none where the file is not there."""
    if not CASES.exists():
        return []
    rows = (json.loads(line) for line in CASES.read_text().splitlines())
    return [
        Case(row["file"], row["section"], row["name"], row["expr"], row.get("bindings", {}), row.get("value"))
        for row in rows
    ]


def kinds(tagged: Any) -> Iterator[str]:
    """Yield the kinds of values in a value of the file."""
    for kind, value in (tagged or {}).items():
        yield kind
        if kind == "list":
            for item in value:
                yield from kinds(item)
        elif kind == "map":
            for key, item in value:
                yield from kinds(key)
                yield from kinds(item)


def read_value(tagged: dict[str, Any]) -> Any:
    """Return a value of the file as a value of the language."""
    [(kind, value)] = tagged.items()
    match kind:
        case "list":
            return [read_value(item) for item in value]
        case "map":
            return {read_value(key): read_value(item) for key, item in value}
        case "int":
            return int(value)
        case "double":
            return float(value)
        case "timestamp":
            return datetime.fromtimestamp(0, UTC) + timedelta(
                seconds=int(value[0]), microseconds=value[1] // 1000
            )
        case "duration":
            return timedelta(seconds=int(value[0]), microseconds=value[1] // 1000)
        case "type":
            return TYPES[value]
        case _:
            return value


def same(one: Any, two: Any) -> bool:
    """Whether two values are equal and of the same kind, all the way down. NaN is the same as NaN."""
    if kind_of(one) != kind_of(two):
        return False
    if isinstance(one, list):
        return len(one) == len(two) and all(map(same, one, two))
    if isinstance(one, dict):
        return len(one) == len(two) and all(
            key in two and same(value, two[key]) for key, value in one.items()
        )
    if isinstance(one, float):
        return (math.isnan(one) and math.isnan(two)) or (
            one == two and math.copysign(1, one) == math.copysign(1, two)
        )
    return one.name == two.name if isinstance(one, TypeValue) else bool(one == two)
