"""Closures of the operators: arithmetic, comparison, logic and choice."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sojourn.expressions import nodes, times, values
from sojourn.expressions.errors import EvaluationError, write_path
from sojourn.expressions.limits import MAX_LIST, MAX_TEXT, METER
from sojourn.expressions.literals import INT_MAX, INT_MIN
from sojourn.expressions.navigation import Code, Compile

_ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
_HOLDS: dict[str, frozenset[int]] = {
    "<": frozenset([-1]), "<=": frozenset([-1, 0]), ">": frozenset([1]), ">=": frozenset([0, 1]),
}  # fmt: skip


def overflow() -> EvaluationError:
    """Return the error for a result that 64 bits cannot hold."""
    return EvaluationError("the result does not fit into a 64-bit integer")


def misfit(sign: str, one: Any, two: Any) -> EvaluationError:
    """Return the error for two operands that an operator does not take."""
    hint = ""
    kinds = {values.kind_of(one), values.kind_of(two)}
    if "string" in kinds and sign == "+":
        hint = "; write string(x) for the text of a value"
    elif kinds in ({"string", "timestamp"}, {"string", "duration"}):
        hint = "; write timestamp(text)" if "timestamp" in kinds else "; write duration(text)"
    return EvaluationError(f"`{sign}` does not take {values.a_kind(one)} and {values.a_kind(two)}{hint}")


def _add(one: Any, two: Any) -> Any:
    kind, other = type(one), type(two)
    if kind is int and other is int:
        result = one + two
        if INT_MIN <= result <= INT_MAX:
            return result
        raise overflow()
    if kind in values.NUMBERS and other in values.NUMBERS:
        return _floats(operator.add, one, two)
    if kind is str and other is str:
        if len(one) + len(two) > MAX_TEXT:
            raise EvaluationError(f"the text would be longer than {MAX_TEXT:,} characters")
        return one + two
    if kind is list and other is list:
        if len(one) + len(two) > MAX_LIST:
            raise EvaluationError(f"the list would have more than {MAX_LIST:,} items")
        return one + two
    if isinstance(two, timedelta):
        if isinstance(one, datetime):
            return times.add(one, two)
        if isinstance(one, timedelta):
            return times.limit_duration(one + two)
    if isinstance(one, timedelta) and isinstance(two, datetime):
        return times.add(two, one)
    raise misfit("+", one, two)


def _subtract(one: Any, two: Any) -> Any:
    kind, other = type(one), type(two)
    if kind is int and other is int:
        result = one - two
        if INT_MIN <= result <= INT_MAX:
            return result
        raise overflow()
    if kind in values.NUMBERS and other in values.NUMBERS:
        return _floats(operator.sub, one, two)
    if isinstance(one, datetime):
        if isinstance(two, timedelta):
            return times.add(one, -two)
        if isinstance(two, datetime):
            return times.limit_duration(times.instant(one) - times.instant(two))
    if isinstance(one, timedelta) and isinstance(two, timedelta):
        return times.limit_duration(one - two)
    raise misfit("-", one, two)


def _multiply(one: Any, two: Any) -> Any:
    kind, other = type(one), type(two)
    if kind is int and other is int:
        result = one * two
        if INT_MIN <= result <= INT_MAX:
            return result
        raise overflow()
    if kind in values.NUMBERS and other in values.NUMBERS:
        return _floats(operator.mul, one, two)
    raise misfit("*", one, two)


def _divide(one: Any, two: Any) -> Any:
    kind, other = type(one), type(two)
    if kind is int and other is int:
        if two == 0:
            raise EvaluationError("division by zero")
        result = abs(one) // abs(two)
        result = result if (one < 0) is (two < 0) else -result
        if INT_MIN <= result <= INT_MAX:
            return result
        raise overflow()
    if kind in values.NUMBERS and other in values.NUMBERS:
        return _floats(_float_divide, one, two)
    raise misfit("/", one, two)


def _float_divide(one: float, two: float) -> float:
    """Divide as IEEE 754 does: by zero it gives infinity or NaN."""
    if two != 0:
        return one / two
    if one == 0 or math.isnan(one):
        return math.nan
    return math.copysign(math.inf, one) * math.copysign(1.0, two)


def _remainder(one: Any, two: Any) -> Any:
    if type(one) is int and type(two) is int:
        if two == 0:
            raise EvaluationError("division by zero")
        if one == INT_MIN and two == -1:
            raise overflow()
        result = abs(one) % abs(two)
        return -result if one < 0 else result
    raise misfit("%", one, two)


def _floats(calculate: Callable[[float, float], float], one: Any, two: Any) -> float:
    """Calculate with two numbers as doubles."""
    try:
        return calculate(float(one), float(two))
    except OverflowError:
        raise overflow() from None


_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": _add, "-": _subtract, "*": _multiply, "/": _divide, "%": _remainder,
}  # fmt: skip


def chain(node: nodes.Chain, compile_: Compile) -> Code:
    """Return what calculates `a + b - c` from left to right."""
    first = compile_(node.first)
    rest = [(_ARITHMETIC[sign], position, compile_(operand)) for sign, position, operand in node.rest]

    def calculate(env: Any) -> Any:
        result = first(env)
        for apply, position, operand in rest:
            other = operand(env)
            try:
                result = apply(result, other)
            except EvaluationError as error:
                error.position = position
                raise
            if type(result) is str:
                env[METER].charge(len(result) >> 4, position)
            elif type(result) is list:
                env[METER].charge(len(result), position)
        return result

    return calculate


def unary(node: nodes.Unary, compile_: Compile) -> Code:
    """Return what turns a bool round, or the sign of a number."""
    operand, position = compile_(node.operand), node.position
    if node.operator == "!":

        def invert(env: Any) -> bool:
            value = operand(env)
            if value is True:
                return False
            if value is False:
                return True
            raise EvaluationError(
                f"`!` needs a bool, and was given {values.a_kind(value)}", position=position
            )

        return invert

    def negate(env: Any) -> Any:
        value = operand(env)
        if type(value) is int:
            if value == INT_MIN:
                error = overflow()
                error.position = position
                raise error
            return -value
        if type(value) is float:
            return -value
        raise EvaluationError(f"`-` needs a number, and was given {values.a_kind(value)}", position=position)

    return negate


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
