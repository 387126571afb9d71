"""Which types operators take, and what they give: the checker's side of `arithmetic` and `comparison`."""

from __future__ import annotations

from typing import Final

from sojourn.expressions.types import Type, list_of, union

_NUMERIC: Final = frozenset(["int", "double"])
_ORDERED: Final = (_NUMERIC, *(frozenset([kind]) for kind in ("string", "bool", "timestamp", "duration")))

_SUMS: Final = {
    ("string", "string"): "string", ("list", "list"): "list", ("timestamp", "duration"): "timestamp",
    ("duration", "timestamp"): "timestamp", ("duration", "duration"): "duration",
}  # fmt: skip
_DIFFERENCES: Final = {
    ("timestamp", "duration"): "timestamp", ("timestamp", "timestamp"): "duration",
    ("duration", "duration"): "duration",
}  # fmt: skip
_NUMBERS: Final = {
    ("int", "int"): "int",
    ("int", "double"): "double",
    ("double", "int"): "double",
    ("double", "double"): "double",
}
_ARITHMETIC: Final[dict[str, dict[tuple[str, str], str]]] = {
    "+": {**_NUMBERS, **_SUMS},
    "-": {**_NUMBERS, **_DIFFERENCES},
    "*": _NUMBERS,
    "/": _NUMBERS,
    "%": {("int", "int"): "int"},
}


def fits(given: Type, wanted: Type) -> bool:
    """Whether a value of one type can serve where another is wanted. A double may serve as an int: `2.0`."""
    kinds = wanted.kinds | _NUMERIC if "int" in wanted.kinds else wanted.kinds
    return given.may_be(kinds)


def hint(given: Type, wanted: Type) -> str | None:
    """Return what to write to make one type of another, if that is simple."""
    if given.kinds <= {"string", "null"}:
        if "timestamp" in wanted.kinds:
            return "write timestamp(text)"
        if "duration" in wanted.kinds:
            return "write duration(text)"
        if wanted.kinds & _NUMERIC:
            return "write int(text) or double(text)"
        if "bool" in wanted.kinds:
            return 'compare it, such as `x == "yes"`, or ask `x != ""`'
    if given.kinds <= _NUMERIC | {"null"} and "bool" in wanted.kinds:
        return "compare it, such as `x > 0`"
    if given.kinds <= _NUMERIC | {"bool", "timestamp", "duration"} and "string" in wanted.kinds:
        return "write string(x)"
    if given.kinds <= {"list", "map", "null"} and "bool" in wanted.kinds:
        return "ask for its size, such as `size(x) > 0`"
    return None


def arithmetic(sign: str, one: Type, two: Type) -> Type | None:
    """Return what an operator makes of two types, or None if it takes no values of them."""
    table = _ARITHMETIC[sign]
    kinds = {table[pair] for pair in ((a, b) for a in one.kinds for b in two.kinds) if pair in table}
    if not kinds:
        return None
    if kinds == {"list"} and one.item and two.item:
        return list_of(union(one.item, two.item))
    return Type(frozenset(kinds))


def arithmetic_hint(sign: str, one: Type, two: Type) -> str | None:
    """Return what to write instead of an operation that does not fit."""
    if sign == "+" and (one.kinds <= {"string", "null"} or two.kinds <= {"string", "null"}):
        if one.may_be(["timestamp", "duration"]) or two.may_be(["timestamp", "duration"]):
            return "write duration(text) or timestamp(text)"
        return "write string(x) for the text of a value"
    if sign in "+-" and "timestamp" in one.kinds | two.kinds and (one.kinds | two.kinds) & _NUMERIC:
        return "write hours(x), days(x) or the like for a duration"
    return None


def relation_problem(sign: str, left: Type, right: Type, with_null: bool) -> tuple[str, str | None] | None:
    """Return what is wrong with a comparison and what to write instead, or None.

    Args:
        sign: The operator.
        left: What stands on its left.
        right: What stands on its right.
        with_null: Whether one side is the constant null.
    """
    if sign == "in":
        return _membership_problem(left, right)
    if sign in ("==", "!="):
        if with_null or _overlap(left, right):
            return None
        answer = "never" if sign == "==" else "always"
        return f"`{sign}` is {answer} true", _conversion(left, right)
    if any(left.may_be(group) and right.may_be(group) for group in _ORDERED):
        return None
    return f"`{sign}` does not fit", _conversion(left, right)


def _overlap(one: Type, two: Type) -> bool:
    """Whether values of two types can be equal. Ints and doubles can."""
    return any(one.may_be(kinds) and two.may_be(kinds) for kinds in ([kind] for kind in one.kinds)) or (
        one.may_be(_NUMERIC) and two.may_be(_NUMERIC)
    )


def _conversion(one: Type, two: Type) -> str | None:
    """Return how to make two types fit, if one is text."""
    for text, other in ((one, two), (two, one)):
        if text.kinds <= {"string", "null"}:
            return hint(text, other) if not other.may_be(["bool", "string"]) else None
    return None


def _membership_problem(left: Type, right: Type) -> tuple[str, str | None] | None:
    """Return what is wrong with `left in right`."""
    if not right.may_be(["list", "map"]):
        text = right.kinds <= {"string", "null"}
        return "`in` needs a list or a map on its right", "write text.contains(part)" if text else None
    if not right.may_be(["map"]) and right.item is not None and not _overlap(left, right.item):
        return "`in` is never true, since the list holds no such values", None
    if not right.may_be(["list"]) and not left.may_be(["string", "int", "double", "bool"]):
        return "`in` is never true, since no such value can be a key of the map", None
    return None
