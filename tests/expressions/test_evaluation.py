"""What expressions give, and what they say when they cannot."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from types import MappingProxyType
from typing import Any

import pytest

from sojourn.expressions import EvaluationError, to_json
from sojourn.expressions import compile as compile_expression

DATA: dict[str, Any] = {
    "event": {
        "id": "o-1", "total": 120, "price": 9.5, "none": None, "vip": True, "when": "2026-03-29T08:00:00Z",
        "items": [{"sku": "a", "n": 2}, {"sku": "b", "n": 1}], "empty": [], "secret": "hunter2@example.com",
    },
    "events": {"order.placed": {"total": 5}},
    "now": datetime(2026, 6, 15, 12, tzinfo=UTC),
}  # fmt: skip


def evaluate(text: str, variables: Mapping[str, Any] = DATA) -> Any:
    """Return the value of an expression."""
    return compile_expression(text).evaluate(variables)


def error_of(text: str, variables: Mapping[str, Any] = DATA) -> EvaluationError:
    """Return the error that an expression ends in."""
    with pytest.raises(EvaluationError) as caught:
        evaluate(text, variables)
    return caught.value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('event.total > 100 && event.id == "o-1"', True),
        ("event.total + event.price", 129.5),
        ("event.total * 2 == 240.0", True),
        ("7 / 2", 3),
        ("-7 / 2", -3),
        ("-7 % 3", -1),
        ("7.0 / 2", 3.5),
        ("9223372036854775806 + 1", 2**63 - 1),
        ("-9223372036854775807 - 1", -(2**63)),
        ("-9223372036854775807 + -1", -(2**63)),
        ("4611686018427387904 * -2", -(2**63)),
        ("3037000499 * 3037000499", 9223372030926249001),
        ("-9223372036854775808 / 1", -(2**63)),
        ("-9223372036854775808 % 3", -2),
        ("-9223372036854775808 % 1", 0),
        ("0 / 5", 0),
        ("-0.0 / 5", -0.0),
        ("1.0 / 0", float("inf")),
        ("-1 / 0.0", float("-inf")),
        ("1 / -0.0", float("-inf")),
        ("1 == 1.0 && 1 != true && null != false", True),
        ("[1, [2.0]] == [1.0, [2]]", True),
        ("[1] == [true]", False),
        ("{'a': 1} == {'a': 1.0}", True),
        ("1 in [true]", False),
        ("1.0 in [3, 1]", True),
        ("{1: 'x'}[1.0]", "x"),
        ("true in {1: 2}", False),
        ("'a' < 'b' && false < true", True),
        ("event.items.map(i, i.sku)", ["a", "b"]),
        ("event.items.filter(i, i.n > 1)[0].sku", "a"),
        ("event.items.exists_one(i, i.n == 1)", True),
        ("event.items.transformList(i, item, i + item.n)", [2, 2]),
        ("{'b': 1, 'a': 2}.transformMap(k, v, v > 1, v * 10)", {"a": 20}),
        ("event.items.sortBy(i, i.n).map(i, i.sku)", ["b", "a"]),
        ("[3, 1, 3.0, 2].distinctBy(x, x)", [3, 1, 2]),
        ("[1, 2].map(x, [10, 20].map(y, x * y))", [[10, 20], [20, 40]]),
        ("[1].map(event, event)", [1]),
        ('events["order.placed"].total', 5),
        ("has(event.none) && !has(event.nothing)", True),
        ('has(events["order.placed"])', True),
        ("default(event.nothing.at.all, 7)", 7),
        ("default(event.none, 7)", 7),
        ("default(event.none.x, 7)", 7),
        ("default(event.empty[0], 7)", 7),
        ("default(nothing.x, 7)", 7),
        ("default(first(event.empty), 7)", 7),
        ("default(event.total, 1 / 0)", 120),
        ("event.nothing || true", True),
        ("false && event.nothing", False),
        ("event.nothing && false", False),
        ("[1, 0].exists(x, 1 / x == 1)", True),
        ("[0, 1].exists(x, 1 / x == 1)", True),
        ("type(event.total) == int && type(event.id) != list", True),
        ("type(now) == google.protobuf.Timestamp && type(hours(1)) == google.protobuf.Duration", True),
        ("type(event.none) == null_type && type(type(1)) == type", True),
        ("timestamp(event.when) + duration('1h') > timestamp(event.when)", True),
        ("now - timestamp('2026-06-15T11:00:00Z') == hours(1)", True),
        ("string(1.0) + string(1e21) + string(true)", "11e+21true"),
    ],
)
def test_values(text: str, value: object) -> None:
    """Expressions give what CEL gives, with ints and doubles as numbers alike."""
    result = evaluate(text)
    assert result == value
    assert type(result) is type(value)


@pytest.mark.parametrize(
    ("text", "message", "column", "path"),
    [
        ("event.cartID", "`event.cartID` is missing", 7, ("event", "cartID")),
        ("1 + event.a.b", "`event.a` is missing", 11, ("event", "a")),
        ("event.none.x", "`event.none` is null, so it has no fields", 12, ("event", "none", "x")),
        ("event.total.x", "`event.total` is an int, which has no fields", 13, ("event", "total")),
        ("event.items.sku", "`event.items` is a list", 13, ("event", "items")),
        ("event.items[2]", "the index is outside the list `event.items`", 12, ("event", "items", 2)),
        ("event.items[-1]", "outside the list", 12, ("event", "items")),
        ("event.items['a']", "`event.items` is a list, which has no fields", 12, ("event", "items")),
        ("event.items[event.id]", "a string cannot be the index of a list", 12, ()),
        ("event[event.items]", "a list cannot be the key of a map", 6, ()),
        ("event[event.id]", "the key is missing in `event`", 6, ("event",)),
        ("event.total[0]", "which has no items", 12, ("event", "total")),
        ("profile.x", "there is no `profile` here", 1, ("profile",)),
        ("later - days(1)", "there is no `later` here", 1, ("later",)),
        (
            "event.total > event.id",
            "`>` does not take an int and a string: look at `event.total`",
            13,
            ("event", "total"),
        ),
        ("now < event.when", "write timestamp(text)", 5, ("now",)),
        ("event.id + 1", "`+` does not take a string and an int; write string(x)", 10, ()),
        ("event.id + 1 - 2", "write string(x)", 10, ()),
        ("event.price % 2", "`%` does not take a double and an int", 13, ()),
        ("event.total && true", "`&&` needs bools, and was given an int", 7, ("event", "total")),
        ("!event.id", "`!` needs a bool, and was given a string", 1, ()),
        ("-event.id", "`-` needs a number", 1, ()),
        (
            "event.total ? 1 : 2",
            "the condition before `?` must be a bool, and is an int",
            7,
            ("event", "total"),
        ),
        ("event.items.filter(i, i.n)", "the condition of filter must be a bool", 25, ()),
        ("event.items.map(i, i.gone)", "`i.gone` is missing", 22, ("i", "gone")),
        (
            "event.total.map(i, i)",
            "map walks a list or a map, and `event.total` is an int",
            7,
            ("event", "total"),
        ),
        ("event.id in event.id", "write text.contains(part)", 10, ()),
        (
            "lower(event.total)",
            "lower needs a string, and `event.total` is an int; write string(x)",
            13,
            ("event", "total"),
        ),
        (
            "event.id.getHours()",
            "getHours needs a timestamp or a duration, and `event.id` is a string",
            7,
            ("event", "id"),
        ),
        ("int(event.id)", "the text is not a whole number", 1, ("event", "id")),
        ("event.id.matches(event.id + '(')", "not a regular expression of RE2", 10, ("event", "id")),
        ("1 / 0", "division by zero", 3, ()),
        ("9223372036854775807 + 1", "64-bit", 21, ()),
        ("-9223372036854775808 - 1", "64-bit", 22, ()),
        ("-9223372036854775808 / -1", "64-bit", 22, ()),
        ("-(-9223372036854775808)", "64-bit", 1, ()),
        ("4611686018427387904 * 2", "64-bit", 21, ()),
        ("-9223372036854775808 % -1", "64-bit", 22, ()),
        ("1 % 0", "division by zero", 3, ()),
        ("1e308 * 10 * (1e400 - 1e400) % 1", "`%` does not take", 30, ()),
        ("event.none[event.id]", "`event.none` is null, so it has no fields", 11, ("event", "none")),
        ("{'a': 1, 'a': 2}", "the same key twice", 10, ()),
        ("{1.5: 2}", "a double cannot be the key of a map", 2, ()),
        ("has(event.none.x)", "`event.none` is null", 16, ("event", "none", "x")),
        ("[1, 'a'].sortBy(x, x)", "cannot be put in order", 10, ()),
        ("first(event.empty)", "the list is empty", 1, ("event", "empty")),
    ],
)
def test_errors(text: str, message: str, column: int, path: tuple[object, ...]) -> None:
    """An error names the expression, the place, and the path that was missing or did not fit."""
    error = error_of(text)
    assert message in error.message
    assert (error.expression, error.line, error.column) == (text, 1, column)
    assert error.path == path
    assert f"`{text}`" in str(error)
    assert error.caret().split("\n")[1] == " " * (column - 1) + "^"


@pytest.mark.parametrize(
    "text",
    [
        "int(event.secret)", "timestamp(event.secret)", "duration(event.secret)", "bool(event.secret)", "event.secret + 1",
        "event[event.secret]", "event.secret.x", "inZone(now, event.secret)", "'a'.matches(event.secret + '(')",
        "event.secret.format([])  == 1 || event.secret.y", "double(event.secret)", "sum([event.secret])",
        "event.secret && true", "{event.secret: 1}.x", "[event.secret].exists(s, s > 1)", "sort([1, event.secret])",
        "withTime(now, event.secret)", "event.secret.substring(50)", "[event.secret][7]",
        "regex.replace('a', 'a', event.secret + '\\\\9')",
    ],
)  # fmt: skip
def test_errors_never_show_data(text: str) -> None:
    """What a customer's data are is in no error."""
    error = error_of(text)
    assert "hunter2" not in str(error)
    assert "hunter2" not in repr(error)
    assert "hunter2" not in error.caret()


def test_now_is_a_variable_like_others() -> None:
    """Functions that ask about the present need `now` among the variables."""
    error = error_of("inLast(event.t, days(1))", {"event": {"t": DATA["now"]}})
    assert "there is no `now` here" in error.message
    assert error.path == ("now",)


def test_first_error_is_told() -> None:
    """Of two sides that fail, the error of the first is told."""
    assert "`event.a` is missing" in error_of("event.a || event.b").message
    assert "`event.a` is missing" in error_of("event.a && event.b && event.c").message


def test_data_are_read_in_place_and_never_changed() -> None:
    """Evaluation leaves its data as they were, whatever it builds of them."""
    before = repr(DATA)
    for text in [
        "event.items + event.items",
        "reverse(event.items)",
        "event.items.sortBy(i, i.n)",
        "distinct(event.items)",
    ]:
        evaluate(text).append("more")
    assert repr(DATA) == before


def test_constants_are_not_shared() -> None:
    """Changing a result does not change the expression."""
    evaluate("[1, 2]").append(3)
    assert evaluate("[1, 2]") == [1, 2]


def test_order_of_maps_is_kept() -> None:
    """Maps are walked in the order in which they were written or received."""
    assert evaluate("{'c': 1, 'a': 2, 'b': 3}.map(k, k)") == ["c", "a", "b"]
    assert evaluate("x.map(k, k)", {"x": {"z": 1, "y": 2}}) == ["z", "y"]


def test_other_mappings_serve_as_data() -> None:
    """Variables and maps in them may be any mapping."""
    data = MappingProxyType({"event": MappingProxyType({"a": 1})})
    assert evaluate("event.a == 1 && has(event.a) && 'a' in event && size(event) == 1", data) is True
    assert "is missing" in error_of("event.b", data).message


def test_naive_timestamps_are_refused() -> None:
    """A timestamp without a zone is no moment."""
    data = {"t": datetime(2026, 1, 1), "now": DATA["now"]}  # noqa: DTZ001
    assert "no time zone" in error_of("t < now", data).message
    assert "no time zone" in error_of("t + hours(1)", data).message
    assert "no time zone" in error_of("t.getHours()", data).message


def test_timestamps_compare_as_moments() -> None:
    """The zone of a timestamp says nothing of what it equals."""
    data = {
        "a": datetime(2026, 1, 1, 12, tzinfo=UTC),
        "b": datetime(2026, 1, 1, 14, tzinfo=timezone(timedelta(hours=2))),
    }
    assert evaluate("a == b && a <= b && a in [b] && [a] == [b] && a - b == duration('0s')", data) is True


def test_values_that_are_none_of_the_language_are_refused() -> None:
    """Objects of the host are no values: nothing in them can be reached."""
    data = {"x": object(), "f": print}
    assert "`x` is no value of the language" in error_of("x.__class__", data).message
    assert "no value of the language" in error_of("f.__globals__", data).message
    with pytest.raises(EvaluationError, match="no JSON"):
        to_json({"a": object()})


def test_attributes_are_out_of_reach() -> None:
    """A dot reads keys of maps, never attributes of Python."""
    for text in ["event.id.__class__", "event.items.append", "event.keys", "(1).real", "now.year", "''.join"]:
        with pytest.raises(EvaluationError):
            evaluate(text)


def test_one_expression_in_many_threads() -> None:
    """An expression holds no state: threads that share one do not disturb each other."""
    expression = compile_expression("event.list.map(x, x * event.k).filter(x, x % 2 == 0).size()")
    results: dict[int, set[int]] = {k: set() for k in range(8)}

    def work(k: int) -> None:
        for _ in range(200):
            results[k].add(expression.evaluate({"event": {"k": k, "list": list(range(50))}}))

    threads = [threading.Thread(target=work, args=(k,)) for k in results]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {k: {25 if k % 2 else 50} for k in results}


def test_to_json() -> None:
    """Values become plain JSON: timestamps and durations text, keys text."""
    value = {
        "t": DATA["now"],
        "d": timedelta(hours=1, milliseconds=5),
        "l": (1, 2.5, None, True),
        1: {True: "x"},
    }
    assert to_json(value) == {
        "t": "2026-06-15T12:00:00Z", "d": "3600.005s", "l": [1, 2.5, None, True], "1": {"true": "x"},
    }  # fmt: skip
    assert to_json(evaluate("inZone(now, 'Europe/Paris')")) == "2026-06-15T14:00:00+02:00"
    assert to_json(evaluate("type(1)")) == "int"
    with pytest.raises(EvaluationError, match="JSON has no number for Infinity"):
        to_json(float("inf"))
