"""Running scenarios: each in a deployment of its own, all on one server."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from temporalio.testing import WorkflowEnvironment

from sojourn.contract.journey_states import Kind
from sojourn.definitions import Project
from sojourn.simulation.actions import Act, Target
from sojourn.simulation.instances import Instance, Stuck
from sojourn.simulation.scripted_answers import Answer
from sojourn.simulation.world import World
from sojourn.testing.comparing import Row, compare
from sojourn.testing.reading import ScenarioFile
from sojourn.testing.scenarios import Scenario, ScriptedAnswer


@dataclass(slots=True)
class ScenarioResult:
    """What came of a scenario.

    Attributes:
        name: The scenario's name.
        file: Path of its file.
        line: The line at which it begins.
        rows: What was compared.
        problems: What went wrong beside that, in whole sentences.
        instances: Each instance with its trace, as plain JSON.
        calls: Each call, as plain JSON.
        events: What became of each event, as plain JSON.
        seconds: How long it took, of the machine's time.
    """

    name: str
    file: str
    line: int
    now: datetime
    rows: list[Row] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    instances: list[dict[str, Any]] = field(default_factory=list)
    calls: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether everything was as expected."""
        return not self.problems and all(row.ok for row in self.rows)

    @property
    def first_difference(self) -> Row | None:
        """The first thing that was not as expected."""
        return next((row for row in self.rows if not row.ok), None)

    def as_dict(self) -> dict[str, Any]:
        """Return the result as plain JSON."""
        return {
            "scenario": self.name,
            "file": self.file,
            "line": self.line,
            "ok": self.ok,
            "problems": self.problems,
            "compared": [row.as_dict() for row in self.rows],
            "instances": self.instances,
            "calls": self.calls,
            "events": self.events,
            "seconds": round(self.seconds, 3),
        }


async def run_scenarios(
    environment: WorkflowEnvironment,
    project: Project,
    scenarios: Iterable[ScenarioFile],
    *,
    cached: int = 1000,
    journeys: Sequence[type] = (),
) -> AsyncIterator[ScenarioResult]:
    """Run scenarios one after the other, and give each one's result as it comes.

    Args:
        environment: A server with virtual time, see `start_server`.
        project: The project that they are about, without errors.
        scenarios: The scenarios.
        cached: How many instances the worker keeps in memory; 0 replays each from its history every time.
        journeys: The classes of the project's Python journeys, see `sojourn.testing.prepare_project`.
    """
    for item in scenarios:
        yield await run_scenario(environment, project, item, cached=cached, journeys=journeys)


async def run_scenario(
    environment: WorkflowEnvironment,
    project: Project,
    item: ScenarioFile,
    *,
    cached: int = 1000,
    journeys: Sequence[type] = (),
) -> ScenarioResult:
    """Run one scenario. What goes wrong in it is in the result, and raises nothing."""
    scenario = item.scenario
    result = ScenarioResult(scenario.name, item.file, item.line, scenario.now)
    began = time.perf_counter()
    try:
        async with World.open(
            environment, project, now=scenario.now, mode=scenario.mode, cached=cached, journeys=journeys
        ) as world:
            try:
                await _play(world, scenario, item)
            except (Stuck, ValueError) as error:
                result.problems.append(str(error))
            result.rows = await compare(scenario, world)
            result.problems += [_silent(endpoint) for endpoint in dict.fromkeys(world.script.silent)]
            result.instances = [_instance(one) for one in world.instances]
            result.calls = [call.as_dict() for call in world.calls]
            result.events = [event.as_dict() for event in world.results]
    except ValueError as error:  # the project cannot be published
        result.problems.append(str(error))
    result.seconds = time.perf_counter() - began
    return result


async def _play(world: World, scenario: Scenario, item: ScenarioFile) -> None:
    for key, attributes in scenario.profiles.items():
        await world.set_profile(key, attributes)
    for endpoint, answers in scenario.answers.items():
        world.script.set(endpoint, [_answer(answer) for answer in answers])
    for act in sorted(scenario.events, key=lambda act: scenario.moment(act.at)):
        await world.advance_to(scenario.moment(act.at))
        await _do(world, act, item)
    if scenario.until is not None:
        await world.advance_to(scenario.moment(scenario.until))
    elif not any(expected.waiting_at or expected.paused for expected in scenario.expect):
        await world.finish()


async def _do(world: World, act: Act, item: ScenarioFile) -> None:
    if act.event is not None:
        await world.send(act.event, act.data, id=act.id)
    elif act.publish is not None:
        await world.publish(item.versions[act.publish])
    elif act.restart is not None:
        await world.restart_worker()
    elif act.move is not None:
        await world.move(act.move.journey, act.move.version)
    elif (journey := act.close or act.reopen) is not None:
        await world.act(journey.journey, "close" if act.close else "reopen")
    else:
        await _steer(world, act)


async def _steer(world: World, act: Act) -> None:
    """Let an operator pause, resume, exit or stop: instances one by one, or a journey with all that are in it."""
    whom: Target = getattr(act, act.named)
    if act.exit is not None:
        await world.exit(act.reason or "operator", profile=whom.key, journey=whom.journey)
    elif whom.profile is None and whom.journey is not None:
        what: Kind = act.named  # type: ignore[assignment]
        await world.act(whom.journey, what, whom.version)
    else:
        await getattr(world, act.named)(profile=whom.key, journey=whom.journey)


def _answer(answer: ScriptedAnswer) -> Answer:
    return Answer(
        status=answer.status,
        body=answer.body,
        headers=answer.headers,
        parameters=answer.parameters,
        after=answer.after,
        hang=answer.hang,
        refuse=answer.refuse is not None,
        capped=answer.capped,
        during=answer.during,
    )


def _silent(endpoint: str) -> str:
    return (
        f"{endpoint} was asked, and the scenario says no answer for it: add "
        f"`answers: {{{endpoint}: {{body: {{...}}}}}}`"
    )


def _instance(one: Instance) -> dict[str, Any]:
    return {
        "journey": one.journey,
        "version": one.version,
        "profile": one.profile,
        "entered_at": one.started.isoformat(),
        "outcome": one.outcome,
        "text": one.text,
        "waiting_at": one.waiting_at,
        "last_error": one.last_error,
        "steps": one.steps,
    }
