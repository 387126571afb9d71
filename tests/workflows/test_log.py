"""Steps that write to the worker's log."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from temporalio.testing import WorkflowEnvironment

from sojourn import Event, journey
from sojourn.definitions import load_texts
from sojourn.workflows.authoring.define import settings_of
from sojourn.workflows.compiled_check import parse_definition
from sojourn.workflows.engine.messages import BadMessage
from tests.workflows.support import Shop, compiled, history_length, project, running, signal

YAML = """
journey: j
entry: {event: entered}
steps:
  note: {log: {message: "for ${entry.customerId}", level: LEVEL}}
  listen: {wait_for: [{event: answered}], timeout: {after: 1d}}
  done: {end: done}
"""


class Entered(Event, name="entered", key="customerId"):
    """Somebody came."""

    customerId: str  # noqa: N815 - the name in the event


@journey.defn(name="j", entry=Entered)
class Notes:
    """Writes two lines, one of them in a named step."""

    @journey.run
    async def run(self, entry: Entered) -> str:
        """Walk through it."""
        with journey.step("note"):
            await journey.log(f"for {entry.customerId}", level="warning")
        await journey.log("plain")
        return "done"


@journey.defn(name="j", entry=Entered)
class Wrong:
    """Writes at a level that there is not."""

    @journey.run
    async def run(self, entry: Entered) -> str:
        """Walk through it."""
        await journey.log("text", level="fatal")  # type: ignore[arg-type]
        return "done"


def lines(caplog: pytest.LogCaptureFixture) -> list[Any]:
    """Return the records that journeys wrote."""
    return [record for record in caplog.records if record.name == "sojourn.journey"]


@pytest.mark.parametrize("level", ["debug", "info", "warning", "error"])
@pytest.mark.parametrize("cached", [1000, 0])
async def test_a_line_is_written_once_although_the_history_is_replayed(
    temporal: WorkflowEnvironment, shop: Shop, caplog: pytest.LogCaptureFixture, level: str, cached: int
) -> None:
    """At its level, with its fields; without a cache each workflow task replays the step."""
    caplog.set_level(logging.DEBUG, "sojourn.journey")
    loaded = project(YAML.replace("LEVEL", level), shop)
    async with running(temporal.client, loaded, cached=cached) as runner:
        handle = await runner.start(compiled(loaded), {"customerId": "ada\nERROR forged"})
        await signal(handle, "answered")
        result = await handle.result()
    (record,) = lines(caplog)
    assert record.levelno == getattr(logging, level.upper())
    assert record.getMessage() == r"j, step note: for ada\nERROR forged"
    assert (record.journey, record.version, record.instance, record.step) == ("j", 1, handle.id, "note")
    first = result["steps"][0]
    assert (first["step"], first["kind"], first["result"]) == ("note", "log", level)
    assert "ada" not in str(result["steps"])


async def test_it_costs_no_history_event(temporal: WorkflowEnvironment, shop: Shop) -> None:
    """A journey with the step has as many events as one that names a value instead."""
    lengths = []
    for step in ("log: {message: text}", "set: {x: 1}"):
        loaded = project(
            f"journey: j\nentry: {{event: entered}}\nsteps:\n  a: {{{step}}}\n  b: {{end: b}}\n", shop
        )
        async with running(temporal.client, loaded) as runner:
            handle = await runner.start(compiled(loaded), {"customerId": "ada"})
            await handle.result()
            lengths.append(await history_length(handle))
    assert lengths[0] == lengths[1]


async def test_a_python_journey_writes_lines(
    temporal: WorkflowEnvironment, shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    """By `journey.log`, as a step with the name that the code gives, or `log`."""
    caplog.set_level(logging.DEBUG, "sojourn.journey")
    definition = {**settings_of(Notes).definition(), "version": 1}
    assert definition["first"] == "note"
    loaded = project(YAML.replace("LEVEL", "info"), shop)
    async with running(temporal.client, loaded, journeys=[Notes]) as runner:
        handle = await runner.start(definition, {"customerId": "ada"})
        result = await handle.result()
    assert [record.getMessage() for record in lines(caplog)] == [
        "j, step note: for ada",
        "j, step log: plain",
    ]
    assert [(step["step"], step["kind"], step["result"]) for step in result["steps"]] == [
        ("note", "log", "warning"),
        ("log", "log", "info"),
    ]


async def test_a_wrong_level_in_python_says_which_there_are(
    temporal: WorkflowEnvironment, shop: Shop
) -> None:
    """The instance fails with the error of the code."""
    definition = {**settings_of(Wrong).definition(), "version": 1}
    loaded = project(YAML.replace("LEVEL", "info"), shop)
    async with running(temporal.client, loaded, journeys=[Wrong]) as runner:
        handle = await runner.start(definition, {"customerId": "ada"})
        with pytest.raises(Exception) as failure:  # noqa: PT011 - its cause is looked at
            await handle.result()
    assert "journey.log has no level 'fatal': write one of debug, info, warning, error" in str(
        failure.value.__cause__
    )


@pytest.mark.parametrize(
    ("step", "place"),
    [
        ("log: hello", "steps.note.log"),
        ("log: {message: hello, level: fatal}", "steps.note.log.level"),
        ("log: {level: info}", "steps.note.log.message"),
        ('log: {message: ""}', "steps.note.log.message"),
        ('log: {message: "${nope}"}', "steps.note.log.message"),
        ("log: {message: hello}, on_error: done", "steps.note.on_error"),
        ("log: {message: hello}, timeout: {after: 1h}", "steps.note.timeout"),
    ],
)
def test_what_is_wrong_is_reported_in_its_place(step: str, place: str) -> None:
    """A line without a text, an unknown level, a name that there is not, and keys of other kinds."""
    journey_text = f"journey: j\nentry: {{event: e}}\nsteps:\n  note: {{{step}}}\n  done: {{end: done}}\n"
    event = "event: e\nkey: event.id\nschema: {type: object, properties: {id: {type: string}}}\n"
    found = [problem.field for problem in load_texts({"e.yaml": event, "j.yaml": journey_text}).problems]
    assert place in found


def test_a_compiled_step_with_another_level_is_refused(shop: Shop) -> None:
    """By the worker, before the instance begins."""
    loaded = project(YAML.replace("LEVEL", "info"), shop)
    definition = compiled(loaded)
    definition["steps"]["note"]["level"] = "fatal"
    with pytest.raises(BadMessage):
        parse_definition(definition)
