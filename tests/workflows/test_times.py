"""Waits for times of day, conditions on time, and the ends of waits and of lives, on the real server."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from sojourn.plugin import JourneyPlugin
from tests.workflows.support import (
    Runner,
    Shop,
    compiled,
    failure,
    finish,
    project,
    running,
    signal,
    state_of,
    steps,
    until_waiting,
)


def local(text: str, zone: str) -> datetime:
    """Return a moment of a trace as the clocks of a zone show it."""
    return datetime.fromisoformat(text).astimezone(ZoneInfo(zone))


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu", "Pacific/Kiritimati", "America/St_Johns"])
async def test_a_wait_ends_at_the_time_of_day(temporal: WorkflowEnvironment, zone: str) -> None:
    """At nine o'clock where the journey is, on a day that counts there; again a week later."""
    loaded = project(
        f"""
journey: j
entry: {{event: entered}}
timezone: {zone}
steps:
  nine: {{wait: {{until_time: 09:00, on: [tue, fri]}}}}
  again: {{wait: {{until_time: "09:00", on: [tue]}}}}
  done: {{end: done}}
"""
    )
    async with running(temporal.client, loaded) as runner:
        result = await (await runner.start(compiled(loaded))).result()
    began = [local(record["at"], zone) for record in result["steps"]]
    entered = local(result["entered_at"], zone)
    for moment in began[1:]:
        # A timer fires behind its due time, and a busy worker comes to it later still.
        behind = moment - moment.replace(hour=9, minute=0, second=0, microsecond=0)
        assert timedelta() <= behind < timedelta(seconds=20), moment
    assert began[1].weekday() in (1, 4)
    assert entered < began[1] < entered + timedelta(days=5)
    assert began[2].weekday() == 1
    assert timedelta(days=3) < began[2] - began[1] < timedelta(days=8)


async def test_the_time_zone_may_be_the_customers(temporal: WorkflowEnvironment) -> None:
    """A template says it, and is evaluated where a step needs it; without a zone there is a default."""
    loaded = project(ZONED)
    async with running(temporal.client, loaded) as runner:
        for data, zone in (
            ({"due": "America/New_York"}, "America/New_York"),
            ({"due": "+05:30"}, "Asia/Kolkata"),
            ({}, "Asia/Tokyo"),
        ):
            result = await (await runner.start(compiled(loaded), {"customerId": "c", **data})).result()
            assert result["text"] == "open"
            assert f"{local(result['steps'][1]['at'], zone):%H:%M}" == "09:00"


ZONED = """
journey: j
entry: {event: entered}
timezone: "${default(entry.due, 'Asia/Tokyo')}"
steps:
  nine: {wait: {until_time: 09:00}}
  open: {time_condition: {hours: [22:00-06:00, 09:00-10:00]}, next: done, else: closed, on_error: wrong}
  done: {end: open}
  closed: {end: closed}
  wrong: {end: "${journey.last_error.step} ${journey.last_error.code}"}
"""


@pytest.mark.parametrize("zone", ["Atlantis/Capital", "", "../etc/passwd", 5, None])
async def test_what_is_no_time_zone_is_an_error_of_the_step(temporal: WorkflowEnvironment, zone: Any) -> None:
    """Its message does not say what was given: that may be a customer's. A condition may have a path for it."""
    loaded = project(ZONED.replace("default(entry.due, 'Asia/Tokyo')", "entry.due"))
    definition = compiled(loaded)
    async with running(temporal.client, loaded) as runner:
        error = (await failure(await runner.start(definition, {"due": zone}))).details[0]["error"]
        assert (error["step"], error["code"]) == ("nine", "expression")
        assert "time zone" in error["message"]
        assert not zone or str(zone) not in error["message"]
        definition = definition | {"first": "open"}
        assert (await (await runner.start(definition, {"due": zone})).result())["text"] == "open expression"


async def test_conditions_on_time(temporal: WorkflowEnvironment) -> None:
    """Hours, days and dates of the local clock; the start counts and the end does not; `else`, or the end."""
    loaded = project(
        """
journey: j
entry: {event: entered}
timezone: Australia/Lord_Howe
steps:
  saturday: {wait: {until_time: 23:59, on: [sat]}}
  weekend: {time_condition: {days: [sat, sun]}, else: wrong}
  sunday: {wait: {until_time: 00:00}}
  still: {time_condition: {days: [sun], hours: 00:00-24:00, dates: {from: 2020-01-01}}, else: wrong}
  nine: {wait: {until_time: 09:00}}
  opens: {time_condition: {hours: 09:00-18:00}, else: wrong}
  six: {wait: {until_time: 18:00}}
  closes: {time_condition: {hours: 09:00-18:00}, next: wrong, else: night}
  night: {time_condition: {hours: 18:00-06:00}, else: wrong}
  past: {time_condition: {dates: {to: 2020-12-31}}, next: wrong}
  wrong: {end: wrong}
"""
    )
    async with running(temporal.client, loaded) as runner:
        result = await (await runner.start(compiled(loaded))).result()
    assert (result["outcome"], result["text"]) == ("completed", None)
    assert steps(result)[-2:] == ["night", "past"]
    assert [record["result"] for record in result["steps"] if record["kind"] == "time_condition"] == [
        "true", "true", "true", "else", "true", "else",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("wait", "says"),
    [
        ("until: '${timestamp(\"2020-01-01T00:00:00Z\")}'", None),
        ("until: '2020-01-01T00:00:00+14:00'", None),
        ("until: '${entry.due}'", None),
        ("until: '${string(1)}'", "RFC 3339"),
        ("until: '${\"2020-01-01T00:00:00\"}'", "offset"),
        ("until: '${entry.amount}'", "expected a timestamp"),
        ("for: '${entry.due}'", "expected a duration"),
    ],
)
async def test_moments_that_are_past_or_none(
    temporal: WorkflowEnvironment, wait: str, says: str | None
) -> None:
    """A moment that has passed goes on at once; what is no moment, or has no zone, is an error that says so."""
    loaded = project(
        "{journey: j, entry: {event: entered}, steps: {nap: {wait: {for: 1h}}, done: {end: done}}}"
    )
    definition = compiled(loaded)
    field, _, text = wait.partition(": ")
    definition["steps"]["nap"] = {"kind": "wait", "label": None, "next": "done", field: text.strip("'")}
    async with running(temporal.client, loaded) as runner:
        handle = await runner.start(definition, {"due": "2020-01-01T00:00:00Z", "amount": 1})
        if says is None:
            result = await handle.result()
            assert (result["text"], result["steps"][0]["duration"] < 60) == ("done", True)
        else:
            error = (await failure(handle)).details[0]["error"]
            assert (error["code"], says in error["message"]) == ("expression", True), error


async def test_a_timeout_longer_than_a_wait_may_be_is_an_error(temporal: WorkflowEnvironment) -> None:
    """Where an expression yields it; one that is written down is refused."""
    loaded = project(
        "{journey: j, entry: {event: entered}, steps: {listen:"
        " {wait_for: [{event: answered}], timeout: {after: '${days(int(entry.amount))}'}}}}"
    )
    async with running(temporal.client, loaded) as runner:
        error = (await failure(await runner.start(compiled(loaded), {"amount": 91}))).details[0]["error"]
        assert error["message"] == (
            "steps.listen.timeout.after: more than 90 days, which is the longest wait"
        )
        assert (await (await runner.start(compiled(loaded), {"amount": 90})).result())[
            "outcome"
        ] == "completed"


LIVES = """
journey: j
entry: {event: entered}
timeout: 4s
steps:
  listen: {wait_for: [{event: answered}]}
  mail: {action: send, with: {to: x, data: 1}, on_error: wrong}
  done: {end: done}
  wrong: {end: wrong}
"""


@pytest.mark.parametrize("performed", [False, True], ids=["nobody to call", "no answer"])
async def test_a_life_ends_during_a_call(
    temporal: WorkflowEnvironment, shop: Shop, unique: str, performed: bool
) -> None:
    """Whether no worker took the call or the other side hangs: neither error path nor anything else comes behind."""
    release = shop.hang()
    loaded = project(LIVES, shop)
    with temporal.with_time_skipping_disabled():
        if performed:
            async with running(temporal.client, loaded, queue=unique) as runner:
                handle = await runner.start(compiled(loaded))
                await signal(handle, "answered")
                result = await asyncio.wait_for(handle.result(), 30)
                release.set()
        else:
            plugin = JourneyPlugin(register_activities=False)
            async with Worker(temporal.client, task_queue=unique, plugins=[plugin]):
                handle = await Runner(temporal.client, unique).start(compiled(loaded))
                await signal(handle, "answered")
                result = await asyncio.wait_for(handle.result(), 30)
    assert (result["outcome"], result["text"]) == ("timed_out", "the journey's timeout")
    assert [(record["step"], record["kind"]) for record in result["steps"]] == [
        ("listen", "wait_for"),
        ("mail", "timed_out"),
    ]
    lived = datetime.fromisoformat(result["ended_at"]) - datetime.fromisoformat(result["entered_at"])
    assert lived >= timedelta(seconds=4)


async def test_a_life_ends_during_a_wait_and_behind_a_pause(
    temporal: WorkflowEnvironment, shop: Shop
) -> None:
    """In a wait without time-out at once; while paused between two steps, when the instance is resumed."""
    loaded = project(LIVES.replace("4s", "40d"), shop)
    async with running(temporal.client, loaded) as runner:
        result = await (await runner.start(compiled(loaded))).result()
        assert result["outcome"] == "timed_out"
        assert result["steps"][0]["kind"] == "timed_out"
        assert result["steps"][0]["duration"] == pytest.approx(40 * 86_400, abs=60)

        with temporal.with_time_skipping_disabled():
            handle = await runner.start(compiled(loaded) | {"timeout": 3600})
            await until_waiting(handle, "listen")
            await handle.signal("pause")
            await signal(handle, "answered")
            assert (await state_of(handle))["step"] == "mail"
            await temporal.fast_forward(handle, timedelta(hours=2))
            assert (await state_of(handle))["status"] == "paused"
            await handle.signal("resume")
            result = await handle.result()
    assert (result["outcome"], steps(result)) == ("timed_out", ["listen", "mail"])
    assert not shop.calls


async def test_splits_on_the_server(temporal: WorkflowEnvironment) -> None:
    """A profile takes the same branch on each visit and in each version; a random split draws each time."""
    loaded = project(
        """
journey: j
entry: {event: entered}
steps:
  nap: {wait: {for: 1h}}
  same: {split: {branches: [{share: 50, next: drawn}, {share: 50, next: drawn}]}}
  drawn: {split: {branches: [{share: 50, next: more}, {share: 50, next: more}], by: random}}
  more: {condition: [{when: 'now - journey.entered_at < hours(9)', next: nap}]}
"""
    )
    taken: dict[str, set[str]] = {"one": set(), "two": set(), "three": set(), "four": set()}
    drawn: set[str] = set()
    async with running(temporal.client, loaded) as runner:
        for key, found in taken.items():
            for version in (1, 2):
                handle = await runner.start(compiled(loaded) | {"version": version}, key=key)
                with temporal.with_time_skipping_disabled():
                    await state_of(handle)
                records = (await finish(temporal, handle))["steps"]
                found |= {record["result"] for record in records if record["step"] == "same"}
                drawn |= {record["result"] for record in records if record["step"] == "drawn"}
    assert all(len(found) == 1 for found in taken.values()), taken
    assert len(set.union(*taken.values())) == 2
    assert drawn == {"branch 1", "branch 2"}
