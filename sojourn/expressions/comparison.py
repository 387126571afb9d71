"""Closures of comparison: what comes first, what is equal, what is in something."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from sojourn.expressions import nodes, values
from sojourn.expressions.arithmetic import misfit
from sojourn.expressions.errors import EvaluationError, write_path
from sojourn.expressions.limits import METER
from sojourn.expressions.navigation import Code, Compile

_ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
_HOLDS: dict[str, frozenset[int]] = {
    "<": frozenset([-1]), "<=": frozenset([-1, 0]), ">": frozenset([1]), ">=": frozenset([0, 1]),
}  # fmt: skip


def relation(node: nodes.Relation, compile_: Compile) -> Code:
    """Return what compares two values."""
    left, right = compile_(node.left), compile_(node.right)
    if node.operator in _ORDERS:
        return _order(node, left, right)
    if node.operator == "in":
        return _membership(node, left, right)
    return _equality(node, left, right)


def _order(node: nodes.Relation, left: Code, right: Code) -> Code:
    """Return what tells which of two values comes first."""
    sign, position = node.operator, node.position
    holds, direct = _HOLDS[sign], values.DIRECT
    apply = _ORDERS[sign]

    def slow(one: Any, two: Any) -> bool:
        try:
            result = values.compare(one, two)
        except EvaluationError as error:
            error.position = position
            raise
        if result is None:
            failure = misfit(sign, one, two)
            failure.position, failure.path = (
                position,
                nodes.path_of(node.left) or nodes.path_of(node.right) or (),
            )
            if failure.path:
                failure.message += f": look at `{write_path(failure.path)}`"
            raise failure
        return result in holds

    if isinstance(node.right, nodes.Literal) and type(node.right.value) in values.DIRECT:
        constant, kind = node.right.value, type(node.right.value)

        def compare_constant(env: Any) -> bool:
            one = left(env)
            return apply(one, constant) if type(one) is kind else slow(one, constant)

        return compare_constant

    def compare(env: Any) -> bool:
        one, two = left(env), right(env)
        kind = type(one)
        return apply(one, two) if kind is type(two) and kind in direct else slow(one, two)

    return compare


def _equality(node: nodes.Relation, left: Code, right: Code) -> Code:
    """Return what tells whether two values are equal, or whether they are not."""
    position, wanted = node.position, node.operator == "=="
    containers, equals = values.CONTAINERS, values.equals
    if isinstance(node.right, nodes.Literal) and type(node.right.value) in (str, type(None)):
        constant = node.right.value
        # Nothing but the same text is equal to a text, nothing but null to null, in Python as here.
        return (lambda env: left(env) == constant) if wanted else (lambda env: left(env) != constant)

    def compare(env: Any) -> bool:
        one, two = left(env), right(env)
        if type(one) in containers and type(two) in containers:
            _weigh(env, one, two, position)
        try:
            return equals(one, two) is wanted
        except EvaluationError as error:
            error.position = position
            raise

    return compare


def _weigh(env: Any, one: Any, two: Any, position: int) -> None:
    """Charge for the comparison of two lists or maps."""
    meter = env.get(METER)
    if meter is not None and len(one) == len(two):
        meter.charge(values.weigh(one, meter.left), position)


def _membership(node: nodes.Relation, left: Code, right: Code) -> Code:
    """Return what tells whether a list holds a value, or a map a key."""
    position = node.position

    def test(env: Any) -> bool:
        value, container = left(env), right(env)
        kind = values.kind_of(container)
        meter = env.get(METER)
        try:
            if kind == "list":
                if meter is not None:
                    meter.charge(
                        len(container)
                        if type(value) not in values.CONTAINERS
                        else values.weigh(container, meter.left),
                        position,
                    )
                return values.contains(container, value)
            if kind == "map":
                if type(value) is not str and meter is not None:
                    meter.charge(len(container), position)
                if type(value) in (str, int, bool, float):
                    return values.find(container, value)[0]
                raise EvaluationError(f"{values.a_kind(value)} cannot be the key of a map")
        except EvaluationError as error:
            error.position = position
            raise
        raise EvaluationError(
            f"`in` needs a list or a map on its right, and was given {values.a_kind(container)}"
            + ("; write text.contains(part)" if kind == "string" else ""),
            position=position,
        )

    return test
