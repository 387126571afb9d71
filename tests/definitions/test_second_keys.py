"""Second keys in definitions: what `per` may yield of each event, and `journey.per`."""

from __future__ import annotations

import pytest

from sojourn.definitions import Project, load_texts

EVENTS = """
event: placed
key: event.id
schema:
  type: object
  properties:
    id: {type: string}
    order: {type: string}
    number: {type: number}
    flag: {type: boolean}
    lines: {type: array, items: {type: object, properties: {id: {type: number}}}}
---
event: shipped
key: event.id
schema: {type: object, properties: {id: {type: string}, order: {type: string}, number: {type: boolean}}}
---
event: left
key: event.id
schema: {type: object, properties: {id: {type: string}}}
---
"""


def project(per: str | None, then: str = "done") -> Project:
    """A journey with a second key."""
    entry = "{event: placed}" if per is None else f'{{event: placed, per: "{per}"}}'
    return load_texts(
        {
            "j.yaml": f"{EVENTS}journey: j\nentry: {entry}\nexit_when: [{{event: left}}]\nsteps:\n"
            "  wait: {wait_for: [{event: shipped}], timeout: {after: 1d}}\n"
            f'  stop: {{end: "{then}"}}\n'
        }
    )


@pytest.mark.parametrize(
    "per",
    [
        "event.order",
        "event.lines.map(line, line.id)",
        "has(event.order) ? event.order : string(event.number)",
        "event.id + '/' + event.order",
    ],
)
def test_an_expression_that_yields_keys(per: str) -> None:
    """Of the entry event; another event whose schema has no such field carries none."""
    found = project(per, "${journey.per}")
    assert found.errors == []
    assert found.compiled()["j"]["entry"] == {"event": "placed", "per": per}


@pytest.mark.parametrize(
    ("per", "code", "said"),
    [
        ("event.flag", "E403", "is a bool"),
        ("event", "E403", "map"),
        ("event.oder", "E402", "no field `oder`"),
        ("entry.order", "E402", "`entry` is not known here"),
        ("event.order +", "E401", ""),
        ("event.number", "E403", "Of the event `shipped` this is no key"),
    ],
)
def test_an_expression_that_does_not(per: str, code: str, said: str) -> None:
    """Refused at its place, also where it is no key of another event that has the field."""
    (problem,) = project(per).errors
    assert (problem.code, problem.field) == (code, "entry.per")
    assert said in problem.message


def test_the_value_in_expressions() -> None:
    """It has the type that the expression yields; without a second key there is none."""
    assert project("event.order", "${size(journey.per)}").errors == []
    (problem,) = project("event.order", "${journey.per * 2}").errors
    assert problem.code == "E403"
    (problem,) = project(None, "${journey.per}").errors
    assert (problem.code, problem.field) == ("E402", "steps.stop.end")


def test_a_journey_without_one_compiles_as_before() -> None:
    """So it does not get a new version with the release that brings second keys."""
    assert project(None).compiled()["j"]["entry"] == {"event": "placed"}
