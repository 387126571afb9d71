"""Playing journeys from Python: what `Journeys` shows, and how its assertions fail."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.testing import WorkflowEnvironment

from sojourn.testing import Answer, Journeys
from sojourn.testing.blocking import Portal, opener, server_in_thread
from tests.testing.test_command import PROJECT

LOOP = """
event: began
key: event.id
schema: {type: object, properties: {id: {type: string}}}
---
journey: circle
entry: {event: began}
steps:
  wait: {wait: {for: 1s}}
  again: {condition: [{when: "true", next: wait}], else: end}
  end: {end: never}
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


def _month(journeys: Any, **options: Any) -> Journeys:
    test: Journeys = journeys({"journey.yaml": PROJECT}, **options)
    return test


def test_a_month(journeys: Any) -> None:
    """Time stands where the test put it; the call carries the request that was made, and its moment."""
    begin = datetime(2024, 2, 1, 8, tzinfo=UTC)
    test = _month(journeys, now=begin)
    assert test.send("began", {"id": "ada"}).status == "accepted"
    test.advance(days=29, hours=23)
    assert (test.now, test.calls) == (begin + timedelta(days=29, hours=23), [])
    test.instance("ada").assert_waits_at("month")
    test.advance(hours=1)
    (call,) = test.calls_of("mail")
    assert (call.at, call.parameters, call.body) == (
        datetime(2024, 3, 2, 8, tzinfo=UTC),
        {"to": "ada"},
        {"to": "ada"},
    )
    assert (call.profile, call.journey, call.step, len(call.idempotency_key or "")) == (
        "ada",
        "month",
        "mail",
        64,
    )
    test.instance().assert_outcome("completed", "done")
    test.instance().assert_path("month", "mail", "done")


def test_everybody_has_one_clock(journeys: Any) -> None:
    """Instances that entered at different times each go on at their own moments, in the order of those."""
    test = _month(journeys)
    for day in range(5):
        test.send("began", {"id": f"p{day}"})
        test.advance(days=1)
    test.finish()
    assert [(call.profile, (call.at - test.calls[0].at).days) for call in test.calls] == [
        (f"p{day}", day) for day in range(5)
    ]


def test_without_a_cache_and_over_restarts(journeys: Any) -> None:
    """A worker that forgets everything, and one that is replaced, change nothing of what happens."""
    test = _month(journeys, cached=0)
    test.send("began", {"id": "ada"})
    test.advance(days=10)
    test.restart_worker()
    test.answer("mail", Answer(status=503), Answer(status=202))
    test.finish()
    test.instance("ada").assert_outcome("completed", "done")
    assert test.calls[0].statuses == [503, 202]


def test_operators(journeys: Any) -> None:
    """Pausing, going on and letting out work on the instances that are named."""
    test = _month(journeys)
    for name in ("ada", "ben"):
        test.send("began", {"id": name})
    test.pause("ada")
    test.advance(days=40)
    assert test.instance("ada").state["status"] == "paused"
    test.instance("ben").assert_outcome("completed")
    test.resume("ada")
    assert test.calls_of("mail")[-1].at == test.now
    test.send("began", {"id": "cleo"})
    test.exit("cleo", reason="asked")
    test.instance("cleo").assert_outcome("exited", "asked")


def test_operators_steer_whole_journeys(journeys: Any) -> None:
    """Closed, stopped and reopened as in earnest; what the state does not allow is told as in earnest."""
    test = _month(journeys)
    test.send("began", {"id": "ada"})
    test.act("month", "close")
    assert test.send("began", {"id": "ben"}).refusals[0].reason == "not_live"
    with pytest.raises(ValueError, match="cannot pause month: month is closed"):
        test.act("month", "pause")
    with pytest.raises(ValueError, match="there is no journey mnth"):
        test.act("mnth", "close")
    with pytest.raises(ValueError, match="is the newest"):
        test.move("month", 1)
    assert test.state("month") == "closed"
    test.stop("ada")
    test.instance("ada").assert_outcome("stopped")
    assert test.state("month") == "finished"
    test.act("month", "reopen")
    assert (test.state("month"), test.state("mnth")) == ("live", None)


def test_moving_says_who_stays(journeys: Any) -> None:
    """By workflow id, with the reason."""
    test = _month(journeys)
    test.send("began", {"id": "ada"})
    test.publish({"journey.yaml": PROJECT.replace("  month:", "  other:")})
    ((workflow_id, why),) = test.move("month").items()
    assert (workflow_id, "which version 2 has not" in why) == ("month:ada", True)
    assert test.instance("ada").version == 1


def test_what_happens_during_a_call(journeys: Any) -> None:
    """It comes before the answer, and only the first time that this is given."""
    test = _month(journeys)
    test.answer("mail", during=[{"event": "began", "data": {"id": "ben"}}])
    test.send("began", {"id": "ada"})
    test.finish()
    assert [(one.profile, one.started - test.instance("ada").started) for one in test.instances] == [
        ("ada", timedelta()),
        ("ben", timedelta(days=30)),
    ]
    with pytest.raises(ValueError, match="This says nothing that happens"):
        test.answer("mail", during=[{}])


def test_another_version(journeys: Any) -> None:
    """What is published meets those who enter from then on."""
    test = _month(journeys)
    test.send("began", {"id": "ada"})
    test.publish({"journey.yaml": PROJECT.replace("30d", "1d")})
    test.send("began", {"id": "ben"})
    test.finish()
    assert [(call.profile, call.at.day) for call in test.calls] == [("ben", 6), ("ada", 4)]
    assert test.instance("ben").version == 2


def test_assertions_show_the_trace(journeys: Any) -> None:
    """An assertion that fails says what was, with the trace."""
    test = _month(journeys)
    test.send("began", {"id": "ada"})
    with pytest.raises(AssertionError, match="expected it to wait at mail, but it is at month"):
        test.instance("ada").assert_waits_at("mail")
    test.finish()
    with pytest.raises(AssertionError, match=r"expected done, but it is completed: done\n.*\n +\+30d  month"):
        test.instance("ada").assert_outcome("done")
    with pytest.raises(
        AssertionError, match="expected the steps month > done\nbut it passed  month > mail > done"
    ):
        test.instance("ada").assert_path("month", "done")
    with pytest.raises(AssertionError, match="0 instances are ben; there are: month ada"):
        test.instance("ben")


def test_a_project_with_errors(journeys: Any) -> None:
    """A project that cannot run is refused with its problems."""
    with pytest.raises(ValueError, match=r"journey.yaml:.*E306"):
        journeys({"journey.yaml": PROJECT.replace("action: mail\n    with", "action: mial\n    with")})


def test_a_circle_ends(journeys: Any) -> None:
    """A journey that goes round ends where its visits are bounded, in a test as in earnest."""
    test: Journeys = journeys({"journey.yaml": LOOP})
    test.send("began", {"id": "ada"})
    test.advance(seconds=30)
    assert len(test.instance("ada").steps) == 60
