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
    "all": "list.all(x, condition)",
    "exists": "list.exists(x, condition)",
    "exists_one": "list.exists_one(x, condition)",
    "existsOne": "list.existsOne(x, condition)",
    "filter": "list.filter(x, condition)",
    "map": "list.map(x, result), or list.map(x, condition, result)",
    "transformList": "list.transformList(i, x, result), or list.transformList(i, x, condition, result)",
    "transformMap": "map.transformMap(key, value, result), or map.transformMap(key, value, condition, result)",
    "sortBy": "list.sortBy(x, key)",
    "distinctBy": "list.distinctBy(x, key)",
    "has": "has(x.field)",
    "default": "default(x.field, other)",
}
"""How each macro is written."""


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
                raise WrongCall(f"default takes two arguments: write `{USAGE[name]}`", position)
            return nodes.Default(position, *arguments)
        if name in METHODS:
            raise WrongCall(f"{name} stands after what it walks: write `{USAGE[name]}`", position)
        return None
    if name in ("has", "default"):
        raise WrongCall(f"{name} stands before its arguments: write `{USAGE[name]}`", position)
    shapes = METHODS.get(name)
    if shapes is None:
        return None
    shape = shapes.get(len(arguments))
    if shape is None:
        raise WrongCall(f"{name} has a wrong number of arguments: write `{USAGE[name]}`", position)
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
                raise WrongCall(f"a variable must stand here: write `{USAGE[name]}`", argument.position)
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
    raise WrongCall(f"has needs one field: write `{USAGE['has']}`", position)
