"""What a running Python journey can ask about itself, and the names of its stretches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NoReturn, TypeVar

from temporalio import workflow

from sojourn.workflows.authoring.errors import Exit, JourneyError
from sojourn.workflows.authoring.events import Event
from sojourn.workflows.authoring.runtime import Running, perform, running
from sojourn.workflows.splitting import branch_at, place_of

E = TypeVar("E", bound=Event)


@dataclass(frozen=True, slots=True)
class State:
    """Where an instance is: what expressions of YAML journeys know as `journey`.

    Attributes:
        name: The journey's name.
        version: The version that the instance entered.
        instance: Its workflow id.
        key: The profile key.
        per: The value of the second key, as the entry event has it; nothing where the journey has none.
        mode: `live`, or what other kinds of run are called.
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
    """Return where the running instance is."""
    instance = running().instance
    return State(
        instance.definition["name"],
        instance.definition["version"],
        workflow.info().workflow_id,
        instance.start.key,
        instance.start.mode,
        instance.entered_at,
        instance.position.step,
        instance.last_error,
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
        reason: Becomes the text of its outcome.
    """
    raise Exit(reason)


@contextmanager
def step(name: str) -> Iterator[None]:
    """Name a stretch of code in trace and reports: what is waited for and called inside is recorded under it.

        with journey.step("remind"):
            await journey.act("email.send", to=...)

    A stretch in which nothing is recorded becomes a record of its own.

    Args:
        name: As a step's id in YAML.
    """
    current = running()
    outer, used = current.step, current.used
    current.step, current.used = name, False
    try:
        yield
        if not current.used:
            _record(name)
    finally:
        current.step, current.used = outer, used or outer is not None


def _record(name: str) -> None:
    instance = running().instance
    instance.trace.link(name)
    instance.come_to(name)
    instance.leave("step", "passed", None)


async def split(shares: Mapping[str, float], *, by: Literal["profile", "random"] = "profile") -> str:
    """Draw one of several branches.

    Args:
        shares: Percent of each branch, by its name; 100 in all.
        by: `profile`: the same profile always draws the same here; `random`: drawn afresh.

    Returns:
        The name of the branch.

    Raises:
        JourneyError: The shares are not 100 in all.
    """
    if not shares or any(share < 0 for share in shares.values()) or abs(sum(shares.values()) - 100) > 1e-6:
        raise JourneyError(f"the shares of a split are to be 100 in all, and are {sum(shares.values()):g}")

    async def work(current: Running) -> tuple[str, str]:
        start = current.instance.start
        journey, name = current.instance.definition["name"], current.step or "split"
        place = workflow.random().random() * 100 if by == "random" else place_of(start.key, journey, name)
        chosen = list(shares)[branch_at(place, list(shares.values()))]
        return chosen, chosen

    found: str = await perform("split", "split", work)
    return found
