"""Closures of logic: `! && ||`, and the choice between two values."""

from __future__ import annotations

from typing import Any

from sojourn.expressions import nodes, values
from sojourn.expressions.errors import EvaluationError
from sojourn.expressions.navigation import Code, Compile


def inversion(node: nodes.Unary, compile_: Compile) -> Code:
    """Return what turns a bool round."""
    operand, position = compile_(node.operand), node.position

    def invert(env: Any) -> bool:
        value = operand(env)
        if value is True:
            return False
        if value is False:
            return True
        raise EvaluationError(f"`!` needs a bool, and was given {values.a_kind(value)}", position=position)

    return invert


def logic(node: nodes.Logic, compile_: Compile) -> Code:
    """Return what joins conditions with `&&` or `||`.

    As CEL has it, an error on one side does not count if the other side decides: `x || true` is true. The first
    error is the one that is told.
    """
    decides = node.operator == "||"
    operands = [compile_(operand) for operand in node.operands]
    join = _join(node, operands, decides)
    return _join_two(operands[0], operands[1], join, decides) if len(operands) == 2 else join


def _join_two(first: Code, second: Code, otherwise: Code, decides: bool) -> Code:
    """Return what joins two conditions; `otherwise` takes over where one of them is no bool."""

    def join_two(env: Any) -> Any:
        try:
            one = first(env)
        except EvaluationError:
            try:
                if second(env) is decides:
                    return decides
            except EvaluationError:
                pass  # The first error is the one to tell.
            raise
        if one is decides:
            return decides
        if type(one) is bool:
            two = second(env)
            if type(two) is bool:
                return two
        return otherwise(env)

    return join_two


def _join(node: nodes.Logic, operands: list[Code], decides: bool) -> Code:
    """Return what joins any number of conditions."""

    def join(env: Any) -> Any:
        failure: EvaluationError | None = None
        for code, operand in zip(operands, node.operands, strict=True):
            try:
                value = code(env)
                if value is decides:
                    return decides
                if type(value) is not bool:
                    raise EvaluationError(
                        f"`{node.operator}` needs bools, and was given {values.a_kind(value)}",
                        position=operand.position,
                        path=nodes.path_of(operand) or (),
                    )
            except EvaluationError as error:
                failure = failure or error
        if failure is not None:
            raise failure
        return not decides

    return join


def ternary(node: nodes.Ternary, compile_: Compile) -> Code:
    """Return what chooses between two values."""
    condition, yes, no = compile_(node.condition), compile_(node.yes), compile_(node.no)
    position, path = node.condition.position, nodes.path_of(node.condition) or ()

    def choose(env: Any) -> Any:
        decided = condition(env)
        if decided is True:
            return yes(env)
        if decided is False:
            return no(env)
        raise EvaluationError(
            f"the condition before `?` must be a bool, and is {values.a_kind(decided)}",
            position=position,
            path=path,
        )

    return choose
