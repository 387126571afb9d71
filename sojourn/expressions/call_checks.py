"""Checking calls of the library: their arguments, and constants among these that cannot work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sojourn.expressions import nodes, operands, times
from sojourn.expressions.errors import EvaluationError
from sojourn.expressions.functions import patterns
from sojourn.expressions.functions.registry import FUNCTIONS, Function
from sojourn.expressions.types import TIMESTAMP, Type

if TYPE_CHECKING:
    from sojourn.expressions.checker import Checker


def check_call(checker: Checker, node: nodes.Call) -> Type:
    """Return what a call gives, after checking it."""
    function = FUNCTIONS[node.name]
    given = [checker.visit(argument) for argument in node.arguments]
    before = len(checker.findings)
    for index, (argument, type_) in enumerate(zip(node.arguments, given, strict=True)):
        is_now = function.now and index == len(node.arguments) - 1
        wanted = TIMESTAMP if is_now else function.parameter(index).type
        if not operands.fits(type_, wanted):
            checker.report(
                argument,
                f"{function.name} needs {wanted} here, and {checker.describe(argument, type_)}",
                operands.hint(type_, wanted),
            )
    if len(checker.findings) == before:
        _check_constants(checker, function, node)
    return function.result_of(given)


def _check_constants(checker: Checker, function: Function, node: nodes.Call) -> None:
    """Try what is constant in a call: the whole of it, or its pattern, or its time zone."""
    constants = [argument.value for argument in node.arguments if isinstance(argument, nodes.Literal)]
    try:
        if len(constants) == len(node.arguments):
            function.call(*constants)
            return
    except EvaluationError as error:
        checker.report(node, f"{function.name} cannot work here: {error.message}")
        return
    for index, argument in enumerate(node.arguments):
        if not isinstance(argument, nodes.Literal) or not isinstance(argument.value, str):
            continue
        try:
            if _is_zone(function, index):
                times.zone(argument.value)
            elif function.group == patterns.GROUP and index == 1:
                patterns.compiled(argument.value)
        except EvaluationError as error:
            checker.report(argument, error.message)


def _is_zone(function: Function, index: int) -> bool:
    """Whether an argument of a function is a time zone."""
    if function.group != "Dates" and function.name != "timestamp":
        return False
    return function.parameter(index).text == "string?" or function.name == "inZone"
