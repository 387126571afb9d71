"""Wrong compiled definitions: each is refused before anything runs, with what is wrong."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.workflows.compiled_check import FORMAT, parse_definition, problem
from sojourn.workflows.engine.messages import BadMessage
from sojourn.workflows.start import parse_start
from sojourn.workflows.steps import KINDS
from tests.workflows.support import Shop, compiled, project

EVERY_KIND = """
journey: j
entry: {event: entered}
exit_when: [{event: other, when: event.amount > 3}]
steps:
  plan: {set: {due: '${now + duration("48h")}'}}
  ask: {fetch: crm, with: {id: "${entry.customerId}"}, on_error: late}
  listen:
    wait_for: [{event: answered, when: event.ok, next: pause}]
    timeout: {after: 1d, next: late}
  pause: {wait: {for: 1h}}
  morning: {wait: {until_time: "09:00", on: [mon, fri]}}
  moment: {wait: {until: "${steps.plan.due}"}}
  choose:
    condition: [{when: "'amount' in entry", next: hours}]
    else: late
  hours:
    time_condition: {hours: "09:00-17:00", days: [mon], dates: {from: 2026-05-01, to: 2026-12-31}}
    next: draw
    else: late
  draw:
    split: {branches: [{share: 40, next: remind}, {share: 60, next: late}]}
  remind: {action: send, with: {to: x, data: 1}}
  mark: {update_profile: {tier: gold}}
  over: {jump: k}
  note: {log: {message: "${entry.customerId}", level: debug}}
  late: {end: late}
---
journey: k
entry: {event: entered}
steps:
  done: {end: done}
"""


@pytest.fixture(scope="module")
def every_kind() -> dict[str, Any]:
    """Return a valid definition with a step of every kind."""
    shop = Shop()
    try:
        definition = compiled(project(EVERY_KIND, shop))
    finally:
        shop.close()
    assert {step["kind"] for step in definition["steps"].values()} == set(KINDS)
    assert problem(definition) is None
    return definition


def changed(definition: dict[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    """Return a copy of a definition with another value at a place; `...` removes it."""
    copied = copy.deepcopy(definition)
    inner = copied
    for part in path[:-1]:
        inner = inner[part]
    if value is ...:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return copied


WRONG: list[tuple[tuple[Any, ...], Any, str]] = [
    (("first",), "nowhere", "no step `nowhere` to begin with"),
    (("timeout",), -1, "`timeout` must be a number that is not negative"),
    (("max_visits",), 10**12, "`max_visits` must be"),
    (("max_wait",), "long", "TypeError"),
    (("timezone",), 2, "TypeError"),
    (("timezone",), "${1 +}", "Error"),
    (("profile",), {"attributes": [1]}, "`profile` must be"),
    (("profile",), {}, "KeyError"),
    (("exit_when", 0, "when"), "event.amount >", "Error"),
    (("exit_when", 0, "event"), None, "TypeError"),
    (("steps", "plan", "kind"), "dance", "the kind `dance`, which this worker does not know"),
    (("steps", "plan", "kind"), ..., "KeyError"),
    (("steps", "plan", "values"), ..., "steps.plan lacks `values`"),
    (("steps", "plan", "values"), {"due": "${now +}"}, "Error"),
    (("steps", "plan", "next"), "nowhere", "steps.plan leads to `nowhere`"),
    (("steps", "ask", "endpoint"), "unknown", "KeyError"),
    (("steps", "ask", "on_error"), "nowhere", "steps.ask leads to `nowhere`"),
    (("endpoints", "crm", "kind"), "event", "neither a source nor an action"),
    (("steps", "listen", "events"), ..., "lacks `events`"),
    (("steps", "listen", "events", 0, "next"), "nowhere", "leads to `nowhere`"),
    (("steps", "listen", "events", 0, "when"), "event.(", "Error"),
    (("steps", "listen", "timeout"), {"next": "late"}, "KeyError"),
    (("steps", "listen", "timeout", "next"), "nowhere", "leads to `nowhere`"),
    (("steps", "pause", "for"), ..., "KeyError"),
    (("steps", "morning", "until_time"), "25:00", "must be a time of day"),
    (("steps", "morning", "on"), ["mon", "someday"], "days must be mon"),
    (("steps", "moment", "until"), "${(}", "Error"),
    (("steps", "choose", "branches", 0, "when"), None, "TypeError"),
    (("steps", "choose", "else"), "nowhere", "leads to `nowhere`"),
    (("steps", "hours", "hours"), [[540, 1441]], "pairs of minutes"),
    (("steps", "hours", "hours"), [[540, 540]], "pairs of minutes"),
    (("steps", "hours", "hours"), [540], "TypeError"),
    (("steps", "hours", "days"), ["sunday"], "days must be mon"),
    (("steps", "hours", "from"), "20260501", "must be a date"),
    (("steps", "hours", "to"), "2026-02-30", "ValueError"),
    (("steps", "draw", "branches", 0, "share"), "40", "TypeError"),
    (("steps", "draw", "by"), ..., "lacks `by`"),
    (("steps", "remind", "with"), ..., "lacks `with`"),
    (("steps", "mark", "values"), ..., "lacks `values`"),
    (("steps", "over", "journey"), ..., "lacks `journey`"),
    (("steps", "late", "outcome"), ..., "lacks `outcome`"),
    (("steps",), [], "no step"),
]


@pytest.mark.parametrize(
    ("path", "value", "found"), WRONG, ids=[f"{'.'.join(map(str, p))}-{f}" for p, _, f in WRONG]
)
def test_a_wrong_definition_is_refused(
    every_kind: dict[str, Any], path: tuple[Any, ...], value: Any, found: str
) -> None:
    """Whoever starts it learns what is wrong, and no workflow task fails."""
    wrong = changed(every_kind, path, value)
    assert found in str(problem(wrong))
    with pytest.raises(BadMessage, match="cannot be run by this worker"):
        parse_definition(wrong)


@pytest.mark.parametrize(
    ("definition", "found"),
    [
        (None, "must be a compiled journey"),
        ([], "must be a compiled journey"),
        ({"name": "j", "version": 1, "first": "a"}, "must be a compiled journey"),
        ({"name": "j", "version": 1, "first": "a", "steps": {}}, "has format None"),
        ({"name": "j", "version": 1, "first": "a", "steps": {}, "format": FORMAT + 1}, "update it"),
    ],
)
def test_what_is_no_definition_of_this_format_is_refused(definition: Any, found: str) -> None:
    """The worker says which format it knows."""
    with pytest.raises(BadMessage, match=found):
        parse_definition(definition)


@pytest.mark.parametrize(
    ("field", "value", "found"),
    [
        ("key", "", "`key` must be"),
        ("key", 3, "`key` must be"),
        ("per", "", "`per` must be"),
        ("per", True, "`per` must be"),
        ("event", None, "an event is a JSON object"),
        ("clock", "yesterday", "`clock` must be an RFC 3339 time"),
    ],
)
def test_a_wrong_start_is_refused(every_kind: dict[str, Any], field: str, value: Any, found: str) -> None:
    """Also if its definition is right."""
    event = {"id": "e", "name": "entered", "time": "2026-05-01T09:30:00Z", "data": {}}
    start = {"definition": every_kind, "event": event, "key": "ann"}
    assert parse_start(start).key == "ann"
    with pytest.raises(BadMessage, match=found):
        parse_start({**start, field: value})


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the place of every value in a definition."""
    found = [path] if path else []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        found += places(inner, (*path, key))
    return found


@given(data=st.data())
def test_whatever_is_wrong_is_said_and_not_raised(every_kind: dict[str, Any], data: st.DataObject) -> None:
    """With any value in any place, the check answers a text without raising, and never changes the definition."""
    path = data.draw(st.sampled_from(places(every_kind)))
    value = data.draw(
        st.sampled_from([..., None, 0, -1, True, "", "x", "${", "${1}", [], [1], {}, {"a": 1}, "next"])
    )
    wrong = changed(every_kind, path, value)
    before = json.dumps(wrong)
    found = problem(wrong)
    assert found is None or (isinstance(found, str) and len(found) <= 300)
    assert json.dumps(wrong) == before
