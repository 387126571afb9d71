"""The context of a running Python journey: its state, its end, and the names of its stretches."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NoReturn, TypeVar

from temporalio import workflow

from sojourn.workflows.authoring.errors import JourneyError
from sojourn.workflows.authoring.events import Event
from sojourn.workflows.authoring.runtime import Running, Stretch, acting, occupied, perform, running
from sojourn.workflows.engine.endings import Ending
from sojourn.workflows.engine.splitting import branch_at, place_of

E = TypeVar("E", bound=Event)

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")


@dataclass(frozen=True, slots=True)
class State:
    """The state of an instance: `journey` in expressions of YAML journeys.

    Attributes:
        name: The journey's name.
        version: The version that the instance entered.
        instance: Its workflow id.
        key: The profile key.
        per: The instance's key within the profile, as the entry event has it; None if the journey has no `per`.
        mode: `live`, or the name of another kind of run.
        entered_at: When it entered.
        step: The step that is under way, or the last one.
        last_error: The last call that failed: `{step, code, status, message, body}`.
    """

    name: str
    version: int
    instance: str
    key: str
    mode: str
    entered_at: datetime
    step: str | None
    last_error: Mapping[str, Any] | None
    per: str | int | float | None = None


def state() -> State:
    """Return the state of the running instance."""
    current = running()
    instance = current.instance
    records = instance.state.trace.entries
    last = records[-1]["step"] if records else None
    step_now = current.stretch.name if current.stretch else instance.position.step
    return State(
        instance.definition["name"],
        instance.definition["version"],
        workflow.info().workflow_id,
        instance.start.key,
        instance.start.mode,
        instance.state.entered_at,
        step_now or last,
        instance.state.last_error,
        instance.start.per,
    )


def entry(event: type[E]) -> E:
    """Return the entry event, for code that does not get it as an argument.

    Args:
        event: Its class.

    Raises:
        JourneyError: The instance was entered by another event.
    """
    found = running().entry
    if not isinstance(found, event):
        raise JourneyError(f"this instance was entered by {type(found).__name__}, not by {event.__name__}")
    return found


def now() -> datetime:
    """Return the journey's time, an aware datetime in UTC; the same on replay, and the scenario's in tests."""
    return running().instance.now()


def exit(reason: str) -> NoReturn:  # noqa: A001 - the word of DESIGN.md
    """End the instance here, as exited.

    Args:
        reason: The text of the outcome. It is in the trace, so it must not contain a customer's data.
    """
    current = acting("journey.exit")
    current.flush()
    if current.stretch:
        current.instance.state.approach(current.stretch.name)
    current.stop(Ending("exited", reason))
    raise AssertionError("never reached")


class Step:
    """The result of `journey.step`, for `with` or `async with`."""

    def __init__(self, name: str, kind: str) -> None:
        self._stretch = Stretch(name, kind)
        self._current: Running | None = None
        self._outer: Stretch | None = None

    def __enter__(self) -> Stretch:
        """Begin the stretch."""
        current, stretch = acting("journey.step"), self._stretch
        current.flush()
        self._current = current
        self._outer, current.stretch = current.stretch, stretch
        if current.instance.position.visit == 0:
            current.instance.state.approach(stretch.name)
        return stretch

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        """End the stretch. If an exception ends it, it does not count as a passed step."""
        current, stretch = self._current, self._stretch
        if current is None or kind is GeneratorExit:
            return  # the instance is evicted
        current.stretch = self._outer
        if self._outer is not None:
            self._outer.used = True
        if kind is None and not stretch.used:
            current.flush()
            current.passed = (stretch, current.instance.now())

    async def __aenter__(self) -> Stretch:
        """Begin the stretch as soon as a step may begin."""
        current, name = acting("journey.step"), self._stretch.name
        current.flush()
        async with occupied(current, f"journey.step({name!r})"):
            current.approach(name)
            await current.instance.proceed()
        return self.__enter__()

    async def __aexit__(self, kind: type[BaseException] | None, *error: object) -> None:
        """End the stretch."""
        self.__exit__(kind, *error)


def step(name: str, *, kind: Literal["step", "condition", "set"] = "step") -> Step:
    """Name a stretch of code in trace and reports: its waits and calls are recorded under this name.

        with journey.step("remind"):
            await journey.act("email.send", to=...)

    A stretch in which nothing is recorded becomes a record itself; set its `result` to describe the outcome. If the
    journey returns from within such a stretch, that is the step with which it ended.

    Code that awaits nothing of `journey` runs even if the instance is paused. To keep a paused instance from passing
    it, write `async with`: the stretch then begins like every step, after the instance is resumed.

        async with journey.step("weekend", kind="condition") as weekend:
            late = journey.now() > offer_ends
            weekend.result = "late" if late else "in time"

    Args:
        name: As a step's id in YAML.
        kind: The kind that trace and reports show, if it becomes a record itself.

    Raises:
        JourneyError: The name is invalid.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise JourneyError(
            f"{name!r} cannot be the name of a step: use up to 128 letters, digits, '.', '_' and '-', and begin with a "
            "letter, a digit or '_'"
        )
    return Step(name, kind)


async def split(shares: Mapping[str, float], *, by: Literal["profile", "random"] = "profile") -> str:
    """Draw one of several branches.

    Args:
        shares: Percent of each branch, by its name; 100 in total.
        by: `profile`: the same profile always draws the same here; `random`: drawn afresh.

    Returns:
        The name of the branch, which is what the trace shows. In YAML journeys, it shows `branch 1`, `branch 2`, …

    Raises:
        JourneyError: The shares are not 100 in total.
    """
    if not shares or any(share < 0 for share in shares.values()) or abs(sum(shares.values()) - 100) > 1e-6:
        raise JourneyError(f"the shares of a split must be 100 in total, but are {sum(shares.values()):g}")

    async def work(current: Running) -> tuple[str, str]:
        start = current.instance.start
        journey, name = (
            current.instance.definition["name"],
            current.stretch.name if current.stretch else "split",
        )
        place = workflow.random().random() * 100 if by == "random" else place_of(start.key, journey, name)
        chosen = list(shares)[branch_at(place, list(shares.values()))]
        return chosen, chosen

    found: str = await perform("split", "split", work)
    return found
