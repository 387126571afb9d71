"""What is an expression and what is not, and what is said of the latter."""

from __future__ import annotations

import pytest

from sojourn.expressions import ExpressionError
from sojourn.expressions import compile as compile_expression


def error_of(text: str) -> ExpressionError:
    """Return the error that compiling a text ends in."""
    with pytest.raises(ExpressionError) as caught:
        compile_expression(text)
    return caught.value


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("", 1, "the expression is empty"),
        ("1 +", 4, "ends too early"),
        ("event.items[0", 14, "`]` is missing: it closes the `[` of column 12"),
        ("(1 + 2", 7, "`)` is missing"),
        ('{"a" 1}', 6, "`:` is missing"),
        ("a ? b", 6, "write `condition ? yes : no`"),
        ("a and b", 3, "write `&&`"),
        ("a or b", 3, "write `||`"),
        ("not a", 5, "`a` cannot stand here"),
        ("x = 1", 3, "write `==`"),
        ("a & b", 3, "write `&&`"),
        ("x is null", 3, "write `== null`"),
        ("if (a) then b", 1, "write `condition ? yes : no`"),
        ('"abc', 1, "not closed"),
        ('"a\nb"', 1, "over the end of the line"),
        (r'"\q"', 2, "this escape does not exist"),
        (r'"\ud800"', 2, "not a Unicode character"),
        ("“x”", 1, "plain quotation mark"),
        ("1u", 1, "unsigned"),
        ('b"x"', 1, "bytes"),
        ("3h", 1, 'x["3h"]'),
        ("9223372036854775808", 1, "too large"),
        ("0xfffffffffffffffff", 1, "too large"),
        ("1" * 5000, 1, "too large"),
        ("event.", 7, "name of a field"),
        ("event.3", 6, "cannot stand here"),
        ("event.?x", 7, "default(x.field, other)"),
        ("event[?0]", 7, "default(x[key], other)"),
        ("Order{id: 1}", 6, "write a map"),
        ("foo(1)", 1, "there is no function foo"),
        ("tolower('a')", 1, "did you mean lower?"),
        ("x.starts_with('a')", 3, "did you mean startsWith?"),
        ("abs(1)", 1, "did you mean math.abs?"),
        ("size(1, 2)", 1, "size takes 1 argument, not 2: it is size("),
        ("'a'.substring()", 5, "substring takes 2 to 3 arguments, not 1"),
        ("max()", 1, "max takes at least 1 argument, not 0"),
        ("x.duration()", 3, "write `duration(...)`"),
        ("now()", 1, "write it without brackets"),
        ("random()", 1, "same result each time"),
        ("has(event)", 1, "has needs one field: write `has(x.field)`"),
        ("x.has(y)", 3, "stands before its arguments"),
        ("default(event.x)", 1, "default takes two arguments"),
        ("map(x, y)", 1, "stands after what it walks"),
        ("[1].map(x)", 5, "wrong number of arguments"),
        ("[1].map(1, 2)", 9, "a variable must stand here"),
        ("[1].all(i, i, true)", 12, "names two things"),
        ("break", 1, "reserved word"),
        ("x ? y ? 1 : 2 : 3", 7, "`:` is missing"),
        ("a # b", 3, "`#` cannot stand here"),
        ("a \x00", 3, "U+0000"),
        ("1 2", 3, "an int constant cannot stand here"),
    ],
)
def test_errors_say_where_and_what_instead(text: str, column: int, message: str) -> None:
    """A text that is no expression is refused with its place, and with what to write."""
    error = error_of(text)
    assert message in error.message
    assert (error.line, error.column) == (1, column)


def test_caret_points_at_the_place() -> None:
    """The caret stands under the place, in its own line."""
    error = error_of("event.a &&\n  event.b = 1")
    assert error.caret() == "  event.b = 1\n          ^"
    assert (error.line, error.column) == (2, 11)
    assert str(error).endswith("(line 2, column 11)")


def test_caret_on_the_first_of_two_lines() -> None:
    """The line of the place alone is shown, with tabs as one space."""
    assert error_of("a\t= 1\n+ 2").caret() == "a = 1\n  ^"


def test_caret_of_a_long_line_is_shortened() -> None:
    """A long line is cut around the place."""
    text = "1 + " * 100 + "= 1"
    line, mark = error_of(text).caret().split("\n")
    assert len(line) <= 102
    assert line[len(mark) - 1] == "="


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 + 2 * 3 - 4 / 2 % 3", 5),
        ("-2 - -3", 1),
        ("--2", 2),
        ("!!true", True),
        ("!(1 == 2) && true || false", True),
        ("false ? 1 : true ? 2 : 3", 2),
        ("1 < 2 == true", True),
        ("[1, 2, 3,][2]", 3),
        ("{'a': 1, 'b': 2,}.b", 2),
        ("{'a-b': 1}.`a-b`", 1),
        ("// the answer\n42 // and no more", 42),
        ("0x1F", 31),
        (".5 + 1e2", 100.5),
        ("r'\\n' + '\\n'", "\\n\n"),
        ("'''it's\ntwo lines'''", "it's\ntwo lines"),
        ('"\\u00e9\\U0001F600\\x41\\101"', "é😀AA"),
        ("-9223372036854775808", -(2**63)),
        ("{'in': 1}['in']", 1),
        ("'in' in {'in': 1}", True),
        (" 1 ", 1),
        ("(1)", 1),
    ],
)
def test_syntax(text: str, value: object) -> None:
    """Precedence, literals, comments and commas are those of CEL."""
    assert compile_expression(text).evaluate({}) == value


def test_compiled_once_for_each_text() -> None:
    """The same text gives the same object."""
    assert compile_expression("1 + 41") is compile_expression("1 + 41")


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("event.cartId == entry.cartId", (("event", "cartId"), ("entry", "cartId"))),
        ('events["a.b"].x', (("events", "a.b", "x"),)),
        ("event.items[0].price", (("event", "items", 0, "price"),)),
        ("event.items[event.index]", (("event", "items"), ("event", "index"))),
        ("has(event.a.b) || event.a.b", (("event", "a", "b"),)),
        ("event.items.exists(i, i.x == event.y && i.z)", (("event", "items"), ("event", "y"))),
        ("x.map(x, x.y)", (("x",),)),
        ("inLast(event.at, days(1))", (("event", "at"), ("now",))),
        ("default(profile.a, entry.b).c", (("profile", "a"), ("entry", "b"))),
        ("math.abs(event.x)", (("event", "x"),)),
        ("{'a': event.x}.a", (("event", "x"),)),
        ("1 + 1", ()),
        (
            "type(event.x) == int && type(event.y) == google.protobuf.Timestamp",
            (("event", "x"), ("event", "y")),
        ),
    ],
)
def test_paths(text: str, paths: tuple[object, ...]) -> None:
    """An expression knows the full paths that it refers to, without the variables of its macros."""
    assert compile_expression(text).paths == paths
