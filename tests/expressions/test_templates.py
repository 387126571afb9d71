"""Templates: JSON with expressions in its texts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sojourn.expressions import EvaluationError, ExpressionError, compile_template, to_json

DATA: dict[str, Any] = {
    "entry": {"id": "c-1", "total": 20.0, "n": None, "items": [{"sku": "a"}, {"sku": "b"}], "html": "<b>\"é\"</b>"},
    "now": datetime(2026, 3, 29, 8, tzinfo=UTC),
    "d": timedelta(hours=1),
    "huge": 10**400,
}  # fmt: skip


def fill(value: Any) -> Any:
    """Return a template filled in."""
    return compile_template(value).evaluate(DATA)


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("${entry.items}", [{"sku": "a"}, {"sku": "b"}]),
        ("${entry.total}", 20.0),
        ("${entry.n}", None),
        ("${ entry.id }", "c-1"),
        ("${now}", datetime(2026, 3, 29, 8, tzinfo=UTC)),
        ("", ""),
        ("plain", "plain"),
        ("$ {x} $5 100%", "$ {x} $5 100%"),
        (" ${entry.id}", " c-1"),
        ("${entry.id}${entry.id}", "c-1c-1"),
        ("n=${entry.n};", "n=;"),
        ("${true}/${false}", "true/false"),
        ("${entry.total} ${2.5} ${-7} ${1e21}", "20 2.5 -7 1e+21"),
        ("at ${now}, for ${d}", "at 2026-03-29T08:00:00Z, for 3600s"),
        ("in ${inZone(now, 'Europe/Paris')}", "in 2026-03-29T10:00:00+02:00"),
        ("x${entry.items}", 'x[{"sku":"a"},{"sku":"b"}]'),
        ("x${[now, d, null, 'é']}", 'x["2026-03-29T08:00:00Z","3600s",null,"é"]'),
        ("x${ {'a': {'b': 1.0}} }", 'x{"a":{"b":1.0}}'),
        ("${entry.html}!", '<b>"é"</b>!'),
        ("$${entry.id}", "${entry.id}"),
        ("$$${entry.id}", "$${entry.id}"),
        ("a$${b}${entry.id}", "a${b}c-1"),
        ("${'}'}", "}"),
        ('${"a}\\"}"}', 'a}"}'),
        ("${r'\\'}!", "\\!"),
        ("${'''it's }'''}", "it's }"),
        ("${ {'a': '}'}['a'] }", "}"),
        (5, 5),
        (None, None),
        (True, True),
        ([1, "${1 + 1}", ["x${1}"]], [1, 2, ["x1"]]),
        ({"a": {"b": "${entry.id}"}, "${c}": "d"}, {"a": {"b": "c-1"}, "${c}": "d"}),
    ],
)
def test_values(template: Any, value: Any) -> None:
    """A lone expression keeps its type; among text it becomes text, as defined for each type."""
    result = fill(template)
    assert result == value
    assert type(result) is type(value)


def test_expressions_and_where_they_stand() -> None:
    """A template lists its expressions with the place of each."""
    template = compile_template({"a": ["x", "${entry.id} and ${entry.total}"], "b": "${now}"})
    assert [(path, e.source) for path, e in template.expressions] == [
        (("a", 1), "entry.id"), (("a", 1), "entry.total"), (("b",), "now"),
    ]  # fmt: skip
    assert not template.constant
    assert compile_template({"a": ["$${x}", 1]}).constant


def test_results_are_copies() -> None:
    """Changing a result changes neither the data nor the template."""
    template = compile_template({"items": "${entry.items}", "list": [1]})
    result = template.evaluate(DATA)
    result["items"][0]["sku"] = "changed"
    result["list"].append(2)
    assert template.evaluate(DATA) == {"items": [{"sku": "a"}, {"sku": "b"}], "list": [1]}


@pytest.mark.parametrize(
    ("template", "position", "message"),
    [
        ("x ${entry.id", 2, "`${` is not closed"),
        ("x ${'}", 2, "`${` is not closed"),
        ("ab ${ 1 + }", 9, "ends too early"),
        ("ab\n${ a = 1 }", 8, "write `==`"),
        ("${}", 2, "the expression is empty"),
        ("${foo(1)}", 2, "there is no function foo"),
    ],
)
def test_errors_of_compiling(template: str, position: int, message: str) -> None:
    """Errors give the place in the whole text."""
    with pytest.raises(ExpressionError) as caught:
        compile_template(["fine", {"a": template}])
    assert message in caught.value.message
    assert (caught.value.position, caught.value.source) == (position, template)


def test_errors_of_evaluating() -> None:
    """Errors name the expression inside the template."""
    for template, message in [
        ("a ${entry.gone}", "`entry.gone` is missing"),
        ("x${[1.0 / 0.0]}", "JSON has no number"),
    ]:
        with pytest.raises(EvaluationError, match=message) as caught:
            fill(template)
        assert caught.value.expression in template


def test_what_is_no_json_is_refused() -> None:
    """A template is made of JSON."""
    for value in [object(), {"a": {1, 2}}, [print]]:
        with pytest.raises(ValueError, match="made of JSON"):
            compile_template(value)
    deep: Any = "x"
    for _ in range(200):
        deep = [deep]
    with pytest.raises(ValueError, match="levels deep"):
        compile_template(deep)
    with pytest.raises(ValueError, match="characters"):
        compile_template(["x" * 200_000, "y" * 100_000])


def test_lone_values_become_json() -> None:
    """What stands alone keeps its type until it leaves as JSON."""
    assert to_json(fill({"at": "${now}", "for": "${d}"})) == {"at": "2026-03-29T08:00:00Z", "for": "3600s"}
