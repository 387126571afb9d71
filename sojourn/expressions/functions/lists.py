"""Functions of lists and maps."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from sojourn.expressions import times, values
from sojourn.expressions.errors import AbsentError, EvaluationError
from sojourn.expressions.functions.registry import function, item_result, same_result
from sojourn.expressions.limits import MAX_DATA_DEPTH, check_list
from sojourn.expressions.types import Type, kind, list_of, union

_function = functools.partial(function, group="Lists and maps")


def identity(value: Any, depth: int = 0) -> Any:
    """Return something hashable that is the same for equal values, and differs for others."""
    kind_ = type(value)
    if kind_ is str or value is None:
        return value
    if depth > MAX_DATA_DEPTH:
        raise EvaluationError(f"the data is nested more than {MAX_DATA_DEPTH} levels deep")
    named = values.kind_of(value)
    if named in ("int", "double"):
        # Beyond 2**53 ints and doubles are told apart, so that different ints stay different.
        number = float(value) if -(2**53) <= value <= 2**53 else value
        return ("number", number if number == number else object())  # NaN equals nothing
    if named == "list":
        return ("list", *(identity(item, depth + 1) for item in value))
    if named == "map":
        return ("map", frozenset((identity(k), identity(v, depth + 1)) for k, v in value.items()))
    if named == "timestamp":
        return ("timestamp", times.instant(value))
    return (named, value)


def distinct_by(items: Sequence[Any], keys: Sequence[Any]) -> list[Any]:
    """Return the items whose key no earlier one has."""
    seen: set[Any] = set()
    found: list[Any] = []
    for item, key in zip(items, keys, strict=True):
        mark = identity(key)
        if mark not in seen:
            seen.add(mark)
            found.append(item)
    return found


def sort_by(items: Sequence[Any], keys: Sequence[Any]) -> list[Any]:
    """Return the items in the order of their keys; those with equal keys as they stood.

    Raises:
        EvaluationError: The keys cannot be compared with each other.
    """

    def order(one: tuple[Any, Any], two: tuple[Any, Any]) -> int:
        result = values.compare(one[0], two[0])
        if result is None or result == 2:
            raise EvaluationError(
                f"{values.a_kind(one[0])} and {values.a_kind(two[0])} cannot be put in order"
                if result is None
                else "NaN cannot be put in order"
            )
        return result

    for key in keys:
        if values.compare(key, key) is None:
            raise EvaluationError(f"{values.a_kind(key)} cannot be put in order")
    return [item for _, item in sorted(zip(keys, items, strict=True), key=functools.cmp_to_key(order))]


@_function(
    "distinct(list) -> list", "The items of a list, each once.", ("distinct([1, 2, 1.0])", "[1, 2]"),
    result=same_result, work="walk",
)  # fmt: skip
def distinct(items: list[Any]) -> list[Any]:
    """Return the items of a list, each once."""
    return distinct_by(items, items)


@_function(
    "sort(list, bool?) -> list",
    "The items in order: numbers, texts, bools, timestamps or durations. With `false` the greatest first.",
    ("sort([3, 1, 2])", "[1, 2, 3]"),
    ("sort(['b', 'a'], false)", "['b', 'a']"),
    result=same_result,
    work="walk",
)
def sort(items: list[Any], ascending: bool = True) -> list[Any]:
    """Return the items of a list in order."""
    ordered = sort_by(items, items)
    return ordered if ascending else ordered[::-1]


@_function(
    "reverse(string | list) -> string | list",
    "A text or list from its end to its beginning.",
    ("reverse([1, 2])", "[2, 1]"),
    ("'abc'.reverse()", "'cba'"),
    result=lambda arguments: arguments[0],
)
def reverse(value: Any) -> Any:
    """Return a text or list turned round."""
    return value[::-1]


@_function(
    "first(list) -> any",
    "The first item; missing if there is none.",
    ("first([7, 8])", "7"),
    result=item_result,
)
def first(items: list[Any]) -> Any:
    """Return the first item of a list."""
    if not items:
        raise AbsentError("the list is empty, so it has no first item")
    return items[0]


@_function(
    "last(list) -> any", "The last item; missing if there is none.", ("last([7, 8])", "8"), result=item_result
)
def last(items: list[Any]) -> Any:
    """Return the last item of a list."""
    if not items:
        raise AbsentError("the list is empty, so it has no last item")
    return items[-1]


@_function(
    "limit(list, int, bool?) -> list",
    "At most so many items, the first ones; with `false` the last ones.",
    ("limit([1, 2, 3], 2)", "[1, 2]"),
    ("limit([1, 2, 3], 2, false)", "[2, 3]"),
    result=same_result,
)
def limit(items: list[Any], count: int, from_start: bool = True) -> list[Any]:
    """Return at most so many items."""
    if count < 0:
        raise EvaluationError("a number of items cannot be below zero")
    return items[:count] if from_start else items[max(0, len(items) - count) :]


@_function(
    "slice(list, int, int) -> list",
    "The items from one index to before another.",
    ("[1, 2, 3, 4].slice(1, 3)", "[2, 3]"),
    result=same_result,
)
def slice_(items: list[Any], start: int, end: int) -> list[Any]:
    """Return a part of a list."""
    if not 0 <= start <= end <= len(items):
        raise EvaluationError("an index is outside the list")
    return items[start:end]


def _flat(arguments: Sequence[Type]) -> Type:
    """Say what the items of the lists in a list are."""
    item = arguments[0].item
    return list_of(item.item) if item and item.kinds == {"list"} and item.item else kind("list")


@_function(
    "flatten(list) -> list",
    "The items of the lists in a list, as one list.",
    ("flatten([[1, 2], [3], 4])", "[1, 2, 3, 4]"),
    result=_flat,
)
def flatten(items: list[Any]) -> list[Any]:
    """Return the items of the lists in a list."""
    check_list(sum(len(item) if type(item) is list else 1 for item in items))
    return [inner for item in items for inner in (item if type(item) is list else [item])]


@_function(
    "nonNull(list) -> list", "The items that are not null.", ("nonNull([1, null])", "[1]"), result=same_result
)
def non_null(items: list[Any]) -> list[Any]:
    """Return the items of a list that are not null."""
    return [item for item in items if item is not None]


@_function(
    "intersect(list, list) -> list",
    "The items of the first list that the second holds too, each once.",
    ("intersect(['news', 'sports'], ['sports', 'art'])", "['sports']"),
    result=same_result,
    work="walk",
)
def intersect(one: list[Any], two: list[Any]) -> list[Any]:
    """Return the items that both lists hold."""
    other = {identity(item) for item in two}
    return [item for item in distinct_by(one, one) if identity(item) in other]


@_function(
    "keys(map) -> list", "The keys of a map, in their order.", ("keys({'b': 1, 'a': 2})", "['b', 'a']")
)
def keys(map_: dict[Any, Any]) -> list[Any]:
    """Return the keys of a map."""
    return list(map_)


def _values_result(arguments: Sequence[Type]) -> Type:
    """Say what the values of a map are."""
    map_ = arguments[0]
    if map_.fields is None:
        return kind("list")
    inner = [*map_.fields.values(), *([map_.rest] if map_.rest else [])]
    return list_of(union(*inner)) if inner else kind("list")


@_function(
    "values(map) -> list", "The values of a map, in their order.", ("values({'b': 1, 'a': 2})", "[1, 2]"),
    result=_values_result,
)  # fmt: skip
def values_(map_: dict[Any, Any]) -> list[Any]:
    """Return the values of a map."""
    return list(map_.values())


@_function(
    "lists.range(int) -> list<int>",
    "The whole numbers from 0 to before one.",
    ("lists.range(3)", "[0, 1, 2]"),
)
def range_(count: int) -> list[int]:
    """Return the whole numbers from 0 to before one."""
    check_list(count)
    return list(range(count))


SORTERS: dict[str, Callable[[Sequence[Any], Sequence[Any]], list[Any]]] = {
    "sortBy": sort_by,
    "distinctBy": distinct_by,
}
"""What the macros of these names do with the items and their keys."""
