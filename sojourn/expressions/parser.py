"""From tokens to the syntax tree: CEL's grammar, by recursive descent.

Chains of operators and of `? :` are read in loops, so that only brackets nest the stack.
"""

from __future__ import annotations

from typing import TypeVar

from sojourn.expressions import macros, nodes
from sojourn.expressions.errors import ExpressionError
from sojourn.expressions.functions import registry
from sojourn.expressions.lexer import RESERVED, Token, tokenize
from sojourn.expressions.limits import MAX_DEPTH, MAX_NESTING
from sojourn.expressions.literals import INT_MAX
from sojourn.expressions.values import TYPES

_RELATIONS = frozenset(["<", "<=", ">", ">=", "==", "!=", "in"])
_SUMS = frozenset(["+", "-"])
_PRODUCTS = frozenset(["*", "/", "%"])
_INSTEAD = {
    "and": "write `&&` for and",
    "or": "write `||` for or",
    "not": "write `!` for not",
    "is": "write `== null`, or `type(x) == int`",
    "then": "write `condition ? yes : no`",
    "if": "write `condition ? yes : no`",
    "else": "write `condition ? yes : no`",
}

_N = TypeVar("_N", bound=nodes.Node)


def parse(source: str) -> nodes.Node:
    """Return the syntax tree of an expression.

    Raises:
        ExpressionError: The text is not an expression, calls a function that does not exist or with a wrong number
            of arguments, or is too long or nested too deeply.
    """
    return _Parser(source).whole()


class _Parser:
    """Reads one expression."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.tokens = tokenize(source)
        self.index = 0
        self.nesting = 0

    # Reading tokens

    @property
    def token(self) -> Token:
        return self.tokens[self.index]

    def at(self, symbol: str) -> bool:
        token = self.tokens[self.index]
        return token.kind == "symbol" and token.value == symbol

    def take(self, symbol: str) -> bool:
        if self.at(symbol):
            self.index += 1
            return True
        return False

    def expect(self, symbol: str, opened: Token) -> None:
        if not self.take(symbol):
            raise self.error(
                f"`{symbol}` is missing: it closes the `{opened.value}` of column {opened.position + 1}"
            )

    def error(self, message: str, position: int | None = None) -> ExpressionError:
        return ExpressionError(message, self.source, self.token.position if position is None else position)

    def unexpected(self) -> ExpressionError:
        token = self.token
        if token.kind == "end":
            return self.error(
                "the expression ends too early; a value is missing here"
                if self.source.strip()
                else "the expression is empty; write a value"
            )
        hint = _INSTEAD.get(str(token.value)) if token.kind == "name" else None
        if self.at("="):
            hint = "to compare, write `==`"
        return self.error(f"{token} cannot stand here" + (f"; {hint}" if hint else ""))

    def checked(self, node: _N) -> _N:
        """Return the node, if the tree below it is not too deep."""
        if node.depth > MAX_DEPTH:
            raise self.error(f"the expression is nested more than {MAX_DEPTH} levels deep", node.position)
        return node

    # The grammar

    def whole(self) -> nodes.Node:
        node = self.expression()
        if self.token.kind != "end":
            raise self.unexpected()
        return node

    def expression(self) -> nodes.Node:
        self.nesting += 1
        if self.nesting > MAX_NESTING:
            raise self.error(f"the expression is nested more than {MAX_NESTING} levels deep")
        branches: list[tuple[int, nodes.Node, nodes.Node]] = []
        node = self.logic("||")
        while self.at("?"):
            mark = self.token
            self.index += 1
            yes = self.logic("||")
            if not self.take(":"):
                raise self.error("`:` is missing: write `condition ? yes : no`")
            branches.append((mark.position, node, yes))
            node = self.logic("||")
        for position, condition, yes in reversed(branches):
            node = self.checked(nodes.Ternary(position, condition, yes, node))
        self.nesting -= 1
        return node

    def logic(self, operator: str) -> nodes.Node:
        first = self.logic("&&") if operator == "||" else self.relation()
        if not self.at(operator):
            return first
        position = self.token.position
        operands = [first]
        while self.take(operator):
            operands.append(self.logic("&&") if operator == "||" else self.relation())
        return self.checked(nodes.Logic(position, operator, operands))

    def relation(self) -> nodes.Node:
        node = self.chain(_SUMS)
        while self.token.kind == "symbol" and self.token.value in _RELATIONS:
            token = self.token
            self.index += 1
            node = self.checked(nodes.Relation(token.position, token.value, node, self.chain(_SUMS)))
        return node

    def chain(self, operators: frozenset[str]) -> nodes.Node:
        first = self.chain(_PRODUCTS) if operators is _SUMS else self.unary()
        rest: list[tuple[str, int, nodes.Node]] = []
        while self.token.kind == "symbol" and self.token.value in operators:
            token = self.token
            self.index += 1
            rest.append(
                (token.value, token.position, self.chain(_PRODUCTS) if operators is _SUMS else self.unary())
            )
        return self.checked(nodes.Chain(rest[0][1], first, rest)) if rest else first

    def unary(self) -> nodes.Node:
        signs: list[Token] = []
        while self.at("!") or self.at("-"):
            signs.append(self.token)
            self.index += 1
        if signs and signs[-1].value == "-" and self.is_number(self.token):
            # A minus sign before a number belongs to it: the smallest integer has no positive counterpart.
            number = self.token
            self.index += 1
            node = self.postfix(nodes.Literal(signs.pop().position, -number.value))
        else:
            node = self.postfix(self.primary())
        for sign in reversed(signs):
            node = self.checked(nodes.Unary(sign.position, sign.value, node))
        return node

    @staticmethod
    def is_number(token: Token) -> bool:
        return token.kind == "literal" and type(token.value) in (int, float)

    def postfix(self, node: nodes.Node) -> nodes.Node:
        while True:
            if self.at("."):
                self.index += 1
                node = self.member(node)
            elif self.at("["):
                opened = self.token
                self.index += 1
                if self.at("?"):
                    raise self.error(
                        "optional values are not a part of the language; write `default(x[key], other)`"
                    )
                index = self.expression()
                self.expect("]", opened)
                node = self.checked(nodes.Index(opened.position, node, index))
            else:
                return node

    def member(self, operand: nodes.Node) -> nodes.Node:
        """Read what stands after a dot: a field, or a method with its arguments."""
        token = self.token
        if token.kind == "symbol" and token.value == "?":
            raise self.error(
                "optional values are not a part of the language; write `default(x.field, other)`"
            )
        if token.kind not in ("name", "quoted"):
            raise self.error(
                'the name of a field must stand after the dot; other names are written as `x["name"]`'
            )
        self.index += 1
        if token.kind == "name" and self.at("("):
            arguments = self.arguments()
            if isinstance(operand, nodes.Name) and registry.is_namespace(operand.name):
                return self.call(f"{operand.name}.{token.value}", operand.position, None, arguments)
            return self.call(token.value, token.position, operand, arguments)
        node = nodes.Select(token.position, operand, token.value)
        path = nodes.path_of(node)
        if (
            path is not None
            and path[:-1] == ("google", "protobuf")
            and f"google.protobuf.{token.value}" in TYPES
        ):
            return nodes.Name(operand.position, f"google.protobuf.{token.value}")
        return self.checked(node)

    def arguments(self) -> list[nodes.Node]:
        opened = self.token
        self.index += 1
        return self.items(opened, ")")

    def items(self, opened: Token, closing: str) -> list[nodes.Node]:
        """Read expressions between commas, up to the closing bracket."""
        found: list[nodes.Node] = []
        while not self.take(closing):
            if found:
                if not self.take(","):
                    self.expect(closing, opened)
                if closing == "]" and self.take(closing):
                    break  # CEL allows a comma after the last item of a list.
            found.append(self.expression())
        return found

    def primary(self) -> nodes.Node:
        token = self.token
        if token.kind == "literal":
            if type(token.value) is int and token.value > INT_MAX:
                raise self.error(
                    "the number is too large for a 64-bit integer; write it with a decimal point"
                )
            self.index += 1
            return nodes.Literal(token.position, token.value)
        if token.kind == "symbol" and token.value in ("(", "[", "{", "."):
            self.index += 1
            return self.bracketed(token)
        if token.kind == "name":
            return self.name(token)
        raise self.unexpected()

    def bracketed(self, opened: Token) -> nodes.Node:
        """Read what begins with a bracket, or a name with a dot before it."""
        if opened.value == "(":
            node = self.expression()
            self.expect(")", opened)
            return node
        if opened.value == "[":
            return self.checked(nodes.ListNode(opened.position, self.items(opened, "]")))
        if opened.value == "{":
            return self.checked(nodes.MapNode(opened.position, self.entries(opened)))
        if self.token.kind != "name":
            raise self.unexpected()
        return self.name(self.token)

    def entries(self, opened: Token) -> list[tuple[nodes.Node, nodes.Node]]:
        """Read the entries of a map, up to its closing brace."""
        found: list[tuple[nodes.Node, nodes.Node]] = []
        while not self.take("}"):
            if found:
                if not self.take(","):
                    self.expect("}", opened)
                if self.take("}"):
                    break
            key = self.expression()
            if not self.take(":"):
                raise self.error('`:` is missing: a map is written as `{"key": value}`')
            found.append((key, self.expression()))
        return found

    def name(self, token: Token) -> nodes.Node:
        """Read a variable, or a function with its arguments."""
        if token.value in RESERVED:
            hint = _INSTEAD.get(token.value)
            raise self.error(f"`{token.value}` is a reserved word" + (f"; {hint}" if hint else ""))
        self.index += 1
        if self.at("("):
            return self.call(token.value, token.position, None, self.arguments())
        if self.at("{"):
            raise self.error('messages are not a part of the language; write a map, `{"key": value}`')
        return nodes.Name(token.position, token.value)

    def call(
        self, name: str, position: int, receiver: nodes.Node | None, arguments: list[nodes.Node]
    ) -> nodes.Node:
        """Return the node of a macro or of a function of the library."""
        try:
            node = macros.expand(name, position, receiver, arguments)
            if node is None:
                node = registry.resolve(name, position, receiver, arguments)
        except macros.WrongCall as wrong:
            raise self.error(wrong.message, wrong.position) from None
        return self.checked(node)
