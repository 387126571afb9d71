"""The syntax tree of an expression.

Every node knows its place in the source (`position`, the index of the character that a caret should point at)
and the depth of the tree below it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Node:
    """Any node.

    Attributes:
        position: Where the node is in the source.
        depth: Nodes inside each other, this one included.
    """

    position: int
    depth: int = field(init=False, default=1)

    def __post_init__(self) -> None:
        self.depth = 1 + max((child.depth for child in self.children()), default=0)

    def children(self) -> Iterator[Node]:
        """Yield the nodes directly below, in the order of the source."""
        return self._children()

    def _children(self) -> Iterator[Node]:
        return iter(())


@dataclass(slots=True)
class Literal(Node):
    """A constant: null, bool, int, double or string."""

    value: bool | int | float | str | None


@dataclass(slots=True)
class Name(Node):
    """A variable, or the name of a type."""

    name: str


@dataclass(slots=True)
class Select(Node):
    """`operand.field`."""

    operand: Node
    name: str

    def _children(self) -> Iterator[Node]:
        yield self.operand


@dataclass(slots=True)
class Index(Node):
    """`operand[index]`."""

    operand: Node
    index: Node

    def _children(self) -> Iterator[Node]:
        yield self.operand
        yield self.index


@dataclass(slots=True)
class Has(Node):
    """`has(operand.field)`."""

    operand: Node
    name: str

    def _children(self) -> Iterator[Node]:
        yield self.operand


@dataclass(slots=True)
class ListNode(Node):
    """`[a, b]`."""

    items: list[Node]

    def _children(self) -> Iterator[Node]:
        yield from self.items


@dataclass(slots=True)
class MapNode(Node):
    """`{a: b}`."""

    entries: list[tuple[Node, Node]]

    def _children(self) -> Iterator[Node]:
        for key, value in self.entries:
            yield key
            yield value


@dataclass(slots=True)
class Unary(Node):
    """`!a` or `-a`."""

    operator: str
    operand: Node

    def _children(self) -> Iterator[Node]:
        yield self.operand


@dataclass(slots=True)
class Relation(Node):
    """`a < b` and its like: `< <= > >= == != in`."""

    operator: str
    left: Node
    right: Node

    def _children(self) -> Iterator[Node]:
        yield self.left
        yield self.right


@dataclass(slots=True)
class Chain(Node):
    """`a + b - c`, or `a * b / c`: operators of one rank, from left to right, in one node.

    One node and not a nest of them, so that a long sum does not need a deep stack.
    """

    first: Node
    rest: list[tuple[str, int, Node]]

    def _children(self) -> Iterator[Node]:
        yield self.first
        for _, _, operand in self.rest:
            yield operand


@dataclass(slots=True)
class Logic(Node):
    """`a && b && c`, or `a || b || c`."""

    operator: str
    operands: list[Node]

    def _children(self) -> Iterator[Node]:
        yield from self.operands


@dataclass(slots=True)
class Ternary(Node):
    """`condition ? yes : no`."""

    condition: Node
    yes: Node
    no: Node

    def _children(self) -> Iterator[Node]:
        yield self.condition
        yield self.yes
        yield self.no


@dataclass(slots=True)
class Call(Node):
    """A function of the library: `f(a, b)`, `a.f(b)` or `math.f(a)`.

    Attributes:
        name: The function's name, with its namespace: `size`, `math.abs`.
        arguments: The arguments; of a method call the receiver is the first.
        method: Written as `a.f(b)`.
    """

    name: str
    arguments: list[Node]
    method: bool = False

    def _children(self) -> Iterator[Node]:
        yield from self.arguments


@dataclass(slots=True)
class Default(Node):
    """`default(value, fallback)`."""

    value: Node
    fallback: Node

    def _children(self) -> Iterator[Node]:
        yield self.value
        yield self.fallback


@dataclass(slots=True)
class Macro(Node):
    """A macro that walks a list or a map: `range.kind(variables, body...)`.

    Attributes:
        kind: `all`, `exists`, `exists_one`, `filter`, `map`, `transformList`, `transformMap`, `sortBy`, `distinctBy`.
        range: What is walked.
        variables: One name (the item of a list, the key of a map) or two (index and item, key and value).
        condition: What must hold for an item, or None.
        result: What becomes of an item, or None.
    """

    kind: str
    range: Node
    variables: tuple[str, ...]
    condition: Node | None
    result: Node | None

    def _children(self) -> Iterator[Node]:
        yield self.range
        if self.condition is not None:
            yield self.condition
        if self.result is not None:
            yield self.result


def size(node: Node) -> int:
    """Return the number of nodes of a tree."""
    total, waiting = 0, [node]
    while waiting:
        current = waiting.pop()
        total += 1
        waiting.extend(current.children())
    return total


def constant_path_part(node: Node) -> Any:
    """Return the key if `node` is a constant that can be a part of a path, or None."""
    if isinstance(node, Literal) and type(node.value) in (str, int):
        return node.value
    return None


def path_of(node: Node) -> tuple[str | int, ...] | None:
    """Return the path that a node spells, such as `("event", "items", 0)`, or None if it is something else."""
    parts: list[str | int] = []
    while True:
        if isinstance(node, Select):
            parts.append(node.name)
            node = node.operand
        elif isinstance(node, Index):
            key = constant_path_part(node.index)
            if key is None:
                return None
            parts.append(key)
            node = node.operand
        elif isinstance(node, Name):
            return (node.name, *reversed(parts))
        else:
            return None
