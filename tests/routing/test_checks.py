"""Whether an event is what its definition says, and whose it is."""

from __future__ import annotations

from typing import Any

import pytest

from sojourn.contract.json_values import deeper_than
from sojourn.contract.profile_keys import MAX_KEY, key_text
from sojourn.routing import EventResult, IncomingEvent
from sojourn.routing.event_check import EventCheck, UnusableDefinition
from tests.routing.world import NOON

SCHEMA = {
    "type": "object",
    "required": ["customerId", "items"],
    "properties": {
        "customerId": {"type": ["string", "number", "null", "object", "boolean"]},
        "items": {"type": "array", "items": {"type": "object", "required": ["sku"]}},
    },
}


def apply(data: Any, **definition: Any) -> str | EventResult:
    """Apply a definition to an event with this data."""
    check = EventCheck.of({"name": "cart.updated", "key": "event.customerId", **definition})
    return check.apply(IncomingEvent("e1", "cart.updated", NOON, data))


def reason(data: Any, **definition: Any) -> str:
    """The reason for which an event is refused."""
    result = apply(data, **definition)
    assert isinstance(result, EventResult), result
    assert result.status == "refused"
    return result.refusals[0].reason


@pytest.mark.parametrize(
    ("value", "key"),
    [
        ("c-1", "c-1"),
        (" padded ", " padded "),
        ("zoë ✓ \U0001f600\u0000\ud800", "zoë ✓ \U0001f600\u0000\ud800"),
        ("a" * MAX_KEY, "a" * MAX_KEY),
        (42, "42"),
        (42.0, "42"),
        (-0.0, "0"),
        (1.5, "1.5"),
        (10**20, "100000000000000000000"),
        (0, "0"),
    ],
)
def test_texts_and_numbers_are_keys(value: Any, key: str) -> None:
    """A whole number is the same profile however JSON wrote it."""
    assert apply({"customerId": value}) == key


@pytest.mark.parametrize("value", ["", "  ", None, True, False, [], ["a"], {}, {"a": 1}])
def test_everything_else_is_no_key(value: Any) -> None:
    """An event that belongs to nobody in particular is refused with the expression that says so."""
    assert reason({"customerId": value}) == "no_key"
    assert key_text(value) is None


def test_a_key_is_bounded() -> None:
    """A key longer than the profile store and the API take is refused, and told the bound, not repeated."""
    result = apply({"customerId": "a" * (MAX_KEY + 1)})
    assert isinstance(result, EventResult)
    assert result.refusals[0].reason == "no_key"
    assert "at most 1,000" in result.refusals[0].message
    assert "aaa" not in result.refusals[0].message


def test_a_missing_key_is_named() -> None:
    """The sender learns which field is missing, and by which expression."""
    result = apply({})
    assert isinstance(result, EventResult)
    assert result.refusals[0].reason == "no_key"
    assert "event.customerId" in result.refusals[0].message


def test_a_schema_violation_says_where_without_quoting_data() -> None:
    """Every violation has its place; what the customer typed is in no message."""
    data = {"customerId": "c", "items": [{"sku": 1}, {}, "secret-value"]}
    result = apply(data, schema=SCHEMA)
    assert isinstance(result, EventResult)
    (refusal,) = result.refusals
    assert refusal.reason == "invalid"
    assert {violation.path for violation in refusal.violations} == {"/items/1", "/items/2"}
    assert "secret-value" not in str(result.as_dict())


def test_a_missing_field_is_told_in_a_sentence() -> None:
    """What is wrong with the data as a whole needs no place."""
    result = apply({}, schema={"type": "object", "required": ["customerId"]})
    assert isinstance(result, EventResult)
    message = result.refusals[0].message
    assert message.endswith(': "customerId" is a required property')
    assert message.count(": ") == 1


def test_paths_are_json_pointers() -> None:
    """Field names with slashes and tildes are escaped as RFC 6901 says."""
    schema = {"properties": {"a/b~c": {"type": "string"}}}
    result = apply({"a/b~c": 1}, schema=schema)
    assert isinstance(result, EventResult)
    assert result.refusals[0].violations[0].path == "/a~1b~0c"


def test_a_flood_of_violations_is_cut() -> None:
    """An answer does not grow with what a sender got wrong."""
    result = apply({"customerId": "c", "items": [{}] * 1000}, schema=SCHEMA)
    assert isinstance(result, EventResult)
    assert len(result.refusals[0].violations) == 20


@pytest.mark.parametrize("data", [None, 1, "text", [], [1]])
def test_without_a_schema_the_data_is_an_object(data: Any) -> None:
    """Expressions could not speak of anything else."""
    assert reason(data) == "invalid"


@pytest.mark.parametrize(
    ("rule", "data", "expected"),
    [
        ("size(event.items) > 0", {"customerId": "c", "items": [1]}, "c"),
        ("size(event.items) > 0", {"customerId": "c", "items": []}, "rule_false"),
        ("size(event.items) > 0", {"customerId": "c"}, "rule_false"),
        ("size(event.items) > 0", {"customerId": "c", "items": 5}, "rule_false"),
        ("event.items", {"customerId": "c", "items": "yes"}, "rule_false"),
    ],
)
def test_a_rule_that_does_not_hold_or_has_no_answer_refuses(rule: str, data: Any, expected: str) -> None:
    """False, a missing field, a wrong type and a value that is no truth are all `rule_false`."""
    result = apply(data, when=rule)
    assert (result if isinstance(result, str) else result.refusals[0].reason) == expected


def test_the_schema_is_checked_before_the_rule_and_the_rule_before_the_key() -> None:
    """Each refusal names the first thing that is wrong."""
    definition = {"schema": SCHEMA, "when": "size(event.items) > 0"}
    assert reason({}, **definition) == "invalid"
    assert reason({"customerId": "", "items": []}, **definition) == "rule_false"
    assert reason({"customerId": "", "items": [{"sku": 1}]}, **definition) == "no_key"


@pytest.mark.parametrize(
    "definition",
    [
        {"key": "event..x"},
        {"when": "no_such_function("},
        {"schema": {"$ref": "http://127.0.0.1:1/schema.json"}},
    ],
)
def test_a_definition_that_cannot_be_used_is_told_apart(definition: dict[str, Any]) -> None:
    """It is not the sender's fault; and a remote schema is never fetched."""
    with pytest.raises(UnusableDefinition, match=r"cart\.updated"):
        apply({"customerId": "c"}, **definition)


def test_depth_does_not_hurt() -> None:
    """Data nested thousands of levels deep is answered, whatever the answer."""
    data: Any = {}
    for _ in range(5000):
        data = {"a": data}
    schema = {"type": "object", "additionalProperties": {"$ref": "#"}}
    assert reason(data, schema=schema) in ("invalid", "no_key")


@pytest.mark.parametrize(
    ("value", "levels"),
    [("text", 0), (None, 0), ([], 1), ({}, 1), ({"a": 1}, 1), ([[], {"a": []}], 3), ({"a": {"b": [1]}}, 3)],
)
def test_levels_are_counted_with_the_empty_ones(value: Any, levels: int) -> None:
    """A value is deeper than any number below its own, and not deeper than its own."""
    assert not deeper_than(value, levels)
    assert levels == 0 or deeper_than(value, levels - 1)
