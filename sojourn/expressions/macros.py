"""Macros: what looks like a call but does not evaluate its arguments first."""

from __future__ import annotations

from sojourn.expressions import nodes
from sojourn.expressions.errors import WrongCall

__all__ = ["METHODS", "WrongCall", "expand"]

METHODS = {
    # name: numbers of arguments -> what they are (v: variable, c: condition, r: result)
    "all": {2: "vc", 3: "vvc"},
    "exists": {2: "vc", 3: "vvc"},
    "exists_one": {2: "vc", 3: "vvc"},
    "existsOne": {2: "vc", 3: "vvc"},
    "filter": {2: "vc"},
    "map": {2: "vr", 3: "vcr"},
    "transformList": {3: "vvr", 4: "vvcr"},
    "transformMap": {3: "vvr", 4: "vvcr"},
    "sortBy": {2: "vr"},
    "distinctBy": {2: "vr"},
}
"""The macros that walk a list or a map."""

USAGE = {
    "has": ("has(x.field)",),
    "default": ("default(x.field, other)",),
    "all": ("list.all(x, condition)", "list.all(i, x, condition)"),
    "exists": ("list.exists(x, condition)", "list.exists(i, x, condition)"),
    "exists_one": ("list.exists_one(x, condition)", "list.exists_one(i, x, condition)"),
    "existsOne": ("list.existsOne(x, condition)", "list.existsOne(i, x, condition)"),
    "filter": ("list.filter(x, condition)",),
    "map": ("list.map(x, result)", "list.map(x, condition, result)"),
    "transformList": ("list.transformList(i, x, result)", "list.transformList(i, x, condition, result)"),
    "transformMap": (
        "map.transformMap(key, value, result)",
        "map.transformMap(key, value, condition, result)",
    ),
    "sortBy": ("list.sortBy(x, key)",),
    "distinctBy": ("list.distinctBy(x, key)",),
}
"""How each macro is written."""

SUMMARIES = {
    "has": "Whether a map has a field. What stands before the last dot must be there.",
    "default": "The first value; the second where any part of the first is missing, or where it is null.",
    "all": "Whether a condition holds for all items of a list, or keys of a map. With two variables: for index and "
    "item, or key and value; likewise below.",
    "exists": "Whether it holds for one item at least.",
    "exists_one": "Whether it holds for one item exactly.",
    "existsOne": "The same.",
    "filter": "The items for which it holds.",
    "map": "What becomes of each item, or of each for which a condition holds.",
    "transformList": "The same, with index and item.",
    "transformMap": "The map with other values under the same keys; of a list a map by index.",
    "sortBy": "The items in the order of something made of each; those that are equal stay as they stood.",
    "distinctBy": "The first of the items that agree in something made of each.",
}
"""What each macro does."""


def _usage(name: str) -> str:
    """Return how a macro is written, for messages."""
    return " or ".join(f"`{form}`" for form in USAGE[name][:2])


def expand(
    name: str, position: int, receiver: nodes.Node | None, arguments: list[nodes.Node]
) -> nodes.Node | None:
    """Return the node of a macro, or None if the name is not one of a macro.

    Raises:
        WrongCall: The arguments are not what the macro needs.
    """
    if receiver is None:
        if name == "has":
            return _has(position, arguments)
        if name == "default":
            if len(arguments) != 2:
                raise WrongCall(f"default takes two arguments: write {_usage(name)}", position)
            return nodes.Default(position, *arguments)
        if name in METHODS:
            raise WrongCall(f"{name} stands after what it walks: write {_usage(name)}", position)
        return None
    if name in ("has", "default"):
        raise WrongCall(f"{name} stands before its arguments: write {_usage(name)}", position)
    shapes = METHODS.get(name)
    if shapes is None:
        return None
    shape = shapes.get(len(arguments))
    if shape is None:
        raise WrongCall(f"{name} has a wrong number of arguments: write {_usage(name)}", position)
    return _walk(name, position, receiver, arguments, shape)


def _walk(
    name: str, position: int, receiver: nodes.Node, arguments: list[nodes.Node], shape: str
) -> nodes.Macro:
    """Return the node of a macro that walks a list or a map."""
    variables: list[str] = []
    condition = result = None
    for role, argument in zip(shape, arguments, strict=True):
        if role == "v":
            if not isinstance(argument, nodes.Name):
                raise WrongCall(f"a variable must stand here: write {_usage(name)}", argument.position)
            if argument.name in variables:
                raise WrongCall(f"`{argument.name}` names two things at once", argument.position)
            variables.append(argument.name)
        elif role == "c":
            condition = argument
        else:
            result = argument
    kind = "exists_one" if name == "existsOne" else name
    return nodes.Macro(position, kind, receiver, tuple(variables), condition, result)


def _has(position: int, arguments: list[nodes.Node]) -> nodes.Has:
    """Return the node of `has(x.field)` or `has(x["field"])`."""
    if len(arguments) == 1:
        argument = arguments[0]
        if isinstance(argument, nodes.Select):
            return nodes.Has(argument.position, argument.operand, argument.name)
        if isinstance(argument, nodes.Index):
            key = nodes.constant_path_part(argument.index)
            if isinstance(key, str):
                return nodes.Has(argument.position, argument.operand, key)
    raise WrongCall(f"has needs one field: write {_usage('has')}", position)
