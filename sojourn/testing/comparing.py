"""Comparing what a scenario expects with what was: row by row, so that both can stand side by side."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import zip_longest
from typing import Any

from sojourn.simulation.instances import Instance
from sojourn.simulation.partial_match import fits
from sojourn.simulation.scripted_answers import Call
from sojourn.simulation.times import left, since
from sojourn.simulation.world import World
from sojourn.testing.scenarios import Expectation, ExpectedCall, ExpectedStep, Scenario

NOTHING = "—"


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that was compared.

    Attributes:
        what: What it is, such as `outcome` or `calls[0]`.
        expected: What the scenario says, for people.
        actual: What was, for people.
        ok: Whether they agree.
    """

    what: str
    expected: str
    actual: str
    ok: bool

    def as_dict(self) -> dict[str, Any]:
        """Return the row as plain JSON."""
        return asdict(self)


async def compare(scenario: Scenario, world: World) -> list[Row]:
    """Return a row for everything that a scenario expects, in the order in which things were to happen."""
    rows: list[Row] = []
    for expected in scenario.expect:
        comparison = _Comparison(scenario, world, expected)
        rows += comparison.rows()
        if expected.attributes is not None and expected.profile is not None:
            rows.append(comparison.attributes(await world.profile(expected.profile)))
        if expected.state is not None and expected.journey is not None:
            rows.append(comparison.state(await world.state(expected.journey)))
    return rows


class _Comparison:
    def __init__(self, scenario: Scenario, world: World, expected: Expectation) -> None:
        self.scenario = scenario
        self.world = world
        self.expected = expected
        self.found = world.find(profile=expected.profile, journey=expected.journey)
        if expected.run is not None:
            self.found = self.found[expected.run - 1 : expected.run]
        names = [expected.journey, expected.profile, f"run {expected.run}" if expected.run else None]
        self.whose = " ".join(name for name in names if name)

    def rows(self) -> list[Row]:
        rows: list[Row] = []
        expected = self.expected
        if expected.entered is not None:
            rows.append(self._row("entered", expected.entered, len(self.found)))
        if expected.of_an_instance:
            rows += self._instance()
        if expected.calls is not None:
            rows += self._calls(expected.calls)
        if expected.refusals is not None:
            rows += self._refusals()
        return rows

    def attributes(self, found: dict[str, Any] | None) -> Row:
        return self._row("attributes", self.expected.attributes, found)

    def state(self, found: str | None) -> Row:
        return self._row("state", self.expected.state, found or NOTHING)

    def _row(self, what: str, expected: Any, actual: Any, ok: bool | None = None) -> Row:
        ok = fits(expected, actual) if ok is None else ok
        return Row(f"{self.whose}: {what}" if self.whose else what, shown(expected), shown(actual), ok)

    def _instance(self) -> list[Row]:
        if len(self.found) != 1:
            one = "one instance" + (f" of {self.whose}" if self.whose else "")
            there = ", ".join(f"{it.journey} {it.profile}" for it in self.found) or "none"
            hint = "; say profile, journey or run" if self.found else ""
            return [Row("instances", one, f"{there}{hint}", False)]
        (it,) = self.found
        expected, rows = self.expected, []
        if expected.steps is not None:
            rows += self._steps(expected.steps, it)
        if expected.waiting_at is not None:
            rows.append(self._row("waiting_at", expected.waiting_at, it.waiting_at or _ending(it)))
        if expected.paused is not None:
            rows.append(self._row("paused", expected.paused, it.state.get("status") == "paused"))
        if expected.version is not None:
            rows.append(self._row("version", expected.version, it.version))
        if expected.outcome is not None:
            rows.append(self._row("outcome", expected.outcome, it.outcome or f"waits at {it.waiting_at}"))
        if "text" in expected.model_fields_set:
            rows.append(self._row("text", expected.text, it.text))
        if "last_error" in expected.model_fields_set:
            rows.append(self._row("last_error", expected.last_error, it.last_error))
        return rows

    def _steps(self, expected: Sequence[ExpectedStep], it: Instance) -> list[Row]:
        rows = []
        for index, (step, record) in enumerate(zip_longest(expected, it.steps)):
            ok = step is not None and record is not None and self._step_fits(step, record)
            rows.append(
                Row(
                    f"{self.whose}: steps[{index}]" if self.whose else f"steps[{index}]",
                    NOTHING if step is None else self._step(step),
                    NOTHING if record is None else self.record(record),
                    ok,
                )
            )
        return rows

    def _step_fits(self, step: ExpectedStep, record: dict[str, Any]) -> bool:
        result = record["result"]
        ended = self.scenario.moment(step.at) if step.at is not None else None
        return (
            record["step"] == step.step
            and (step.result is None or result == step.result or result.startswith(f"{step.result}: "))
            and (ended is None or ended == left(record))
        )

    def _step(self, step: ExpectedStep) -> str:
        return " ".join(
            part for part in (self._at(step.at), step.step, f"({step.result})" if step.result else "") if part
        )

    def record(self, record: dict[str, Any]) -> str:
        return f"{since(self.scenario.now, left(record))} {record['step']} ({record['result']})"

    def _calls(self, expected: Sequence[ExpectedCall]) -> list[Row]:
        ids = {it.workflow_id for it in self.found}
        made = (
            [call for call in self.world.calls if call.workflow_id in ids] if self.whose else self.world.calls
        )
        rows = []
        for index, (call, actual) in enumerate(zip_longest(expected, made)):
            ok = call is not None and actual is not None and self._call_fits(call, actual)
            rows.append(
                Row(
                    f"{self.whose}: calls[{index}]" if self.whose else f"calls[{index}]",
                    NOTHING if call is None else self._call(call),
                    NOTHING if actual is None else self._made(actual, call),
                    ok,
                )
            )
        return rows or [self._row("calls", "none", "none")]

    def _call_fits(self, call: ExpectedCall, actual: Call) -> bool:
        return (
            call.endpoint == actual.endpoint
            and (call.parameters is None or fits(call.parameters, actual.parameters))
            and (call.body is None or fits(call.body, actual.body))
            and (call.at is None or self.scenario.moment(call.at) == actual.at)
            and call.attempts in (None, actual.attempts)
        )

    def _call(self, call: ExpectedCall) -> str:
        parts = [self._at(call.at), call.endpoint]
        parts += [f"with {shown(call.parameters)}"] if call.parameters is not None else []
        parts += [f"body {shown(call.body)}"] if call.body is not None else []
        parts += [f"attempts {call.attempts}"] if call.attempts is not None else []
        return " ".join(part for part in parts if part)

    def _made(self, actual: Call, call: ExpectedCall | None) -> str:
        parts = [since(self.scenario.now, actual.at), actual.endpoint]
        if call is None or call.parameters is not None:
            parts.append(f"with {shown(actual.parameters)}")
        if call is not None and call.body is not None:
            parts.append(f"body {shown(actual.body)}")
        if call is not None and call.attempts is not None:
            parts.append(f"attempts {actual.attempts}")
        return " ".join(parts)

    def _at(self, at: Any) -> str:
        return "" if at is None else since(self.scenario.now, self.scenario.moment(at))

    def _refusals(self) -> list[Row]:
        journey = self.expected.journey
        made = [
            {"reason": refusal.reason, "event": result.name, "journey": refusal.journey}
            for result in self.world.results
            for refusal in result.refusals
            if journey in (None, refusal.journey)
        ]
        wanted = [item.model_dump(exclude_none=True) for item in self.expected.refusals or ()]
        if not wanted and not made:
            return [self._row("refusals", "none", "none")]
        return [
            self._row(
                f"refusals[{index}]",
                NOTHING if item is None else item,
                NOTHING if actual is None else actual,
                item is not None and actual is not None and fits(item, actual),
            )
            for index, (item, actual) in enumerate(zip_longest(wanted, made))
        ]


def shown(value: Any) -> str:
    """Return a value as a scenario would write it."""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, default=str)


def _ending(it: Instance) -> str:
    return f"{it.outcome} ({it.text})" if it.text else str(it.outcome)
