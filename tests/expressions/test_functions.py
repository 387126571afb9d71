"""The function library: its examples, its reference, and what it refuses."""

from __future__ import annotations

import itertools
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from sojourn.expressions import EvaluationError
from sojourn.expressions import compile as compile_expression
from sojourn.expressions.adobe import COUNTERPARTS, EXAMPLE_DATA, EXAMPLE_NOW
from sojourn.expressions.functions.registry import FUNCTIONS
from sojourn.expressions.macros import METHODS, SUMMARIES, USAGE
from sojourn.expressions.reference import render
from tests.expressions.conformance import same

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "functions.md"
VARIABLES: dict[str, Any] = {"now": datetime.fromisoformat(EXAMPLE_NOW), **EXAMPLE_DATA}

EXAMPLES = [(f.name, text, result) for f in FUNCTIONS.values() for text, result in f.examples]
ADOBE = [(c.theirs, c.example, c.result) for c in COUNTERPARTS if c.example]

_ADOBE_FUNCTIONS = """
    inSegment inAudience avg count countOnlyNull countWithNull distinctCount distinctCountWithNull max min sum toBool
    toDateOnly toDateTimeOnly toDateTime toDecimal toDuration toInteger toString currentTimeInMillis inLastHours inLastDays
    inLastMonths inLastYears inNextHours inNextDays inNextMonths inNextYears now nowWithDelta setHours setDays
    updateTimeZone distinct distinctWithNull filter getListItem in intersect limit listSize serializeList sort random round
    concat contain containIgnoreCase endWith endWithIgnoreCase startWith startWithIgnoreCase equalIgnoreCase
    notEqualIgnoreCase indexOf lastIndexOf isEmpty isNotEmpty length lower upper matchRegExp replace replaceAll split
    substr trim uuid all first last at entry firstEntryKey keys
"""
ADOBE_OPERATORS = [
    "and", "or", "not", "is null", "is not null", "has null", "==", "!=", ">", ">=", "<", "<=", "+", "-", "*", "/", "%",
    "is numeric", "is integer", "is decimal", "if (c) then (a) else (b)",
]  # fmt: skip


def evaluate(text: str, **more: Any) -> Any:
    """Return the value of an expression."""
    return compile_expression(text).evaluate({**VARIABLES, **more})


@pytest.mark.parametrize(("name", "text", "result"), EXAMPLES)
def test_examples_of_functions(name: str, text: str, result: str) -> None:
    """Each example of the reference gives what it says."""
    assert same(evaluate(text), evaluate(result))


@pytest.mark.parametrize(("theirs", "text", "result"), ADOBE)
def test_examples_of_counterparts(theirs: str, text: str, result: str) -> None:
    """Each example of the table from Adobe's functions gives what it says."""
    assert same(evaluate(text), evaluate(result))


def test_every_function_has_an_example() -> None:
    """No function is in the library without one."""
    assert [f.name for f in FUNCTIONS.values() if not f.examples] == []
    assert set(METHODS) <= set(SUMMARIES)
    assert set(SUMMARIES) == set(USAGE)


@pytest.mark.parametrize("name", [*_ADOBE_FUNCTIONS.split(), *ADOBE_OPERATORS])
def test_each_of_adobes_has_a_counterpart_or_a_reason(name: str) -> None:
    """Each function and operator of Adobe's is in the table, with what to write or with why there is nothing."""
    pattern = re.compile(r"(?<![\w=<>!])" + re.escape(name) + r"(?![\w=])")
    rows = [c for c in COUNTERPARTS if pattern.search(c.theirs)]
    assert rows, name
    assert all((c.ours and c.example and c.result) or c.note for c in rows)


def test_reference_is_up_to_date() -> None:
    """The committed reference is the one that the code gives."""
    assert REFERENCE.read_text() == render(), (
        "run python -m sojourn.expressions.reference > docs/reference/functions.md"
    )


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=lambda f: f.name)
def test_functions_fail_well_on_anything(function: Any) -> None:
    """Whatever a function is given, it gives a value or an error of its own."""
    values = [
        None,
        True,
        0,
        -1,
        2**63 - 1,
        1.5,
        float("nan"),
        float("inf"),
        "",
        "a",
        "(",
        [],
        [1, None],
        ["a"],
        {},
        {"a": 1},
    ]
    values += [
        VARIABLES["now"],
        evaluate("days(1)"),
        evaluate("type(1)"),
        [{"a": [1]}],
        "Europe/Paris",
        "09:00",
    ]
    names = ["a", "b", "c", "d"][: max(1, len(function.parameters))]
    for count in range(function.required, len(names) + 1):
        expression = compile_expression(f"{function.name}({', '.join(names[:count])})")
        for first, rest in itertools.product(values, values):
            problem = None
            try:
                expression.evaluate({"now": VARIABLES["now"], "a": first, "b": rest, "c": rest, "d": rest})
            except EvaluationError as error:
                problem = error
            assert problem is None or (problem.message and problem.position >= 0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("'abc'.substring(2, 1)", "outside the text"),
        ("'abc'.charAt(4)", "outside the text"),
        ("[1, 2].slice(1, 3)", "outside the list"),
        ("limit([1], -1)", "below zero"),
        ("['a', 1].join()", "holds an int"),
        ("sum([1, 'a'])", "holds a string"),
        ("avg([null])", "no numbers"),
        ("max([])", "nothing of which max"),
        ("max([1, 'a'])", "cannot compare"),
        ("max(1)", "needs a list, or two values"),
        ("max({}, {})", "cannot compare a map"),
        ("sum([9223372036854775807, 1])", "64-bit"),
        ("sort([1, 0.0 / 0.0])", "NaN"),
        ("sort([{}])", "a map cannot be put in order"),
        ("sort(['a', 1, true])", "an int and a string cannot be put in order"),
        ("round(1e300)", "64-bit"),
        ("int(9223372036854775807.0)", "64-bit"),
        ("int('1.5')", "not a whole number"),
        ("double('1,5')", "not a number"),
        ("double('1_0')", "not a number"),
        ("bool('yes')", "neither true nor false"),
        ("math.bitShiftLeft(1, -1)", "less than zero"),
        ("math.abs(-9223372036854775808)", "64-bit"),
        ("math.greatest([])", "at least one"),
        ("'%d'.format(['x'])", "%d does not take a string"),
        ("'%s %s'.format([1])", "more placeholders"),
        ("'%'.format([1])", "middle of a placeholder"),
        ("'%.999f'.format([1.0])", "decimals"),
        ("'%q'.format([1])", "does not exist"),
        ("regex.replace('a', '(a)', '\\\\2')", "no group"),
        ("regex.replace('a', '[', '')", "not a regular expression"),
        ("lists.range(100001)", "100,000"),
        ("withTime(now, '25:00')", "no such hour"),
        ("withTime(now, '9:00')", "such as 09:00"),
        ("withDay(now, 31)", "no such hour, minute or day"),
        ("withHour(now, 24)", "no such hour"),
        ("addYears(now, 9000)", "years 1 to 9999"),
        ("addDays(now, 3000000)", "years 1 to 9999"),
        ("inLastDays(now, -1)", "below zero"),
        ("days(1e300)", "292 years"),
        ("days(1.0 / 0.0)", "infinite"),
        ("duration('PT1H').getHours('UTC')", "takes no time zone"),
        ("getMonth(hours(1))", "needs a timestamp"),
    ],
)
def test_functions_say_what_does_not_fit(text: str, message: str) -> None:
    """A function that cannot work says why."""
    with pytest.raises(EvaluationError, match=re.escape(message)):
        evaluate(text)


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("lower(event.id) == event.id.lower()", "true"),
        ("limit([1, 2, 3], 2.0)", "[1, 2]"),
        ("substring('abc', 1.0)", "'bc'"),
        ("distinct([1, 1.0, true, '1', null, null, [1], [1.0], {'a': 1}, {'a': 1.0}])", "[1, true, '1', null, [1], {'a': 1}]"),
        ("distinct([9007199254740993, 9007199254740992])", "[9007199254740993, 9007199254740992]"),
        ("size(distinct([0.0 / 0.0, 0.0 / 0.0]))", "2"),
        ("intersect([1, 2, 2.0], [2])", "[2]"),
        ("sort([2, 1.5, 1])", "[1, 1.5, 2]"),
        ("sort([now, now - days(1)])[0] == now - days(1)", "true"),
        ("max(['b', 'a'])", "'b'"),
        ("min(now, now + days(1)) == now", "true"),
        ("sum([])", "0"),
        ("sum([1e308, 1e308])", "1.0 / 0.0"),
        ("avg([1.0 / 0.0, -1.0 / 0.0])", "0.0 / 0.0"),
        ("sum([0.1, 0.2, 0.3])", "0.6"),
        ("avg([1, 2])", "1.5"),
        ("round(2.5)", "3"),
        ("round(-2.5)", "-2"),
        ("round(0.49999999999999994)", "0"),
        ("flatten([[1], 2, []])", "[1, 2]"),
        ("values({'a': 1})", "[1]"),
        ("'a-b-c'.split('-', -1)", "['a', 'b', 'c']"),
        ("'abc'.split('', 2)", "['a', 'bc']"),
        ("'abc'.split('', 3)", "['a', 'b', 'c']"),
        ("'abc'.split('', 1)", "['abc']"),
        ("'aaa'.replace('', '-')", "'-a-a-a-'"),
        ("regex.replace('abc', '', '-')", "'-a-b-c-'"),
        ("regex.replace('aaa', 'a', 'b', 2)", "'bba'"),
        ("regex.replace('a', 'a', '\\\\\\\\')", "'\\\\'"),
        ("regex.split('', 'a')", "['']"),
        ("regex.find('x', 'y')", "''"),
        ("'straße'.equalsIgnoreCase('STRASSE')", "true"),
        ("'%s'.format([{'b': [1, null], 'a': duration('1s')}])", "'{a: 1s, b: [1, null]}'"),
        ("'%5'.size()", "2"),
    ],
)  # fmt: skip
def test_edges(text: str, result: str) -> None:
    """Functions do the right thing at their edges."""
    assert same(evaluate(text), evaluate(result))
