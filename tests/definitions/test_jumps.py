"""`jump`: what is checked of the journey that it leads to, and of the data that it takes there."""

from __future__ import annotations

import pytest

from sojourn.definitions.compiled import jump_targets
from tests.definitions.projects import BASE, brief, errors, project, steps

OTHER = """
event: moved
key: event.id
schema:
  type: object
  required: [id, level]
  additionalProperties: false
  properties: {id: {type: string}, level: {type: integer, minimum: 1}, note: {type: string}}
---
journey: k
entry: {event: moved}
steps: {a: {end: x}}
"""


@pytest.mark.parametrize(
    ("jump", "expected"),
    [
        ("jump: k", ["E316 j.yaml:4:7 steps.b.jump"]),
        ('jump: k, with: {id: "${entry.customerId}"}', ["E316 j.yaml:4:16 steps.b.with"]),
        (
            'jump: k, with: {id: "${entry.customerId}", level: 1, nope: 1}',
            ["E317 j.yaml:4:60 steps.b.with.nope"],
        ),
        (
            'jump: k, with: {id: "${entry.items}", level: 1}',
            ["E403 j.yaml:4:36 steps.b.with.id"],
        ),
        (
            'jump: k, with: {id: "${entry.customerId}", level: 0}',
            ["E403 j.yaml:4:57 steps.b.with.level"],
        ),
        (
            'jump: k, with: {id: "${entry.nope}", level: 1}',
            ["E402 j.yaml:4:36 steps.b.with.id"],
        ),
        ('jump: k, with: {id: "${entry.customerId}", level: 1}', []),
    ],
)
def test_data_of_a_jump(jump: str, expected: list[str]) -> None:
    """What `with` gives is checked against the schema of the event on which profiles enter the other journey."""
    found = errors(steps(f"b: {{{jump}, on_error: c}}\nc: {{end: x}}"), k__yaml=OTHER)
    assert brief(found) == expected


def test_same_entry_event_needs_no_data() -> None:
    """Where both journeys enter on the same event, its data goes on."""
    other = steps("a: {end: x}", name="k")
    found = project(steps("b: {jump: k, on_error: c}\nc: {end: x}"), k__yaml=other)
    assert found.problems == []
    compiled = found.compiled()["j"]
    assert compiled["steps"]["b"] == {
        "kind": "jump",
        "label": None,
        "on_error": "c",
        "journey": "k",
        "with": None,
        "next": "c",
    }
    assert jump_targets(compiled) == ["k"]
    assert BASE in found.files["base.yaml"]


def test_a_jump_calls_out() -> None:
    """Without an error path, one is warned."""
    found = project(steps("b: {jump: k}"), k__yaml=steps("a: {end: x}", name="k"))
    assert brief(found.problems) == ["W601 j.yaml:4:3 steps.b"]


def test_profile_in_the_data_of_a_jump() -> None:
    """An attribute that only a jump names is given to the instance."""
    other = steps("a: {end: x}", name="k")
    jump = 'b: {jump: k, with: {customerId: "${profile.id}", cartId: c, items: []}, on_error: c}\nc: {end: x}'
    compiled = project(steps(jump), k__yaml=other).compiled()["j"]
    assert compiled["profile"] == {"attributes": ["id"]}
