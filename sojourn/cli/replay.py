"""Replaying histories of instances with the code of today."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from sojourn.cli.output import CliError, ExitCode, counted, say, show_json, warn

if TYPE_CHECKING:
    from temporalio.client import Client, WorkflowHistory
    from temporalio.worker import Replayer

_EVENT = re.compile(r"HistoryEvent\(id: (\d+)")
_ACTIVITY = re.compile(r"'([^'#]+)#(\d+)'")
_MESSAGE = re.compile(r'message: "(?:\[TMPRL\d+\] )?((?:[^"\\]|\\.)*)"')

SAVED_WARNING = (
    "The files hold what customers' events and your systems' answers said: keep them as you keep that data."
)


@dataclass(frozen=True, slots=True)
class Checked:
    """What became of one history.

    Attributes:
        history: The file, or the run.
        journey: The journey.
        verdict: `ok`; `differs`: the code does something else than is recorded; `missing`: the project has no such
            journey, so that the instance would stand still; `skipped`: it is no journey's.
        event: The history event at which it differs, as far as known.
        step: The step at which it differs, as far as known.
        message: What differs.
    """

    history: str
    journey: str | None
    verdict: Literal["ok", "differs", "missing", "skipped"]
    event: int | None = None
    step: str | None = None
    message: str | None = None

    def line(self) -> str:
        """Return it as a line for people."""
        where = f" at event {self.event}" if self.event else ""
        where += f" of step {self.step}" if self.step else ""
        return f"{self.verdict:8}{self.history}" + (f"{where}: {self.message}" if self.message else "")


async def run(
    project: Path,
    *,
    histories: Path | None,
    journey: str | None,
    limit: int,
    closed: bool,
    save: Path | None,
    as_json: bool,
) -> bool:
    """Replay histories with a project's journeys, and say what differs.

    Args:
        project: The project's folder.
        histories: A folder of recorded ones; without it, those of Temporal's instances.
        journey: Only those of this journey.
        limit: Most of Temporal's instances.
        closed: Those that have ended, too.
        save: Where to keep what was fetched from Temporal.
        as_json: Write JSON.

    Returns:
        Whether all of them replay.

    Raises:
        CliError: The project's files are not in order, there are no histories, or Temporal does not answer.
    """
    types = _journeys(project)
    replayer = _replayer(list(types.values()))
    found = _recorded(histories) if histories else _live(list(types), journey, limit, closed, save)
    results = []
    async for name, history in found:
        result = await check(replayer, set(types), name, history)
        if journey is None or result.journey == journey:
            results.append(result)
    if as_json:
        show_json({"histories": [asdict(result) for result in results]})
    else:
        _show(results, live=histories is None)
    return all(result.verdict in ("ok", "skipped") for result in results)


async def check(replayer: Replayer, types: set[str], name: str, history: WorkflowHistory) -> Checked:
    """Replay one history.

    Args:
        replayer: Knows the project's journeys.
        types: Their workflow types.
        name: What to call the history.
        history: The history.
    """
    from sojourn.contract import names

    start = history.events[0].workflow_execution_started_event_attributes
    kind, definition = start.workflow_type.name, await _definition(replayer, start)
    journey = definition.get("name") if definition else (kind if kind in types else None)
    if kind not in (names.WORKFLOW_JOURNEY, names.WORKFLOW_EVENT, *types):
        if definition is None or definition.get("workflow") != kind:
            return Checked(name, None, "skipped", message=f"{kind} is no journey")
        return Checked(name, journey, "missing", message=f"the project has no Python journey {kind!r}")
    outcome = await replayer.replay_workflow(history, raise_on_replay_failure=False)
    if outcome.replay_failure is None:
        return Checked(name, journey, "ok")
    message = _plain(outcome.replay_failure)
    number, step = _place(message, history)
    return Checked(name, journey, "differs", number, step, message)


def _plain(failure: BaseException) -> str:
    """Return what Temporal's core, or the journey's code, says."""
    text = str(failure)
    found = _MESSAGE.search(text)
    said = found[1].replace('\\"', '"') if found else text or type(failure).__name__
    return " ".join(said.split())[:500]


def _place(message: str, history: WorkflowHistory) -> tuple[int | None, str | None]:
    """Return event and step of a difference: from what is said of it, else from the records around it."""
    named = _ACTIVITY.search(message)
    if named:
        recorded = f"{named[1]}#{named[2]}"
        number = next((event.event_id for event in history.events if _activity(event) == recorded), None)
        return number, named[1]
    found = _EVENT.search(message)
    if not found:
        return None, None
    number = int(found[1])
    steps = {event.event_id: step for event in history.events if (step := _step(event))}
    behind = [step for place, step in steps.items() if place >= number]
    return number, behind[0] if behind else next(reversed(steps.values()), None)


def _activity(event: Any) -> str | None:
    if not event.HasField("activity_task_scheduled_event_attributes"):
        return None
    return str(event.activity_task_scheduled_event_attributes.activity_id)


def _step(event: Any) -> str | None:
    """Return the step that an event names: as an activity's id, as a search attribute, or in a timer's summary."""
    from sojourn.contract import names

    activity = _activity(event)
    if activity:
        return activity.partition("#")[0]
    with contextlib.suppress(ValueError):
        if event.HasField("upsert_workflow_search_attributes_event_attributes"):
            found = event.upsert_workflow_search_attributes_event_attributes.search_attributes.indexed_fields
            return str(json.loads(found[names.SEARCH_STEP].data)) if names.SEARCH_STEP in found else None
        if event.HasField("timer_started_event_attributes") and event.HasField("user_metadata"):
            step, colon, _ = str(json.loads(event.user_metadata.summary.data)).partition(": ")
            return step if colon else None
    return None


async def _definition(replayer: Replayer, start: Any) -> dict[str, Any] | None:
    """Return the definition in a start's input, where it is one of Sojourn's."""
    converter = replayer.config()["data_converter"]
    try:
        (value,) = await converter.decode(start.input.payloads[:1])
    except Exception:  # of whatever codec: what cannot be read is told by the replay
        return None
    definition = value.get("definition") if isinstance(value, dict) else None
    return definition if isinstance(definition, dict) else None


def _journeys(project: Path) -> dict[str, type]:
    """Return the project's Python journeys by their names."""
    from sojourn.cli.project import require_folder
    from sojourn.loading import import_project
    from sojourn.workflows.authoring.define import settings_of

    require_folder(project)
    found = import_project(project)
    if found.problems:
        raise CliError("the Python files are not in order:\n" + "\n".join(map(str, found.problems)))
    return {settings_of(body).name: body for body in found.journeys}


def _replayer(journeys: Sequence[type]) -> Replayer:
    from temporalio.runtime import Runtime, TelemetryConfig
    from temporalio.worker import Replayer

    from sojourn.plugin import JourneyPlugin
    from sojourn.temporal.connection import ConverterError, data_converter

    try:
        converter = data_converter()
    except ConverterError as error:
        raise CliError(str(error), ExitCode.USAGE) from error
    plugin = JourneyPlugin(journeys=journeys, register_activities=False)
    # Temporal's own log would say everything once more, and not as well.
    runtime = Runtime(telemetry=TelemetryConfig(logging=None))
    return Replayer(workflows=[], plugins=[plugin], data_converter=converter, runtime=runtime)


def _files(folder: Path) -> list[Path]:
    files = sorted(folder.rglob("*.json")) if folder.is_dir() else []
    if not files:
        raise CliError(f"there is no history in {folder}: a file for each, *.json", ExitCode.USAGE)
    return files


async def _recorded(folder: Path) -> AsyncIterator[tuple[str, WorkflowHistory]]:
    from temporalio.client import WorkflowHistory

    for file in _files(folder):
        try:
            history = WorkflowHistory.from_json(file.stem, file.read_text("utf-8"))
            first = history.events[0].HasField("workflow_execution_started_event_attributes")
        except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
            raise CliError(f"{file} is no history: {type(error).__name__}", ExitCode.USAGE) from error
        if not first:
            raise CliError(f"{file} is no history: it does not begin with a start", ExitCode.USAGE)
        yield file.relative_to(folder).as_posix(), history


async def _live(
    types: list[str], journey: str | None, limit: int, closed: bool, save: Path | None
) -> AsyncIterator[tuple[str, WorkflowHistory]]:
    from temporalio.service import RPCError

    from sojourn.temporal.connection import TemporalUnavailable, connect

    if save is not None:
        warn(SAVED_WARNING)
    try:
        client = await connect()
        async for identity, history in _fetched(client, _query(types, journey, closed), limit):
            if save is not None:
                _keep(save, history)
            yield identity, history
    except (TemporalUnavailable, RPCError) as error:
        raise CliError(f"Temporal does not give the histories: {error}", ExitCode.UNREACHABLE) from error
    finally:
        # A process that ends in the moment of an answer may abort.
        await asyncio.sleep(0.1)


def _keep(folder: Path, history: WorkflowHistory) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    start = history.events[0].workflow_execution_started_event_attributes
    # Not by the workflow's id: that names a customer.
    file = folder / f"{start.workflow_type.name}-{history.run_id}.json"
    file.write_text(history.to_json() + "\n", "utf-8")


def _query(types: list[str], journey: str | None, closed: bool) -> str:
    from sojourn.contract import names

    if journey is not None and not names.JOURNEY_NAME.fullmatch(journey):
        raise CliError(f"{journey!r} is no name of a journey", ExitCode.USAGE)
    kinds = [names.WORKFLOW_JOURNEY, *types, *([journey] if journey else [])]
    words = [f"WorkflowType IN ({', '.join(repr(kind) for kind in dict.fromkeys(kinds))})"]
    if journey is not None:
        words.append(f"WorkflowId STARTS_WITH '{journey}:'")
    if not closed:
        words.append("ExecutionStatus = 'Running'")
    return " AND ".join(words)


async def _fetched(client: Client, query: str, limit: int) -> AsyncIterator[tuple[str, WorkflowHistory]]:
    from temporalio.service import RPCError, RPCStatusCode

    async for found in client.list_workflows(query, limit=limit):
        try:
            history = await client.get_workflow_handle(found.id, run_id=found.run_id).fetch_history()
        except RPCError as error:
            if error.status == RPCStatusCode.NOT_FOUND:  # it is gone since it was listed
                continue
            raise
        yield found.id, history


def _show(results: Sequence[Checked], *, live: bool) -> None:
    for result in results:
        say(result.line())
    wrong = sum(result.verdict in ("differs", "missing") for result in results)
    if not results:
        say(
            "No instance runs that would have to be checked."
            if live
            else "No history of this journey is there."
        )
    elif wrong:
        say(
            f"{counted(len(results), 'history').replace('historys', 'histories')} checked; {wrong} would stand still."
        )
    else:
        say(f"{counted(len(results), 'history').replace('historys', 'histories')} checked; all go on.")
