"""What is found before an expression runs."""

from __future__ import annotations

import pytest

from sojourn.expressions import (
    ANY,
    BOOL,
    DOUBLE,
    INT,
    LIST,
    MAP,
    NULL,
    NUMBER,
    STRING,
    TIMESTAMP,
    Finding,
    Type,
    from_json_schema,
    from_value,
    list_of,
    map_of,
    union,
)
from sojourn.expressions import compile as compile_expression

EVENT = from_json_schema(
    {
        "type": "object",
        "properties": {
            "cartId": {"type": "string"},
            "total": {"type": "number"},
            "count": {"type": "integer"},
            "vip": {"type": "boolean"},
            "note": {"type": ["string", "null"]},
            "placedAt": {"type": "string", "format": "date-time"},
            "status": {"enum": ["new", "paid"]},
            "items": {"type": "array", "items": {"$ref": "#/$defs/item"}},
            "tags": {"type": "array", "items": {"type": "string"}},
            "extra": {"type": "object"},
            "prices": {"type": "object", "additionalProperties": {"type": "number"}},
            "open": {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": True},
            "choice": {
                "oneOf": [{"type": "string"}, {"type": "object", "properties": {"id": {"type": "string"}}}]
            },
        },
        "$defs": {
            "item": {"type": "object", "properties": {"sku": {"type": "string"}, "price": {"type": "number"}}}
        },
    }
)
SCOPE: dict[str, Type] = {
    "event": EVENT,
    "events": map_of({"cart.updated": EVENT}),
    "now": TIMESTAMP,
    "steps": ANY,
}


def check(text: str, expected: Type | None = None) -> list[Finding]:
    """Return what is found in an expression."""
    return compile_expression(text).check(SCOPE, expected)


@pytest.mark.parametrize(
    ("text", "column", "message", "hint"),
    [
        ("event.cartID", 7, "`event` has no field `cartID`", "did you mean `cartId`?"),
        ("has(event.cartID)", 11, "`event` has no field `cartID`", "did you mean `cartId`?"),
        ("default(event.cart_id, 1)", 15, "`event` has no field `cart_id`", "did you mean `cartId`?"),
        ('event["cartID"]', 7, "`event` has no field `cartID`", "did you mean `cartId`?"),
        ('events["cart.update"].total', 8, "`events` has no field `cart.update`", "did you mean `cart.updated`?"),
        ("event.zzz", 7, "`event` has no field `zzz`", "it has: cartId, choice, count,"),
        ("evnt.total", 1, "`evnt` is not known here", "did you mean `event`?"),
        ("profile.x", 1, "`profile` is not known here", "known are: event, events, now, steps"),
        ("event.items[0].prize", 16, "`event.items[0]` has no field `prize`", "did you mean `price`?"),
        ("event.items.exists(i, i.prize > 1)", 25, "`i` has no field `prize`", "did you mean `price`?"),
        ("event.items.exists(k, i, i.prize > 1)", 28, "`i` has no field `prize`", "did you mean `price`?"),
        ("event.items.filter(i, i.price > 1)[0].prize", 39, "has no field `prize`", "did you mean `price`?"),
        ("first(event.items).prize", 20, "has no field `prize`", "did you mean `price`?"),
        ("event.items.sku", 13, "`event.items` is a list, which has no fields", "take an item"),
        ("event.total.x", 13, "`event.total` is a number, which has no fields", None),
        ("event.total[0]", 12, "`event.total` is a number, which has no items", None),
        ("event.tags['a']", 12, "the index of a list must be a number", None),
        ('event.total > "100"', 13, "`>` does not fit: `event.total` is a number, the constant is a string", "write 100, without quotes"),
        ('event.total == "100"', 13, "`==` is never true", None),
        ('event.total != "100"', 13, "`!=` is always true", None),
        ("event.placedAt > now", 16, "`>` does not fit", "write timestamp(text)"),
        ("event.cartId + 1", 14, "`+` does not fit: `event.cartId` is a string", "write string(x)"),
        ("now - 3", 5, "`-` does not fit", "days(x)"),
        ("event.placedAt + hours(1)", 16, "`+` does not fit", "timestamp(text)"),
        ("event.vip * 2", 11, "`*` does not fit", None),
        ("event.cartId && true", 7, "what `&&` joins must be a bool, and `event.cartId` is a string", "compare it"),
        ("!event.total", 8, "must be a bool, and `event.total` is a number", "`x > 0`"),
        ("-event.cartId", 1, "`-` needs a number", None),
        ("event.total ? 1 : 2", 7, "the condition before `?` must be a bool", None),
        ("event.items.filter(i, i.price)", 25, "the condition of filter must be a bool", None),
        ("event.total.map(x, x)", 13, "map walks a list or a map, and `event.total` is a number", None),
        ("1 in event.tags", 3, "`in` is never true, since the list holds no such values", None),
        ('"a" in event.cartId', 5, "`in` needs a list or a map", "text.contains(part)"),
        ("size(event.total)", 12, "size needs", None),
        ("event.total.lower()", 7, "lower needs a string here, and `event.total` is a number", "write string(x)"),
        ("event.placedAt.getHours()", 7, "getHours needs", "write timestamp(text)"),
        ("inLast(event.placedAt, days(1))", 14, "inLast needs a timestamp", "write timestamp(text)"),
        ('event.cartId.matches("(")', 22, "the pattern is not a regular expression", None),
        ('inZone(now, "Europe/Pari")', 13, "no such time zone", None),
        ('startOfDay(now, "CEST+1")', 17, "no such time zone", None),
        ('duration("1 hour")', 1, "duration cannot work here: the text is not a duration", None),
        ('now > timestamp("2026-13-01T00:00:00Z")', 7, "names a day or a time that does not exist", None),
        ('event.choice.x', 14, "`event.choice` has no field `x`", "it has: id"),
        ("[event.cartId, 1][0].x", 22, "which has no fields", None),
    ],
)  # fmt: skip
def test_findings(text: str, column: int, message: str, hint: str | None) -> None:
    """What cannot work is found, with its place and what to write instead."""
    findings = check(text)
    assert len(findings) == 1, findings
    assert message in findings[0].message
    assert (findings[0].line, findings[0].column) == (1, column)
    assert findings[0].unknown == ("has no field" in findings[0].message or "is not known" in message)
    if hint is not None:
        assert hint in (findings[0].hint or "")
        assert hint in str(findings[0])


@pytest.mark.parametrize(
    "text",
    [
        "event.total > 100 && event.count % 2 == 0 && event.cartId.startsWith('a')",
        "event.note == null || event.note != 'x'",
        "event.note.lower() == 'x'",
        "event.cartId == null",
        "event.status == 'new'",
        "event.extra.anything.at.all > 3 && steps.x.y",
        "event.prices.shoes > 3 && event.prices['boots'] > 4",
        "event.open.b && event.open.a == 'x'",
        "event.choice.id == 'x' || event.choice == 'x'",
        "event.items.all(i, i.price > 0 && i.sku != '')",
        "event.items.map(i, i.price).exists(p, p > 3.5)",
        "sum(event.items.map(i, i.price)) > 3 && max(event.items.map(i, i.price)) < 5",
        "inLast(timestamp(event.placedAt), days(2)) && now.getHours('Europe/Paris') < 12",
        "default(event.note, 'none').size() > 3",
        "[1, 'a', true][0] == 1",
        "type(event.note) == string",
        "events['cart.updated'].total > 1",
        "event.tags.exists(t, t == 'x') && 'x' in event.tags && limit(event.tags, 2).join(',') == ''",
        "event.total == 100.0 && event.count == 1.0 && event.total in [1, 2]",
        "(event.vip ? event.total : 0) > 1",
        "{'a': event.total}.a > 1",
        "now + duration('1h') - now < hours(2)",
    ],
)
def test_what_may_work_is_left_alone(text: str) -> None:
    """Only what no data as described could make right is found."""
    assert check(text, BOOL) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("event.total", "a bool is needed here, and `event.total` is a number"),
        ("event.cartId", "`event.cartId` is a string"),
        ("event.items", "`event.items` is a list"),
        ("1 + 1", "this is an int"),
        ("event.items.map(i, i.price)", "this is a list"),
    ],
)
def test_a_condition_that_cannot_be_a_bool_is_found(text: str, message: str) -> None:
    """What an expression must be is compared with what it can be."""
    [finding] = check(text, BOOL)
    assert message in finding.message
    assert finding.hint


def test_findings_come_in_the_order_of_the_text() -> None:
    """Several findings are told together."""
    assert [f.column for f in check("event.a > 1\n  && evnt.b")] == [7, 6]


@pytest.mark.parametrize(
    ("text", "type_"),
    [
        ("event.total", NUMBER), ("event.total > 1", BOOL), ("1 + 1", INT), ("event.cartId + 'x'", STRING),
        ("event.tags", list_of(STRING)), ("event.items.map(i, i.sku)", list_of(STRING)), ("now", TIMESTAMP),
        ("event.vip ? 'a' : 1", union(STRING, INT)), ("steps.x", ANY), ("default(event.note, 'x')", STRING),
        ("first(event.tags)", STRING), ("event.tags.filter(t, true)", list_of(STRING)), ("evnt.x", ANY),
    ],
)  # fmt: skip
def test_types(text: str, type_: Type) -> None:
    """The type of an expression follows from what its parts are."""
    assert compile_expression(text).type(SCOPE) == type_


def test_schemas_that_say_little_leave_everything_open() -> None:
    """Where a schema is open, strange or refers elsewhere, nothing is assumed."""
    for schema in [{}, True, None, {"$ref": "https://example.com/x"}, {"type": "nonsense"}, {"$ref": "#/nowhere"},
                   {"$ref": "#"}, {"anyOf": [{}, {"type": "string"}]}, {"not": {"type": "string"}}]:  # fmt: skip
        scope = {"event": from_json_schema(schema)}
        assert compile_expression("event.a.b > 3").check(scope) == [], schema


def test_all_of_brings_fields_together() -> None:
    """Parts that all hold are read together."""
    part = {"type": "object", "properties": {"a": {"type": "string"}}}
    scope = {
        "x": from_json_schema({"allOf": [part, {"properties": {"b": {"type": "number"}}}], "type": "object"})
    }
    assert compile_expression("x.a == '' && x.b > 1").check(scope) == []
    assert len(compile_expression("x.c").check(scope)) == 1


def test_unions_keep_what_both_sides_say() -> None:
    """A side that is no list says nothing of items; one that is a list of anything takes all away."""
    assert union(list_of(STRING), STRING).item == STRING
    assert union(STRING, list_of(STRING), list_of(INT)).item == union(STRING, INT)
    assert union(list_of(STRING), LIST).item is None
    assert union(map_of({"a": STRING}), STRING).fields == {"a": STRING}
    assert union(map_of({"a": STRING}), MAP).fields is None
    both = union(map_of({"a": STRING, "b": INT}), map_of({"a": INT}, rest=BOOL))
    assert both.fields == {"a": union(STRING, INT), "b": INT}
    assert both.rest == BOOL
    assert union(map_of({}), map_of({})).rest is None
    assert union() == ANY


def test_types_of_values() -> None:
    """The type of a value at hand has its fields and no others."""
    type_ = from_value({"a": [1, "x"], "b": None, "c": {"d": 1.5}})
    assert type_ == map_of({"a": list_of(union(INT, STRING)), "b": NULL, "c": map_of({"d": DOUBLE})})
    assert from_value(object()) == ANY


def test_types_read_well() -> None:
    """A type is written as one would say it."""
    assert str(union(NUMBER, from_json_schema({"type": "null"}))) == "a number or null"
    assert str(ANY) == "any value"
    assert str(from_json_schema({"type": ["object", "array"]})) == "a list or a map"
