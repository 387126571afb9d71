"""The source code of a function as a syntax tree: its texts, its calls, and its first step."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator
from functools import lru_cache
from types import CodeType, FunctionType
from typing import Any

from sojourn.definitions.steps import KINDS

_STEPS = {"sleep": "sleep", "sleep_until": "sleep_until", "within": "within"} | {
    model.in_python: kind for kind, model in KINDS.items() if model.in_python
}
# Functions that do a step, and the name of the step if `journey.step` gives none.

_LIBRARIES = frozenset({"sojourn", "temporalio", "pydantic", "builtins"})


def codes(code: CodeType) -> Iterator[CodeType]:
    """Yield a function's code, and that of the functions written inside it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from codes(constant)


@lru_cache(maxsize=256)
def texts_in(function: FunctionType) -> frozenset[str]:
    """Return the literal texts in a function's code, without those that are computed."""
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
    """Return the value of an expression that names a global or an attribute of one; None for others."""
    if isinstance(node, ast.Name):
        closed = inspect.getclosurevars(function).nonlocals if function.__closure__ else {}
        return closed.get(node.id, function.__globals__.get(node.id))
    if isinstance(node, ast.Attribute):
        return getattr(value_of(node.value, function), node.attr, None)
    return None


def is_near(thing: Any) -> bool:
    """Say whether a class or function is an author's own, not a library's."""
    return str(getattr(thing, "__module__", "")).partition(".")[0] not in _LIBRARIES


@lru_cache(maxsize=256)
def only_called(function: FunctionType) -> frozenset[str]:
    """Return the names that a function's source has nowhere but in calls of them: `Paid(amount=1)` only makes one."""
    tree = _parsed(function)
    if tree is None:
        return frozenset()
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    mentioned: dict[str, bool] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute):
            name = node.id if isinstance(node, ast.Name) else node.attr
            mentioned[name] = mentioned.get(name, True) and id(node) in called
    return frozenset(name for name, always in mentioned.items() if always)


def first_step(body: type, function: Callable[..., Any], name_of: Callable[[Any], str | None]) -> str | None:
    """Return the step with which a journey's method begins, as far as its source shows.

    Operators see it until the instance waits for the first time. It saves that wait a history event; if the first wait
    is at another step, the instance sets that one then.

    Args:
        body: The class of the journey.
        function: The method.
        name_of: Gives the name of an event class, or of a decorated function.
    """
    plain = inspect.unwrap(function)
    if not isinstance(plain, FunctionType):
        return None
    try:
        return _Search(body, name_of).within(plain)
    except _Elsewhere:
        return None


class _Elsewhere(Exception):
    """What the first step is, the source does not show."""


class _Search:
    """Looks for the first step of a journey, also in the author's functions that are called before it."""

    def __init__(self, body: type, name_of: Callable[[Any], str | None]) -> None:
        self._body = body
        self._name_of = name_of
        self._seen: set[FunctionType] = set()

    def within(self, function: FunctionType) -> str | None:
        """Return the first step in a function; None if there is none."""
        if function in self._seen:
            return None
        self._seen.add(function)
        tree = _parsed(function)
        if tree is None:
            raise _Elsewhere
        return self._first(tree, function)

    def _first(self, node: ast.AST, function: FunctionType) -> str | None:
        if isinstance(node, ast.With | ast.AsyncWith):
            for item in node.items:
                call = item.context_expr
                if isinstance(call, ast.Call) and _called(call) == "step":
                    return _known(_text(call.args[0]) if call.args else None)
        if isinstance(node, ast.Call):
            if (kind := _STEPS.get(_called(node))) is not None:
                return self._step(kind, node, function)
            own = self._own(node.func, function)
            if own is not None and (found := self.within(own)) is not None:
                return found
        elif isinstance(node, ast.Await) and not self._is_followed(node.value, function):
            raise _Elsewhere
        for child in ast.iter_child_nodes(node):
            if (found := self._first(child, function)) is not None:
                return found
        return None

    def _step(self, kind: str, call: ast.Call, function: FunctionType) -> str:
        if kind not in ("wait_for", "fetch", "action", "jump"):
            return kind
        target = call.args[0] if call.args else None
        if isinstance(target, ast.Call) and target.args:
            target = target.args[0]  # journey.on(…)
        named = None if target is None else _text(target) or self._name_of(value_of(target, function))
        return f"{kind}-{_known(named)}"

    def _is_followed(self, node: ast.expr, function: FunctionType) -> bool:
        """Return whether it is known what an `await` does."""
        return isinstance(node, ast.Call) and (
            _called(node) in _STEPS
            or _called(node) == "profile"
            or self._own(node.func, function) is not None
        )

    def _own(self, called: ast.expr, function: FunctionType) -> FunctionType | None:
        """Return the function of the author's own that is called."""
        itself = function.__code__.co_varnames[:1]
        if (
            isinstance(called, ast.Attribute)
            and isinstance(called.value, ast.Name)
            and (called.value.id,) == itself
        ):
            found = inspect.getattr_static(self._body, called.attr, None)
        else:
            found = value_of(called, function)
        found = inspect.unwrap(getattr(found, "__func__", found)) if callable(found) else None
        return found if isinstance(found, FunctionType) and is_near(found) else None


def _known(name: str | None) -> str:
    if name is None:
        raise _Elsewhere
    return name


def _text(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _parsed(function: FunctionType) -> ast.AST | None:
    code = getattr(inspect.unwrap(function), "__code__", None)
    return None if code is None else _tree_of(code)


# By code object, which is equal after a new import: Temporal's sandbox imports the module for every instance.
@lru_cache(maxsize=1024)
def _tree_of(code: CodeType) -> ast.AST | None:
    try:
        return ast.parse(textwrap.dedent(inspect.getsource(code)))
    except (OSError, SyntaxError, TypeError):
        return None
