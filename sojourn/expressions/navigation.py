"""Closures that find things: variables, fields, items, keys; and those that ask whether they are there.

An evaluation hands one mapping from closure to closure: the variables. Fields are read in place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sojourn.expressions import nodes, values
from sojourn.expressions.errors import AbsentError, EvaluationError, Path, write_path

Code = Callable[[Any], Any]
"""What a node is compiled to: from the variables to its value."""

Compile = Callable[[nodes.Node], Code]

_MISSING = object()


def variable(node: nodes.Name) -> Code:
    """Return what reads a variable. A name of a type that is no variable stands for the type."""
    name, position = node.name, node.position
    type_value = values.TYPES.get(name)

    def read(env: Any) -> Any:
        try:
            return env[name]
        except KeyError:
            if type_value is not None:
                return type_value
            raise no_variable(name, position) from None

    return read


def no_variable(name: str, position: int) -> AbsentError:
    """Return the error for a variable that is not there."""
    return AbsentError(f"there is no `{name}` here", position=position, path=(name,))


def select(node: nodes.Select | nodes.Index, compile_: Compile) -> Code:
    """Return what reads a field, or the value of a key or an index."""
    path = _text_path(node)
    if path is not None and path[0] not in values.TYPES:
        return _read_path(path, node)
    operand = compile_(node.operand)
    if isinstance(node, nodes.Select):
        return _read_field(operand, node.name, node)
    return _read_index(operand, compile_(node.index), node)


def _text_path(node: nodes.Node) -> tuple[str, ...] | None:
    """Return the path of a node, if it has one that is all names: those Python's own indexing reads safely."""
    path = nodes.path_of(node)
    if path is not None and all(type(part) is str for part in path):
        return path  # type: ignore[return-value]
    return None


def _read_path(path: tuple[str, ...], node: nodes.Node) -> Code:
    """Return what reads `a.b.c`."""
    root, first, *others = path
    if not others:

        def read_one(env: Any) -> Any:
            try:
                return env[root][first]
            except (KeyError, TypeError):
                raise _explain(env, path, node) from None

        return read_one
    if len(others) == 1:
        second = others[0]

        def read_two(env: Any) -> Any:
            try:
                return env[root][first][second]
            except (KeyError, TypeError):
                raise _explain(env, path, node) from None

        return read_two

    def read(env: Any) -> Any:
        try:
            value = env[root]
            for name in path[1:]:
                value = value[name]
            return value
        except (KeyError, TypeError):
            raise _explain(env, path, node) from None

    return read


def _explain(env: Any, path: tuple[str, ...], node: nodes.Node) -> EvaluationError:
    """Return the error for a path that could not be read to its end."""
    chain: list[nodes.Node] = [node]
    while isinstance(chain[-1], nodes.Select | nodes.Index):
        chain.append(chain[-1].operand)
    chain.reverse()
    try:
        value = env[path[0]]
    except KeyError:
        return no_variable(path[0], chain[0].position)
    for index in range(1, len(path)):
        try:
            value = value[path[index]]
        except (KeyError, TypeError):
            return no_field(value, path[index], path[:index], chain[index].position)
    raise AssertionError(path)  # The path can be read after all; the variables changed under the evaluation.


def no_field(value: Any, key: Any, where: Path | None, position: int) -> EvaluationError:
    """Return the error for a value that has no such field or key.

    Args:
        value: The value asked.
        key: The field or key; named in the message only where the expression itself spells it.
        where: The path of the value, None if it has none.
        position: Where in the expression.
    """
    place = f"`{write_path(where)}`" if where else "the value here"
    path = (*where, key) if where and isinstance(key, str | int) else where or ()
    kind = values.kind_of(value)
    if kind == "map":
        what = f"`{write_path(path)}` is missing" if where else "a field is missing"
        hint = (
            f"; ask `has({write_path(path)})`, or give another value with `default({write_path(path)}, ...)`"
        )
        return AbsentError(what + (hint if where else ""), position=position, path=path)
    if kind == "null":
        return AbsentError(f"{place} is null, so it has no fields", position=position, path=path)
    if kind == "list":
        message = f"{place} is a list, which has no fields; take an item with [0], or walk it with a macro"
    else:
        message = f"{place} is {values.a_kind(value)}, which has no fields"
    return EvaluationError(message, position=position, path=where or ())


def _read_field(operand: Code, name: str, node: nodes.Select) -> Code:
    """Return what reads a field of any value."""
    where, position = nodes.path_of(node.operand), node.position

    def read(env: Any) -> Any:
        value = operand(env)
        try:
            return value[name]
        except (KeyError, TypeError):
            raise no_field(value, name, where, position) from None

    return read


def _read_index(operand: Code, index: Code, node: nodes.Index) -> Code:
    """Return what reads an item of a list or a value of a map."""
    where, position = nodes.path_of(node.operand), node.position
    constant = nodes.constant_path_part(node.index)

    def read(env: Any) -> Any:
        value, key = operand(env), index(env)
        if isinstance(value, Mapping):
            found, result = values.find(value, key) if _can_be_key(key) else (False, None)
            if found:
                return result
            if constant is not None:
                raise no_field(value, key, where, position)
            place = f"in `{write_path(where)}`" if where else "here"
            if not _can_be_key(key):
                raise EvaluationError(f"{values.a_kind(key)} cannot be the key of a map", position=position)
            raise AbsentError(f"the key is missing {place}", position=position, path=where or ())
        if isinstance(value, list):
            return _item(value, key, where, position)
        if value is None:
            raise no_field(value, constant, where, position)
        place = f"`{write_path(where)}`" if where else "the value here"
        raise EvaluationError(
            f"{place} is {values.a_kind(value)}, which has no items", position=position, path=where or ()
        )

    return read


def _can_be_key(key: Any) -> bool:
    """Whether a value can be looked up in a map."""
    return type(key) in (str, int, bool, float)


def _item(items: list[Any], index: Any, where: Path | None, position: int) -> Any:
    """Return an item of a list."""
    if type(index) is float and index.is_integer():
        index = int(index)
    if type(index) is not int:
        raise EvaluationError(f"{values.a_kind(index)} cannot be the index of a list", position=position)
    if 0 <= index < len(items):
        return items[index]
    place = f" `{write_path(where)}`" if where else ""
    path = (*where, index) if where and index >= 0 else where or ()
    raise AbsentError(f"the index is outside the list{place}", position=position, path=path)


def has(node: nodes.Has, compile_: Compile) -> Code:
    """Return what tells whether a field is there. What it would be a field of must be a map."""
    operand, name, position = compile_(node.operand), node.name, node.position
    where = nodes.path_of(node.operand)

    def ask(env: Any) -> bool:
        value = operand(env)
        if isinstance(value, Mapping):
            return name in value
        raise no_field(value, name, where, position)

    return ask


def default(node: nodes.Default, compile_: Compile) -> Code:
    """Return what gives another value where the first is missing or null."""
    value, fallback = compile_(node.value), compile_(node.fallback)

    def read(env: Any) -> Any:
        try:
            result = value(env)
        except AbsentError:
            return fallback(env)
        return fallback(env) if result is None else result

    return read
