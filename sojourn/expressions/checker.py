"""Checking before running: names, fields and types, as far as they are known.

Only what cannot work on any data as described is found. Where a value may fit, it is left to the evaluation.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from sojourn.expressions import nodes, operands, types, values
from sojourn.expressions.call_checks import check_call
from sojourn.expressions.errors import Finding, line_and_column, nearest, write_path
from sojourn.expressions.types import ANY, BOOL, INT, STRING, Type, field_of, item_of, list_of, map_of, union


def check(
    source: str, tree: nodes.Node, scope: Mapping[str, Type], expected: Type | None = None
) -> list[Finding]:
    """Return what cannot work. See `Expression.check`."""
    checker = Checker(source, scope)
    found = checker.visit(tree)
    if expected is not None and not operands.fits(found, expected):
        checker.report(
            tree,
            f"{expected} is needed here, and {checker.describe(tree, found)}",
            operands.hint(found, expected),
        )
    return sorted(checker.findings, key=lambda finding: finding.position)


def infer(source: str, tree: nodes.Node, scope: Mapping[str, Type]) -> Type:
    """Return the type of a tree. See `Expression.type`."""
    return Checker(source, scope).visit(tree)


class Checker:
    """Walks through one tree.

    Args:
        source: The text of the expression.
        scope: What each variable is.
    """

    def __init__(self, source: str, scope: Mapping[str, Type]) -> None:
        self.source = source
        self.scope = dict(scope)
        self.findings: list[Finding] = []

    def report(
        self, node: nodes.Node, message: str, hint: str | None = None, *, unknown: bool = False
    ) -> None:
        """Add a finding at the place of a node."""
        line, column = line_and_column(self.source, node.position)
        finding = Finding(node.position, line, column, message, hint, unknown)
        if finding not in self.findings:
            self.findings.append(finding)

    def describe(self, node: nodes.Node, type_: Type) -> str:
        """Return a clause that says what a node is."""
        path = nodes.path_of(node)
        if path is not None:
            return f"`{write_path(path)}` is {type_}"
        return f"the constant is {type_}" if isinstance(node, nodes.Literal) else f"this is {type_}"

    def visit(self, node: nodes.Node) -> Type:
        """Return the type of a node, after checking it and all below it."""
        return _VISITORS[type(node)](self, node)

    # Names and fields

    def _literal(self, node: nodes.Literal) -> Type:
        return types.kind(values.kind_of(node.value))

    def _name(self, node: nodes.Name) -> Type:
        type_ = self.scope.get(node.name)
        if type_ is not None:
            return type_
        if node.name in values.TYPES:
            return types.TYPE
        close = nearest(node.name, self.scope)
        known = ", ".join(sorted(self.scope))
        hint = f"did you mean `{close}`?" if close else f"known are: {known}" if known else None
        self.report(node, f"`{node.name}` is not known here", hint, unknown=True)
        return ANY

    def _select(self, node: nodes.Select | nodes.Has) -> Type:
        found = self._field(node, node.operand, self.visit(node.operand), node.name)
        return BOOL if isinstance(node, nodes.Has) else found

    def _field(self, node: nodes.Node, operand: nodes.Node, type_: Type, name: str) -> Type:
        """Return the type of a field, after checking that there can be one."""
        if not type_.may_be(["map"]):
            self.report(
                node,
                f"{self.describe(operand, type_)}, which has no fields",
                _field_hint(type_, name),
                unknown=True,
            )
            return ANY
        found = field_of(type_, name)
        if found is not None:
            return found
        fields = list(type_.fields or {})
        close = nearest(name, fields)
        path = nodes.path_of(operand)
        owner = f"`{write_path(path)}` has" if path else "the value here has"
        some = ", ".join(sorted(fields)[:8]) + (", ..." if len(fields) > 8 else "")
        hint = f"did you mean `{close}`?" if close else f"it has: {some}" if fields else None
        self.report(node, f"{owner} no field `{name}`", hint, unknown=True)
        return ANY

    def _index(self, node: nodes.Index) -> Type:
        type_, key = self.visit(node.operand), self.visit(node.index)
        constant = nodes.constant_path_part(node.index)
        if not type_.may_be(["list", "map"]):
            self.report(node, f"{self.describe(node.operand, type_)}, which has no items")
            return ANY
        if not type_.may_be(["list"]) or (type_.fields is not None and isinstance(constant, str)):
            if isinstance(constant, str):
                return self._field(node.index, node.operand, type_, constant)
            if not key.may_be(["string", "int", "double", "bool"]):
                self.report(node.index, f"the key of a map cannot be {key}")
            return ANY
        if not type_.may_be(["map"]):
            if not key.may_be(["int", "double"]):
                self.report(
                    node.index, f"the index of a list must be a number, and {self.describe(node.index, key)}"
                )
            return item_of(type_)
        return ANY

    def _default(self, node: nodes.Default) -> Type:
        value, fallback = self.visit(node.value), self.visit(node.fallback)
        if not value.known:
            return ANY
        kinds = value.kinds - {"null"}
        return union(Type(kinds, value.item, value.fields, value.rest), fallback) if kinds else fallback

    # Lists, maps, macros

    def _list(self, node: nodes.ListNode) -> Type:
        items = [self.visit(item) for item in node.items]
        return list_of(union(*items)) if items else types.LIST

    def _map(self, node: nodes.MapNode) -> Type:
        fields: dict[str, Type] = {}
        complete = True
        for key, value in node.entries:
            self.visit(key)
            type_ = self.visit(value)
            if isinstance(key, nodes.Literal) and isinstance(key.value, str):
                fields[key.value] = type_
            else:
                complete = False
        return map_of(fields) if complete else types.MAP

    def _macro(self, node: nodes.Macro) -> Type:
        range_ = self.visit(node.range)
        if not range_.may_be(["list", "map"]):
            self.report(node, f"{node.kind} walks a list or a map, and {self.describe(node.range, range_)}")
            range_ = ANY
        outer = self.scope
        self.scope = {**outer, **_bound(node, range_)}
        if node.condition is not None:
            self._condition(node.condition, f"the condition of {node.kind}")
        result = self.visit(node.result) if node.result is not None else ANY
        self.scope = outer
        if node.kind in ("all", "exists", "exists_one"):
            return BOOL
        if node.kind == "transformMap":
            return map_of({}, result)
        if node.kind in ("map", "transformList"):
            return list_of(result)
        return list_of(STRING) if not range_.may_be(["list"]) else list_of(item_of(range_))

    # Operators

    def _condition(self, node: nodes.Node, what: str) -> None:
        """Check that a node can be a bool."""
        type_ = self.visit(node)
        if not type_.may_be(["bool"]):
            self.report(
                node, f"{what} must be a bool, and {self.describe(node, type_)}", operands.hint(type_, BOOL)
            )

    def _unary(self, node: nodes.Unary) -> Type:
        if node.operator == "!":
            self._condition(node.operand, "what stands after `!`")
            return BOOL
        type_ = self.visit(node.operand)
        kinds = type_.kinds & {"int", "double"}
        if not kinds:
            self.report(node, f"`-` needs a number, and {self.describe(node.operand, type_)}")
            return ANY
        return Type(kinds)

    def _relation(self, node: nodes.Relation) -> Type:
        left, right = self.visit(node.left), self.visit(node.right)
        problem = operands.relation_problem(node.operator, left, right, _constants(node))
        if problem is not None:
            message, hint = problem
            hint = _without_quotes(node) or hint
            self.report(
                node, f"{message}: {self.describe(node.left, left)}, {self.describe(node.right, right)}", hint
            )
        return BOOL

    def _chain(self, node: nodes.Chain) -> Type:
        result = self.visit(node.first)
        previous: nodes.Node = node.first
        for sign, position, operand in node.rest:
            other = self.visit(operand)
            combined = operands.arithmetic(sign, result, other)
            if combined is None:
                place = nodes.Literal(position, None)
                clauses = f"{self.describe(previous, result)}, {self.describe(operand, other)}"
                self.report(
                    place, f"`{sign}` does not fit: {clauses}", operands.arithmetic_hint(sign, result, other)
                )
                combined = ANY
            result, previous = combined, node
        return result

    def _logic(self, node: nodes.Logic) -> Type:
        for operand in node.operands:
            self._condition(operand, f"what `{node.operator}` joins")
        return BOOL

    def _ternary(self, node: nodes.Ternary) -> Type:
        self._condition(node.condition, "the condition before `?`")
        return union(self.visit(node.yes), self.visit(node.no))

    def _call(self, node: nodes.Call) -> Type:
        return check_call(self, node)


def _constants(node: nodes.Relation) -> bool:
    """Whether either side of a relation is the constant null, which a guard may well be compared with."""
    return any(isinstance(side, nodes.Literal) and side.value is None for side in (node.left, node.right))


def _without_quotes(node: nodes.Relation) -> str | None:
    """Return what to write instead of a number in quotes, None if there is none."""
    for side in (node.left, node.right):
        if isinstance(side, nodes.Literal) and isinstance(side.value, str):
            number = re.fullmatch(r"-?[0-9]{1,15}(\.[0-9]{1,15})?", side.value, re.ASCII)
            if number is not None:
                return f"write {number.group()}, without quotes"
    return None


def _field_hint(type_: Type, name: str) -> str | None:
    """Return what to write instead of a field of something that has none."""
    if type_.kinds <= {"list", "null"}:
        return f"take an item, `[0].{name}`, or walk the list with a macro such as map(x, x.{name})"
    return None


def _bound(node: nodes.Macro, range_: Type) -> dict[str, Type]:
    """Return what the variables of a macro are."""
    may_list, may_map = range_.may_be(["list"]), range_.may_be(["map"])
    if may_list and may_map:
        return dict.fromkeys(node.variables, ANY)
    if may_list:
        item = item_of(range_)
        return (
            {node.variables[0]: item}
            if len(node.variables) == 1
            else dict(zip(node.variables, (INT, item), strict=True))
        )
    value = ANY
    if range_.fields is not None:
        inner = [*range_.fields.values(), *([range_.rest] if range_.rest else [])]
        value = union(*inner) if inner else ANY
    key = STRING if range_.fields is not None else ANY
    return (
        {node.variables[0]: key}
        if len(node.variables) == 1
        else dict(zip(node.variables, (key, value), strict=True))
    )


_VISITORS: dict[type[nodes.Node], Callable[[Checker, Any], Type]] = {
    nodes.Literal: Checker._literal,
    nodes.Name: Checker._name,
    nodes.Select: Checker._select,
    nodes.Has: Checker._select,
    nodes.Index: Checker._index,
    nodes.Default: Checker._default,
    nodes.ListNode: Checker._list,
    nodes.MapNode: Checker._map,
    nodes.Macro: Checker._macro,
    nodes.Unary: Checker._unary,
    nodes.Relation: Checker._relation,
    nodes.Chain: Checker._chain,
    nodes.Logic: Checker._logic,
    nodes.Ternary: Checker._ternary,
    nodes.Call: Checker._call,
}
