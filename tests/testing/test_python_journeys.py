"""Journeys in Python under the clock of a test."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from temporalio.testing import WorkflowEnvironment

from sojourn.testing import Answer, Journeys, World, prepare_project
from sojourn.testing.blocking import Portal, opener, server_in_thread
from tests.testing.shop import First, Mistaken, Month

SECOND = """
event: jumped
key: event.id
schema: {type: object, required: [id], properties: {id: {type: string}}}
---
journey: second
entry: {event: jumped}
steps:
  wait: {wait: {for: 3d}}
  on: {jump: month, with: {id: "${entry.id}"}}
  done: {end: handed on}
"""


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[Portal, WorkflowEnvironment]]:
    """A server in a thread, as the plugin has it."""
    with server_in_thread() as running:
        yield running


@pytest.fixture
def journeys(server: tuple[Portal, WorkflowEnvironment]) -> Iterator[Any]:
    """What the plugin's fixture of this name gives."""
    with opener(*server) as open_project:
        yield open_project


@pytest.mark.parametrize("cached", [1000, 0])
def test_months(journeys: Any, cached: int) -> None:
    """A class alone is a project; all that it waits for takes the test's time, to the moment."""
    test: Journeys = journeys(journeys=[Month], cached=cached)
    begin = test.now
    test.answer("mail", Answer(status=503), Answer())
    test.send("began", {"id": "ada"})
    test.advance(days=29, hours=23)
    test.instance("ada").assert_waits_at("answer")
    test.advance(days=20)
    test.instance("ada").assert_waits_at("sleep_until")
    test.restart_worker()
    test.finish()
    test.instance("ada").assert_outcome("completed", "nobody answered")
    (call,) = test.calls
    assert (call.at - begin, call.statuses) == (timedelta(days=85), [503, 200])
    assert datetime.fromisoformat(call.parameters["at"]) == call.at
    assert test.instance().path == ["answer", "sleep_until", "action-mail"]


def test_events_and_operators(journeys: Any) -> None:
    """Events end waits at the test's time, and a pause holds code as it holds YAML."""
    test: Journeys = journeys(journeys=[Month])
    for name in ("ada", "ben", "cleo"):
        test.send("began", {"id": name})
    test.pause("ben")
    test.advance(days=3)
    for name in ("ada", "ben"):
        test.send("answered", {"id": name, "text": "yes"})
    test.exit("cleo", reason="asked")
    test.instance("ada").assert_outcome("completed", "yes")
    test.instance("cleo").assert_outcome("exited", "asked")
    assert test.instance("ben").state["status"] == "paused"
    test.advance(days=60)
    test.resume("ben")
    test.instance("ben").assert_outcome("completed", "yes")


def test_a_mistake_in_the_code_fails_the_instance(journeys: Any) -> None:
    """An exception that nobody catches is seen at once, and does not hang the test."""
    test: Journeys = journeys(journeys=[Mistaken])
    test.send("began", {"id": "ada"})
    test.advance(days=2)
    assert test.instance().ended
    assert "NoneType" in (test.instance().text or "")


def test_jumps_between_yaml_and_python(journeys: Any) -> None:
    """From code to YAML and back to code; each instance has the test's clock and mode."""
    texts = {"second.yaml": SECOND.replace("jump: month, with", "jump: last, with")}
    texts["last.yaml"] = (
        "journey: last\nentry: {event: jumped}\nsteps:\n  wait: {wait: {for: 1d}}\n  end: {end: '${journey.mode}'}\n"
    )
    test: Journeys = journeys(texts, journeys=[First], mode="rehearsal")
    begin = test.now
    test.send("began", {"id": "ada"})
    test.finish()
    assert [(one.journey, one.text, one.started - begin) for one in test.instances] == [
        ("first", "jumped", timedelta()),
        ("second", "handed on", timedelta(days=7)),
        ("last", "rehearsal", timedelta(days=10)),
    ]
    assert test.now - begin == timedelta(days=11)


def test_a_jump_into_code(journeys: Any) -> None:
    """A journey of YAML jumps to one of Python, which begins at the moment of the jump."""
    test: Journeys = journeys({"second.yaml": SECOND}, journeys=[Month])
    test.send("jumped", {"id": "ada"})
    test.advance(days=3)
    month = test.instance(journey="month")
    assert (month.started, month.waiting_at) == (test.now, "answer")


async def test_a_world_of_its_own(temporal: WorkflowEnvironment) -> None:
    """Where tests are `async`, `World` takes the same classes."""
    about = prepare_project(journeys=[Month])
    async with World.open(temporal, about.project, journeys=about.journeys) as world:
        await world.send("began", {"id": "ada"})
        await world.finish()
        assert [one.text for one in world.instances] == ["nobody answered"]


def test_what_is_missing_is_said(journeys: Any) -> None:
    """A loaded project has no classes: the message says what to give."""
    project = prepare_project(journeys=[Month]).project
    with pytest.raises(ValueError, match=r"the Python journeys month, .* journeys=\[…\]"):
        journeys(project)
    with pytest.raises(ValueError, match="jumps to `second`, and no journey of that name"):
        journeys(journeys=[First])
