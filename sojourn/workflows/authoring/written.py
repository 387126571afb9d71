"""What a function's source says: texts that it writes, calls that it makes, the step with which it begins."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator
from functools import lru_cache
from types import CodeType, FunctionType
from typing import Any

_STEPS = {
    "wait_for": "wait_for",
    "sleep": "sleep",
    "sleep_until": "sleep_until",
    "fetch": "fetch",
    "act": "action",
    "jump": "jump",
    "split": "split",
    "within": "within",
    "update_profile": "update_profile",
}


def codes(code: CodeType) -> Iterator[CodeType]:
    """Yield a function's code, and that of the functions written inside it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from codes(constant)


@lru_cache(maxsize=256)
def texts_in(function: FunctionType) -> frozenset[str]:
    """Return the texts that stand in a function's code as they are; one that is computed is none of them."""
    return frozenset(
        text for code in codes(function.__code__) for text in code.co_consts if isinstance(text, str)
    )


def calls_of(function: FunctionType) -> list[tuple[str, ast.Call]]:
    """Return the calls that a function makes by a plain name or as an attribute: that name, and the call."""
    tree = _parsed(function)
    if tree is None:
        return []
    return [(_called(node), node) for node in ast.walk(tree) if isinstance(node, ast.Call)]


def value_of(node: ast.expr, function: FunctionType) -> Any:
    """Return what an expression names, a global or an attribute of one; nothing where it is something else."""
    if isinstance(node, ast.Name):
        closed = inspect.getclosurevars(function).nonlocals if function.__closure__ else {}
        return closed.get(node.id, function.__globals__.get(node.id))
    if isinstance(node, ast.Attribute):
        return getattr(value_of(node.value, function), node.attr, None)
    return None


def first_step(function: Callable[..., Any], name_of: Callable[[Any], str | None]) -> str | None:
    """Return the step with which a journey's method begins, as far as its source shows.

    It only spares the first wait a history event: where it is another step, the instance says so when it is there.

    Args:
        function: The method.
        name_of: Gives the name of an event class, or of a decorated function.
    """
    plain = inspect.unwrap(function)
    tree = _parsed(plain) if isinstance(plain, FunctionType) else None
    try:
        return None if tree is None else _first(tree, plain, name_of)
    except _Elsewhere:
        return None


class _Elsewhere(Exception):
    """The first step is in a function that is called."""


def _first(node: ast.AST, function: Any, name_of: Callable[[Any], str | None]) -> str | None:
    if isinstance(node, ast.With):
        for item in node.items:
            call = item.context_expr
            if isinstance(call, ast.Call) and _called(call) == "step":
                return _text(call.args[0]) if call.args else None
    if isinstance(node, ast.Call) and (kind := _STEPS.get(_called(node))) is not None:
        if kind not in ("wait_for", "fetch", "action", "jump"):
            return kind
        target = node.args[0] if node.args else None
        if isinstance(target, ast.Call) and target.args:
            target = target.args[0]  # journey.on(…)
        named = None if target is None else _text(target) or name_of(value_of(target, function))
        return None if named is None else f"{kind}-{named}"
    if isinstance(node, ast.Await) and isinstance(node.value, ast.Call) and _called(node.value) not in _STEPS:
        raise _Elsewhere
    for child in ast.iter_child_nodes(node):
        if (found := _first(child, function, name_of)) is not None:
            return found
    return None


def _text(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


@lru_cache(maxsize=256)
def _parsed(function: FunctionType) -> ast.AST | None:
    try:
        return ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, SyntaxError, TypeError):
        return None
