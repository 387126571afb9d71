"""From the syntax tree to closures: one Python function for each node, made once, called at each evaluation.

Closures and not a walk over the tree, because a walk asks at every evaluation what a node is; and not generated
Python, because then the safety of the language would rest on quoting.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sojourn.expressions import arithmetic, calls, comparison, logic, navigation, nodes, walking
from sojourn.expressions.navigation import Code

METERLESS_SIZE = 64
"""Trees up to this size that build nothing are evaluated without a meter: nothing in them can be dear."""

_METERED = (nodes.Call, nodes.Chain, nodes.Macro)


def compile_node(node: nodes.Node) -> Code:
    """Return what evaluates a tree: a function from the variables to the value.

    The variables must be a dict with a meter in it (`limits.METER`) if `needs_meter` says so of the tree.
    """
    return _COMPILERS[type(node)](node)


def needs_meter(tree: nodes.Node) -> bool:
    """Whether a tree can do work or build values enough that an evaluation must count."""
    if nodes.size(tree) > METERLESS_SIZE:
        return True
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, _METERED):
            return True
        waiting.extend(node.children())
    return False


def _literal(node: Any) -> Code:
    value = node.value
    return lambda env: value


_COMPILERS: dict[type[nodes.Node], Callable[[Any], Code]] = {
    nodes.Literal: _literal,
    nodes.Name: navigation.variable,
    nodes.Select: lambda node: navigation.select(node, compile_node),
    nodes.Index: lambda node: navigation.select(node, compile_node),
    nodes.Has: lambda node: navigation.has(node, compile_node),
    nodes.Default: lambda node: navigation.default(node, compile_node),
    nodes.ListNode: lambda node: walking.list_(node, compile_node),
    nodes.MapNode: lambda node: walking.map_(node, compile_node),
    nodes.Unary: lambda node: (logic.inversion if node.operator == "!" else arithmetic.negation)(
        node, compile_node
    ),
    nodes.Relation: lambda node: comparison.relation(node, compile_node),
    nodes.Chain: lambda node: arithmetic.chain(node, compile_node),
    nodes.Logic: lambda node: logic.logic(node, compile_node),
    nodes.Ternary: lambda node: logic.ternary(node, compile_node),
    nodes.Call: lambda node: calls.call(node, compile_node),
    nodes.Macro: lambda node: walking.walk(node, compile_node),
}
