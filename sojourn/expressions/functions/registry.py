"""The registry of functions: what each takes, gives and is for.

A function is a Python function under a decorator with its signature:

    @function("indexOf(string, string, int?) -> int", "…", ("'abc'.indexOf('c')", "2"))
    def index_of(text: str, part: str, start: int = 0) -> int: ...
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from sojourn.expressions import macros, nodes
from sojourn.expressions.errors import WrongCall, nearest
from sojourn.expressions.types import ANY, KINDS, NUMBER, Type, kind, list_of

_PYTHON: Final[dict[str, type]] = {
    "null": type(None), "bool": bool, "int": int, "double": float, "string": str, "list": list, "map": dict,
    "timestamp": datetime, "duration": timedelta,
}  # fmt: skip

Work = Literal["size", "walk", "scan"]

Result = Type | Callable[[Sequence[Type]], Type]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a function.

    Attributes:
        text: How the signature writes it.
        type: What it takes.
        python: The Python types that it takes without a second look; None if it takes all.
    """

    text: str
    type: Type
    python: frozenset[Any] | None

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of values that it takes."""
        return self.type.kinds


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the library.

    Attributes:
        name: Its name, with its namespace: `size`, `math.abs`.
        group: The topic that it belongs to.
        parameters: Its parameters; the last one again and again if it is `variadic`.
        required: How many arguments it needs at least.
        variadic: Whether it takes any number of arguments.
        result: What it gives; or a function that says so from the types of the arguments.
        result_text: How the signature writes that.
        call: What does it.
        summary: What it does, in a sentence.
        examples: Pairs of an expression and one that is equal to it.
        method: Whether it may also be written after its first argument: `x.f(y)`.
        now: Whether the variable `now` is given to it, as a last argument.
        work: What its work grows with: the `size` of its arguments, all that they hold (`walk`), or each character
            (`scan`).
    """

    name: str
    group: str
    parameters: tuple[Parameter, ...]
    required: int
    variadic: bool
    result: Result
    result_text: str
    call: Callable[..., Any]
    summary: str
    examples: tuple[tuple[str, str], ...]
    method: bool
    now: bool
    work: Work

    @property
    def signature(self) -> str:
        """How the function is written: `indexOf(string, string, int?) -> int`."""
        return f"{self.name}({', '.join(p.text for p in self.parameters)}) -> {self.result_text}"

    def parameter(self, index: int) -> Parameter:
        """Return the parameter that takes an argument, counted from 0."""
        return self.parameters[min(index, len(self.parameters) - 1)]

    def result_of(self, arguments: Sequence[Type]) -> Type:
        """Return what the function gives for arguments of these types."""
        return self.result if isinstance(self.result, Type) else self.result(arguments)


FUNCTIONS: Final[dict[str, Function]] = {}
"""The library: all functions by name."""

_SIGNATURE = re.compile(r"([\w.]+)\((.*)\) -> (.+)")


def _read_type(text: str) -> Type:
    """Read a type of a signature: `string | list`, `number`, `list<string>`, `any`."""
    kinds: set[str] = set()
    item: Type | None = None
    for part in text.split(" | "):
        if part == "any":
            return ANY
        if part.startswith("list<"):
            kinds.add("list")
            item = _read_type(part[5:-1])
        else:
            kinds |= NUMBER.kinds if part == "number" else {part}
    assert kinds <= set(KINDS), text
    return Type(frozenset(kinds), item)


def _read_parameter(text: str) -> Parameter:
    """Read a parameter of a signature: a type, with `?` if it may be left out, `...` if it repeats."""
    type_ = _read_type(text.rstrip("?."))
    python = frozenset(_PYTHON[name] for name in type_.kinds if name in _PYTHON) if type_.known else None
    return Parameter(text, type_, python)


def function(
    signature: str,
    summary: str,
    *examples: tuple[str, str],
    group: str,
    result: Result | None = None,
    method: bool = True,
    now: bool = False,
    work: Work = "size",
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return a decorator that puts a function into the library. For the parameters see `Function`."""
    match = _SIGNATURE.fullmatch(signature)
    assert match, signature
    name, inside, result_text = match.groups()
    parameters = tuple(_read_parameter(part) for part in inside.split(", ")) if inside else ()
    variadic = inside.endswith("...")
    required = sum(not p.text.endswith("?") for p in parameters)
    namespaced = "." in name

    def register(call: Callable[..., Any]) -> Callable[..., Any]:
        assert name not in FUNCTIONS, name
        FUNCTIONS[name] = Function(
            name, group, parameters, required, variadic, result or _read_type(result_text), result_text, call,
            summary, examples, method and not namespaced and bool(parameters), now, work,
        )  # fmt: skip
        return call

    return register


def item_result(arguments: Sequence[Type]) -> Type:
    """Say that a function gives an item of its first argument."""
    return arguments[0].item or ANY


def same_result(arguments: Sequence[Type]) -> Type:
    """Say that a function gives a list like its first argument."""
    return list_of(arguments[0].item) if arguments[0].item else kind("list")


def is_namespace(name: str) -> bool:
    """Whether `name.f(...)` calls a function of a namespace."""
    return any(known.startswith(f"{name}.") for known in FUNCTIONS)


def resolve(name: str, position: int, receiver: nodes.Node | None, arguments: list[nodes.Node]) -> nodes.Node:
    """Return the node that calls a function.

    Raises:
        WrongCall: There is no such function, or not with so many arguments, or not written like this.
    """
    found = FUNCTIONS.get(name)
    if found is None:
        raise WrongCall(_unknown(name, method=receiver is not None), position)
    if receiver is not None:
        if not found.method:
            raise WrongCall(f"{name} stands before its arguments: write `{name}(...)`", position)
        arguments = [receiver, *arguments]
    count = len(arguments)
    if count < found.required or (count > len(found.parameters) and not found.variadic):
        raise WrongCall(f"{name} takes {_counts(found)}, not {count}: it is {found.signature}", position)
    if found.now:
        arguments = [*arguments, nodes.Name(position, "now")]
    return nodes.Call(position, name, arguments, receiver is not None)


def _unknown(name: str, *, method: bool) -> str:
    """Return what to say of a function that does not exist."""
    instead = _OTHERWISE.get(name)
    if instead is not None:
        return f"there is no function {name}; {instead}"
    names = [*FUNCTIONS, *macros.METHODS, "has", "default"]
    close = next((n for n in names if n.partition(".")[2] == name), None) or nearest(name, names)
    what = "function or macro" if method else "function"
    return f"there is no {what} {name}" + (f"; did you mean {close}?" if close else "")


def _counts(found: Function) -> str:
    """Return how many arguments a function takes, in words."""
    most = len(found.parameters)
    if found.variadic:
        return f"at least {found.required} argument" + ("s" if found.required != 1 else "")
    if most == found.required:
        return f"{most} argument" + ("s" if most != 1 else "")
    return f"{found.required} to {most} arguments"


_OTHERWISE = {
    "now": "`now` is a variable: write it without brackets",
    "random": "an expression gives the same result each time; use a `split` step with `by: random`",
    "uuid": "an expression gives the same result each time; use `journey.instance`, or the id of the event",
    "uint": "unsigned numbers are not a type here; use int",
    "bytes": "bytes are not a type here; use a string",
    "length": "write `size(x)`",
    "count": "write `size(x)`, or `size(nonNull(x))` to leave nulls out",
    "len": "write `size(x)`",
    "concat": 'write `a + b`, or `list.join("")`',
    "if": "write `condition ? yes : no`",
    "coalesce": "write `default(x, other)`",
}
