"""The difference of two compiled versions of a journey, in the words of the files that they come from."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sojourn.definitions.compiled import DERIVED, DURATIONS

_UNITS = (("d", 86_400), ("h", 3600), ("m", 60), ("s", 1))
_LONGEST = 120


@dataclass(frozen=True, slots=True)
class Change:
    """One thing in which two versions differ.

    Attributes:
        path: Where, such as `steps.remind.with.template` or `reentry.after`.
        kind: Whether it is new, gone, or another one.
        old: What it was; nothing where it is new.
        new: What it is; nothing where it is gone.
    """

    path: str
    kind: Literal["added", "removed", "changed"]
    old: Any = None
    new: Any = None

    def as_dict(self) -> dict[str, Any]:
        """Return the change as plain JSON; durations as texts such as `1h30m`."""
        return {
            "path": self.path,
            "kind": self.kind,
            "old": _shown(self.path, self.old),
            "new": _shown(self.path, self.new),
        }

    def __str__(self) -> str:
        """Return the change as a line for people."""
        old, new = (_text(_shown(self.path, value)) for value in (self.old, self.new))
        if self.kind == "added":
            return f"+ {self.path}: {new}"
        if self.kind == "removed":
            return f"- {self.path}: {old}"
        return f"~ {self.path}: {old} -> {new}"


def compare(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    """Return what differs between two compiled journeys, the head first, then step by step.

    Args:
        old: The earlier one.
        new: The later one.
    """
    heads = [
        {key: value for key, value in one.items() if key not in DERIVED | {"steps"}} for one in (old, new)
    ]
    found = list(_differences("", heads[0], heads[1]))
    before, after = old.get("steps", {}), new.get("steps", {})
    for step in dict.fromkeys([*after, *before]):
        path = f"steps.{step}"
        if step not in before:
            found.append(Change(path, "added", new=after[step]["kind"]))
        elif step not in after:
            found.append(Change(path, "removed", old=before[step]["kind"]))
        else:
            found += _differences(path, before[step], after[step])
    return found


def _differences(path: str, old: Any, new: Any) -> Iterator[Change]:
    if old == new:
        return
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in dict.fromkeys([*old, *new]):
            yield from _differences(f"{path}.{key}".lstrip("."), old.get(key), new.get(key))
    elif isinstance(old, list) and isinstance(new, list):
        for index in range(max(len(old), len(new))):
            items = (one[index] if index < len(one) else None for one in (old, new))
            yield from _differences(f"{path}[{index}]", *items)
    elif old is None:
        yield Change(path, "added", new=new)
    elif new is None:
        yield Change(path, "removed", old=old)
    else:
        yield Change(path, "changed", old, new)


def _shown(path: str, value: Any) -> Any:
    last = path.rpartition(".")[2]
    if last in DURATIONS and isinstance(value, int | float) and not isinstance(value, bool):
        return duration_text(value)
    return value


def duration_text(seconds: float) -> str:
    """Return seconds as durations are written in files: `1h30m`."""
    left, parts = seconds, []
    for unit, size in _UNITS:
        count = int(left // size)
        if count:
            parts.append(f"{count}{unit}")
            left -= count * size
    if left or not parts:
        parts.append(f"{round(left * 1000)}ms" if left else "0s")
    return "".join(parts)


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
