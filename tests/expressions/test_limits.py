"""Nothing is unbounded: length, nesting, sizes, work. Hostile text and data end in an error, and soon."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

from sojourn.expressions import (
    ANY,
    BOOL,
    EvaluationError,
    Expression,
    ExpressionError,
    compile_template,
    from_json_schema,
    to_json,
)
from sojourn.expressions.functions.registry import FUNCTIONS
from sojourn.expressions.limits import MAX_LIST, MAX_SOURCE, MAX_TEXT
from tests.expressions.generator import Generator, data
from tests.expressions.oracle import VARIABLES

FUZZ_SECONDS = float(os.environ.get("SOJOURN_FUZZ_SECONDS", "4"))
"""How long each fuzz target runs; CI may give it longer."""


def evaluate(text: str, **variables: Any) -> Any:
    """Return the value of an expression, compiled afresh."""
    return Expression(text).evaluate(variables)


@pytest.mark.parametrize(
    "text",
    [
        "1" + " " * MAX_SOURCE,
        "(" * 49 + "1" + ")" * 49,
        "[" * 5000,
        "{" * 5000,
        "!" * 5000 + "true",
        "-" * 5000 + "1",
        "a" + ".a" * 5000,
        "a" + "[0]" * 2000,
        "a" + ".a()" * 2000,
        "1" + " == 1" * 2000,
        "a?" * 5000,
        "true ? 1 : " * 1000 + "1",
        "f(" * 5000,
        "size(" * 49 + "''" + ")" * 49,
        "[1]" + ".map(x, [1]" * 60 + ".size()" + ")" * 60,
    ],
    ids=lambda text: text[:12],
)
def test_what_is_too_long_or_too_deep_is_refused(text: str) -> None:
    """Text without end, and brackets and chains that nest without end, do not compile."""
    with pytest.raises(ExpressionError):
        Expression(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1" + " + 1" * 4000, 4001),
        ("1" + " * 1" * 4000, 1),
        ("true" + " && true" * 1500, True),
        ("false" + " || false" * 1500, False),
        ("[" + "1, " * 4000 + "1]", [1] * 4001),
        ("(" * 40 + "1" + ")" * 40, 1),
        ("!" * 60 + "true", True),
    ],
    ids=lambda text: str(text)[:12],
)
def test_long_chains_need_no_deep_stack(text: str, value: object) -> None:
    """Long sums and conditions are fine, also deep inside a program."""

    def deep(levels: int) -> Any:
        return deep(levels - 1) if levels else evaluate(text)

    assert deep(300) == value


LIST = list(range(1000))


@pytest.mark.parametrize(
    "text",
    [
        "l.map(a, l.map(b, l.map(c, a + b + c)))",
        "l.all(a, l.all(b, l.all(c, true)))",
        "l.filter(a, l.exists(b, l.exists(c, c < 0)))",
        "l.map(a, l.exists(b, l.exists(c, c < 0)) || true)",
        "lists.range(100000).map(a, lists.range(100000))",
        "l.map(a, s + 'x')",
        "l.map(a, s.replace('a', 'b'))",
        "l.map(a, s.contains('zz'))",
        "l.map(a, s.matches('(a|a)*b'))",
        "l.map(a, [s, s].join('-'))",
        "l.map(a, regex.replace(s, 'a', 'b'))",
        "l.map(a, s.upperAscii())",
        "l.map(a, u.lowerAscii())",
        "l.map(a, strings.quote(u))",
        "l.map(a, s.reverse())",
        "l.map(a, max(l))",
        "l.map(a, sort(l))",
        "l.map(a, distinct(nested))",
        "l.map(a, nested == nested2)",
        "l.map(a, l.map(b, nested in [nested2]))",
        "l.map(a, intersect(nested, nested2))",
        "l.map(a, l + l)",
        "l.map(a, '%s'.format([nested]))",
        "l.sortBy(a, nested)",
        "[" + ", ".join(["s + s"] * 800) + "]",
        "[" + ", ".join(["distinct(nested)"] * 800) + "]",
        " || ".join(["nested == nested2 && false"] * 500),
    ],
)
def test_work_is_bounded(text: str) -> None:
    """What would take minutes or gigabytes ends in an error as soon as its work is counted out."""
    nested = [{"a": [[i] * 20 for i in range(20)]} for _ in range(100)]
    variables = {"l": LIST, "s": "a" * 400_000, "u": "é" * 400_000, "nested": nested, "nested2": [*nested]}
    with pytest.raises(EvaluationError, match="too much work"):
        evaluate(text, **variables)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("s + s + s + s + s", f"longer than {MAX_TEXT:,}"),
        ("s.replace('a', 'aaaaa')", f"longer than {MAX_TEXT:,}"),
        ("[s, s, s, s, s].join()", f"longer than {MAX_TEXT:,}"),
        ("regex.replace(s.substring(0, 40000), 'a', s.substring(0, 100))", f"longer than {MAX_TEXT:,}"),
        ("regex.replace(s, 'a', 'b')", f"more than {MAX_LIST:,}"),
        ("'%s%s%s%s%s'.format([s, s, s, s, s])", f"longer than {MAX_TEXT:,}"),
        ("l + l + l", f"more than {MAX_LIST:,}"),
        ("s.split('')", f"more than {MAX_LIST:,}"),
        ("regex.split(s, 'a')", f"more than {MAX_LIST:,}"),
        ("flatten([l, l, l])", f"more than {MAX_LIST:,}"),
        ("lists.range(9223372036854775807)", f"more than {MAX_LIST:,}"),
        ("'a'.matches(s)", "longer than 1,000"),
    ],
)
def test_sizes_are_bounded(text: str, message: str) -> None:
    """Nothing longer or larger than the bounds is built."""
    with pytest.raises(EvaluationError, match=message):
        evaluate(text, s="a" * 210_000, l=list(range(40_000)))


def test_templates_are_bounded() -> None:
    """What a template builds is bounded, too."""
    with pytest.raises(EvaluationError, match="longer than"):
        compile_template("${s}${s}${s}").evaluate({"s": "a" * 400_000})
    with pytest.raises(EvaluationError, match="builds too much"):
        compile_template(["${l}"] * 2000).evaluate({"l": [[1]] * 1000})


@pytest.mark.timeout(60)  # another engine would take years
def test_regular_expressions_take_linear_time() -> None:
    """Patterns that blow up elsewhere do not here."""
    for pattern in ["(a+)+$", "(a|aa)+$", "(a*)*b", "^(([a-z])+.)+[A-Z]([a-z])+$"]:
        assert evaluate("s.matches(p)", s="a" * 50_000 + "!", p=pattern) is False


def test_data_nested_without_end_is_refused() -> None:
    """Data that is nested too deeply is an error, not a crash."""
    deep: Any = []
    for _ in range(5000):
        deep = [deep]
    for text in ["x == y", "x in [y]", "distinct([x, y])", "'%s'.format([x])", "intersect([x], [y])"]:
        with pytest.raises(EvaluationError, match="levels deep"):
            evaluate(text, x=deep, y=[*deep])
    with pytest.raises(EvaluationError, match="levels deep"):
        to_json(deep)
    with pytest.raises(EvaluationError, match="levels deep"):
        compile_template("${x}").evaluate({"x": deep})
    with pytest.raises(EvaluationError, match="levels deep"):
        compile_template("a${x}").evaluate({"x": deep})


PIECES = [
    *FUNCTIONS, *VARIABLES, *"()[]{}.,:?!-+*/%<>=&|'\"`\\$#@;~^\n\t\x00é😀\ud800 ", "==", "!=", "<=", "&&", "||", "in", "'a'", '"""',
    "r'", "b'", "1", "1.5", "1e999", "0x", "9223372036854775807", "99999999999999999999", "true", "null", "has(", "default(",
    "map(x,", "all(x,", "exists(i, x,", "sortBy(x,", "timestamp('2026-01-01T00:00:00Z')", "duration('1h')", "[0]", ".a", "\\u0000",
    "${", "}", "$${", "//", "'%s'.format([", "Europe/Paris", "now", "x", "\u2028",
]  # fmt: skip


def hostile(rng: random.Random) -> str:
    """Return text that is mostly no expression."""
    shape = rng.random()
    if shape < 0.5:
        return "".join(rng.choice(PIECES) for _ in range(rng.randrange(1, 25)))
    text = Generator(rng, misfits=0.2).expression(rng.choice([2, 3, 4]))
    if shape < 0.75:
        for _ in range(rng.randrange(1, 4)):
            at = rng.randrange(len(text) + 1)
            text = text[:at] + rng.choice(PIECES) + text[at + rng.randrange(3) :]
    return text


def failure(act: Callable[[], object]) -> ExpressionError | EvaluationError | None:
    """Return the error of ours that something ends in, None if it ends well."""
    try:
        act()
    except (ExpressionError, EvaluationError) as error:
        return error
    return None


def run_for(seconds: float, step: Callable[[random.Random], None]) -> None:
    """Run a step with new seeds for a time; a failure names the seed."""
    seed = int(os.environ.get("SOJOURN_FUZZ_SEED", time.time_ns()))
    rng = random.Random(seed)
    end = time.monotonic() + seconds
    count = 0
    while time.monotonic() < end:
        try:
            step(rng)
        except Exception as error:
            raise AssertionError(f"seed {seed}, step {count}: {error!r}") from error
        count += 1
    assert count > 10


SCHEMA = from_json_schema(
    {
        "type": "object",
        "properties": {
            "i": {"type": "integer"},
            "s": {"type": "string"},
            "ints": {"type": "array", "items": {}},
        },
    }
)


def test_fuzz_expressions() -> None:
    """Whatever the text and the data, there is a value or one of our two errors, for expressions and templates alike."""

    def step(rng: random.Random) -> None:
        text = hostile(rng)
        variables = {name: data(rng) for name in VARIABLES}

        def act() -> None:
            expression = Expression(text)
            for finding in expression.check({"x": SCHEMA, "y": ANY}, BOOL):
                assert 0 <= finding.position <= len(text)
                assert str(finding)
            to_json(expression.evaluate(variables))

        error = failure(act)
        assert error is None or (str(error) and error.caret())
        error = failure(lambda: compile_template(f"{text}${{{text}}}").evaluate(variables))
        assert error is None or str(error)

    run_for(FUZZ_SECONDS, step)


def test_fuzz_with_one_value_everywhere() -> None:
    """Functions meet values of every type, and nothing but our errors comes out."""
    values = [
        None,
        True,
        7,
        -1,
        2.5,
        float("nan"),
        10**30,
        "text",
        "\ud800",
        [1, "a"],
        {"a": {}},
        (1, 2),
        object(),
        b"x",
        {1},
    ]

    def step(rng: random.Random) -> None:
        text = Generator(rng, misfits=0.5).expression(3)
        value = rng.choice(values)
        record = {"i": value, "s": value, "ints": [value], "inner": value}
        error = failure(lambda: to_json(Expression(text).evaluate(dict.fromkeys(VARIABLES, record))))
        assert error is None or str(error)

    run_for(FUZZ_SECONDS / 2, step)


def test_the_package_stands_alone() -> None:
    """Importing the expressions imports nothing else of Sojourn, and nothing that does input or output."""
    program = (
        "import sys; before = set(sys.modules); import sojourn.expressions;"
        "new = {m for m in set(sys.modules) - before if not m.startswith('sojourn.expressions')};"
        "print(sorted(m for m in new if m.startswith(('sojourn.', 'temporalio', 'socket', 'asyncio', 'subprocess', 'random'))))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
