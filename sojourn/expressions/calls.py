"""Closures that call functions of the library."""

from __future__ import annotations

from typing import Any

from sojourn.expressions import nodes, values
from sojourn.expressions.errors import EvaluationError, write_path
from sojourn.expressions.functions.registry import FUNCTIONS, Function, Parameter
from sojourn.expressions.limits import METER, Meter
from sojourn.expressions.navigation import Code, Compile
from sojourn.expressions.types import TIMESTAMP

_NOW = Parameter("timestamp", TIMESTAMP, None)
_SIZED = frozenset([str, list, dict])


def call(node: nodes.Call, compile_: Compile) -> Code:
    """Return what calls a function with its arguments."""
    function = FUNCTIONS[node.name]
    apply, position = function.call, node.position
    arguments = [
        (compile_(argument), parameter.python, parameter, argument)
        for argument, parameter in zip(
            node.arguments, _parameters(function, len(node.arguments)), strict=True
        )
    ]

    def run(env: Any) -> Any:
        given = []
        for code, accepted, parameter, argument in arguments:
            value = code(env)
            if accepted is not None and type(value) not in accepted:
                value = _fit(function, parameter, value, argument)
            given.append(value)
        meter = env[METER]
        try:
            for value in given:
                if type(value) in _SIZED:
                    meter.charge(_work(function, value, meter), position)
            result = apply(*given)
        except EvaluationError as error:
            if error.position < 0:
                error.position = position
                error.path = error.path or nodes.path_of(node.arguments[0]) or ()
            raise
        except (ArithmeticError, ValueError) as error:
            # Nothing is known to come here; what a function may have forgotten must not show data.
            raise EvaluationError(
                f"{function.name} cannot work with a value that is so large", position=position
            ) from error
        if type(result) in _SIZED:
            meter.charge(_size(result), position)
        return result

    return run


def _parameters(function: Function, count: int) -> list[Parameter]:
    """Return the parameters that take so many arguments, with that for `now` where the function has one."""
    own = count - 1 if function.now else count
    return [function.parameter(i) for i in range(own)] + ([_NOW] if function.now else [])


def _work(function: Function, value: Any, meter: Meter) -> int:
    """Return about how much work it is for a function to look through a text, list or map."""
    if function.work == "walk":
        return 4 * values.weigh(value, meter.left >> 2)
    return 8 * len(value) if function.work == "scan" else _size(value)


def _size(value: Any) -> int:
    """Return about how much work it is to look through, or to build, a text, list or map."""
    return len(value) >> 3 if type(value) is str else len(value)


def _fit(function: Function, parameter: Parameter, value: Any, argument: nodes.Node) -> Any:
    """Return an argument as the parameter takes it.

    JSON does not tell 2 from 2.0, so that a double without decimals serves as an int.
    """
    kind = values.kind_of(value)
    if kind == "double" and "int" in parameter.kinds and value.is_integer():
        return int(value)
    if kind in parameter.kinds and kind != "map":
        return list(value) if kind == "list" else value
    if kind in parameter.kinds:
        return dict(value)
    path = nodes.path_of(argument) or ()
    given = f"`{write_path(path)}` is" if path else "it was given"
    hint = ""
    if kind == "string" and "timestamp" in parameter.kinds:
        hint = "; write timestamp(text)"
    elif kind == "string" and "duration" in parameter.kinds:
        hint = "; write duration(text)"
    elif "string" in parameter.kinds and kind in ("int", "double", "bool", "timestamp", "duration"):
        hint = "; write string(x) for its text"
    raise EvaluationError(
        f"{function.name} needs {parameter.type}, and {given} {values.a_kind(value)}{hint}",
        position=argument.position,
        path=path,
    )
