"""Closures that build lists and maps, and those of the macros that walk them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from sojourn.expressions import nodes, values
from sojourn.expressions.errors import EvaluationError, write_path
from sojourn.expressions.functions.lists import SORTERS
from sojourn.expressions.limits import METER
from sojourn.expressions.navigation import Code, Compile

_Next = Callable[[Any], None]


def list_(node: nodes.ListNode, compile_: Compile) -> Code:
    """Return what builds a list."""
    if all(isinstance(item, nodes.Literal) for item in node.items):
        constants = [item.value for item in node.items if isinstance(item, nodes.Literal)]
        return lambda env: constants.copy()
    items = [compile_(item) for item in node.items]
    return lambda env: [item(env) for item in items]


def map_(node: nodes.MapNode, compile_: Compile) -> Code:
    """Return what builds a map, in the order of its entries."""
    entries = [(compile_(key), compile_(value), key.position) for key, value in node.entries]

    def build(env: Any) -> dict[Any, Any]:
        result: dict[Any, Any] = {}
        for key_code, value_code, position in entries:
            key = key_code(env)
            if type(key) not in (str, int, bool):
                raise EvaluationError(f"{values.a_kind(key)} cannot be the key of a map", position=position)
            if key in result:
                raise EvaluationError(
                    "the map has the same key twice (true and 1 count as the same)", position=position
                )
            result[key] = value_code(env)
        return result

    return build


def walk(node: nodes.Macro, compile_: Compile) -> Code:
    """Return what a macro does."""
    build = {
        "all": _quantifier, "exists": _quantifier, "exists_one": _exists_one, "filter": _filter, "map": _map,
        "transformList": _map, "transformMap": _transform_map, "sortBy": _sorter, "distinctBy": _sorter,
    }[node.kind]  # fmt: skip
    return build(node, compile_)


def _pairs(node: nodes.Macro, compile_: Compile) -> Callable[[Any], tuple[Any, Iterable[Any], bool]]:
    """Return what begins a walk: it gives the variables for the body, what is walked, and whether that is in pairs.

    The work of the whole walk is charged ahead: the nodes of the body for each item.
    """
    range_ = compile_(node.range)
    where, position = nodes.path_of(node.range), node.range.position
    weight = sum(nodes.size(part) for part in (node.condition, node.result) if part is not None)
    two = len(node.variables) == 2

    def begin(env: Any) -> tuple[Any, Iterable[Any], bool]:
        value = range_(env)
        kind = values.kind_of(value)
        if kind == "list":
            items: Iterable[Any] = enumerate(value) if two else value
        elif kind == "map":
            items = value.items() if two else value
        else:
            place = f"`{write_path(where)}`" if where else "the value here"
            raise EvaluationError(
                f"{node.kind} walks a list or a map, and {place} is {values.a_kind(value)}",
                position=position,
                path=where or (),
            )
        env[METER].charge(len(value) * weight, node.position)
        return dict(env), items, two

    return begin


def _bind(inner: Any, names: tuple[str, ...], item: Any, two: bool) -> None:
    """Give the variables of a macro their values for one item."""
    if two:
        inner[names[0]], inner[names[1]] = item
    else:
        inner[names[0]] = item


def _condition(node: nodes.Macro, compile_: Compile) -> Code:
    """Return what tells whether the condition of a macro holds."""
    assert node.condition is not None
    condition, position = compile_(node.condition), node.condition.position

    def test(env: Any) -> bool:
        value = condition(env)
        if type(value) is not bool:
            raise EvaluationError(
                f"the condition of {node.kind} must be a bool, and is {values.a_kind(value)}",
                position=position,
            )
        return value

    return test


def _quantifier(node: nodes.Macro, compile_: Compile) -> Code:
    """Return what `all` or `exists` does. As with `&&` and `||`, an item that decides makes up for one that fails."""
    begin, test, names = _pairs(node, compile_), _condition(node, compile_), node.variables
    decides = node.kind == "exists"

    def run(env: Any) -> Any:
        inner, items, two = begin(env)
        failure: EvaluationError | None = None
        for item in items:
            _bind(inner, names, item, two)
            try:
                if test(inner) is decides:
                    return decides
            except EvaluationError as error:
                failure = failure or error
        if failure is not None:
            raise failure
        return not decides

    return run


def _exists_one(node: nodes.Macro, compile_: Compile) -> Code:
    """Return what tells whether a condition holds for one item exactly."""
    begin, test, names = _pairs(node, compile_), _condition(node, compile_), node.variables

    def run(env: Any) -> bool:
        inner, items, two = begin(env)
        count = 0
        for item in items:
            _bind(inner, names, item, two)
            count += test(inner)
        return count == 1

    return run


def _filter(node: nodes.Macro, compile_: Compile) -> Code:
    """Return what leaves the items for which a condition holds."""
    begin, test, names = _pairs(node, compile_), _condition(node, compile_), node.variables

    def run(env: Any) -> list[Any]:
        inner, items, two = begin(env)
        found = []
        for item in items:
            _bind(inner, names, item, two)
            if test(inner):
                found.append(item)
        return found

    return run


def _map(node: nodes.Macro, compile_: Compile) -> Code:
    """Return what makes something of each item, or of each for which a condition holds."""
    assert node.result is not None
    begin, names, result = _pairs(node, compile_), node.variables, compile_(node.result)
    test = _condition(node, compile_) if node.condition is not None else None

    def run(env: Any) -> list[Any]:
        inner, items, two = begin(env)
        found = []
        for item in items:
            _bind(inner, names, item, two)
            if test is None or test(inner):
                found.append(result(inner))
        return found

    return run


def _transform_map(node: nodes.Macro, compile_: Compile) -> Code:
    """Return what makes something of each value of a map, under the same key."""
    assert node.result is not None
    begin, names, result = _pairs(node, compile_), node.variables, compile_(node.result)
    test = _condition(node, compile_) if node.condition is not None else None

    def run(env: Any) -> dict[Any, Any]:
        inner, items, two = begin(env)
        found = {}
        for item in items:
            _bind(inner, names, item, two)
            if test is None or test(inner):
                found[item[0]] = result(inner)
        return found

    return run


def _sorter(node: nodes.Macro, compile_: Compile) -> Code:
    """Return what sorts items, or leaves each once, by something made of them."""
    assert node.result is not None
    begin, names, result = _pairs(node, compile_), node.variables, compile_(node.result)
    apply, position = SORTERS[node.kind], node.position

    def run(env: Any) -> list[Any]:
        inner, items, two = begin(env)
        kept, keys = [], []
        for item in items:
            _bind(inner, names, item, two)
            kept.append(item)
            keys.append(result(inner))
        meter = env[METER]
        meter.charge(4 * values.weigh(keys, meter.left >> 2), position)
        try:
            return apply(kept, keys)
        except EvaluationError as error:
            if error.position < 0:
                error.position = position
            raise

    return run
