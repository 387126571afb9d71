"""Expressions: compiled once for each text, evaluated as often as you like."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from typing import Any

from sojourn.expressions import checker, nodes
from sojourn.expressions.errors import EvaluationError, ExhaustedError, Finding, Path
from sojourn.expressions.evaluator import compile_node, needs_meter
from sojourn.expressions.limits import METER, Meter
from sojourn.expressions.parser import parse
from sojourn.expressions.types import Type
from sojourn.expressions.values import TYPES

_EXHAUSTED = "the expression does too much work on this data; shorten the lists, or nest fewer macros"

CACHED = 8192
"""Texts whose compiled expressions a process keeps."""


class Expression:
    """An expression that compiled. It holds no state, and may be evaluated in several threads at once.

    Make one with `compile`.

    Attributes:
        source: The text.
        paths: The places in the data that it refers to, in the order of the text: `("event", "cartId")`. Variables
            that a macro introduces are not among them.
    """

    __slots__ = ("_metered", "_run", "_tree", "paths", "source")

    def __init__(self, source: str) -> None:
        self.source = source
        self._tree = parse(source)
        self._run = compile_node(self._tree)
        self._metered = needs_meter(self._tree)
        self.paths: tuple[Path, ...] = tuple(dict.fromkeys(_paths(self._tree, frozenset())))

    def __repr__(self) -> str:
        return f"compile({self.source!r})"

    def evaluate(self, variables: Mapping[str, Any]) -> Any:
        """Return the value on the given data.

        The same variables give the same value, always. The data is read where it is and never changed; the result
        may share parts with it.

        Args:
            variables: The data by name. Values are None, bool, int, float, str, lists and dicts of these, aware
                datetimes and timedeltas. Functions that ask about the present need `now`.

        Raises:
            EvaluationError: The expression cannot be evaluated on this data.
        """
        try:
            if self._metered:
                env = dict(variables)
                env[METER] = Meter()
                return self._run(env)
            return self._run(variables)
        except EvaluationError as error:
            error.expression = self.source
            raise
        except ExhaustedError as error:
            raise EvaluationError(_EXHAUSTED, self.source, error.position) from None

    def check(self, scope: Mapping[str, Type], expected: Type | None = None) -> list[Finding]:
        """Return what cannot work on data as described, in the order of the text.

        Args:
            scope: What each variable is. Names that are not in it do not exist.
            expected: What the value must be able to be, such as `BOOL` for a condition.
        """
        return checker.check(self.source, self._tree, scope, expected)

    def type(self, scope: Mapping[str, Type]) -> Type:
        """Return what is known of the value on data as described."""
        return checker.infer(self.source, self._tree, scope)


@functools.lru_cache(maxsize=CACHED)
def compile(text: str) -> Expression:  # noqa: A001 - the name of the contract; it reads well as expressions.compile
    """Return the expression that a text says; for the same text the same object.

    Raises:
        ExpressionError: The text is not an expression.
    """
    return Expression(text)


def _paths(node: nodes.Node, bound: frozenset[str]) -> Iterator[Path]:
    """Yield the paths that a tree refers to."""
    path = nodes.path_of(node)
    if path is not None:
        if path[0] not in bound and not (len(path) == 1 and path[0] in TYPES):
            yield path
        return
    if isinstance(node, nodes.Has):
        whole = nodes.path_of(node.operand)
        if whole is not None:
            if whole[0] not in bound:
                yield (*whole, node.name)
            return
    if isinstance(node, nodes.Macro):
        yield from _paths(node.range, bound)
        bound = bound | set(node.variables)
        children = [child for child in (node.condition, node.result) if child is not None]
    else:
        children = list(node.children())
    for child in children:
        yield from _paths(child, bound)
