"""A Python journey's instance: the methods that its class gets, and how its code is run."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError
from temporalio import workflow

from sojourn.workflows import messages
from sojourn.workflows.authoring.errors import CallError, Exit, JourneyError
from sojourn.workflows.authoring.settings import JourneySettings
from sojourn.workflows.endings import Ending, StepError
from sojourn.workflows.instance import Instance, TimedOut
from sojourn.workflows.waiting import timed_out


@dataclass(slots=True)
class Running:
    """What the authoring API knows of the instance in which it is called.

    Attributes:
        settings: The journey.
        instance: The instance.
        entry: The entry event, as its class.
        step: Name of the stretch of code that is under way, or nothing.
        used: Whether something was recorded under that name.
        busy: The primitive that is under way, or nothing.
    """

    settings: JourneySettings
    instance: Instance
    entry: Any = None
    step: str | None = None
    used: bool = False
    busy: str | None = None
    state: dict[str, Any] = field(default_factory=dict)


def running() -> Running:
    """Return the journey in which this code runs.

    Raises:
        JourneyError: It runs in none.
    """
    found = None
    if workflow.in_workflow():
        found = getattr(workflow.instance(), "_journey_running", None)
    if not isinstance(found, Running):
        raise JourneyError(
            "this is no running journey: call it from the method that is marked with @journey.run, or from code that "
            "this one calls"
        )
    return found


async def run(host: Any, settings: JourneySettings, start: tuple[Any, ...]) -> dict[str, Any]:
    """Run a journey's code as one instance.

    Args:
        host: The workflow object, an instance of the author's class.
        settings: The journey.
        start: What the workflow was started with.

    Returns:
        The same result as a YAML journey's.

    Raises:
        temporalio.exceptions.ApplicationError: The input is bad, or the instance failed.
    """
    instance: Instance | None = host._instance
    if instance is None:
        raise messages.bad_input(host._problem or messages.BadMessage("none came"))
    current = Running(settings, instance, state=dict(instance.results.get("state", {})))
    host._journey_running = current
    event = instance.start.event
    try:
        current.entry = settings.entry.received(event.id, event.time, event.data)
    except ValidationError as error:
        raise messages.bad_input(
            messages.BadMessage(f"the entry event does not fit {_fields(error)}")
        ) from None
    return await instance.run(lambda: _walk(host, current))


async def _walk(host: Any, current: Running) -> Ending:
    instance = current.instance
    try:
        await instance.proceed()
        value = await settle(current.settings.run(host, current.entry))
    except Exit as exit_:
        return Ending("exited", exit_.reason)
    except TimedOut:
        await instance.resumed()
        return timed_out()
    except CallError as error:
        failure = StepError(error.code, error.message, status=error.status).describe(error.step)
        visible = {name: failure[name] for name in ("step", "code", "status", "message")}
        return Ending("failed", error.message, visible)
    if value is not None and not isinstance(value, str):
        raise JourneyError(
            f"{current.settings.body.__name__}.{current.settings.run.__name__} returned {type(value).__name__}: "
            "a journey returns its outcome, a text, or nothing"
        )
    return Ending("completed", value)


async def settle(value: Any) -> Any:
    """Return a value, awaited where it can be."""
    return await value if inspect.isawaitable(value) else value


def _fields(error: ValidationError) -> str:
    # Only where and of what kind: what stands there may be a customer's data.
    places = [f"{'.'.join(map(str, item['loc'])) or 'the data'} ({item['type']})" for item in error.errors()]
    return ", ".join(places[:5])


async def perform(kind: str, name: str, work: Callable[[Running], Awaitable[tuple[Any, str]]]) -> Any:
    """Do one step of the running journey: what every primitive of the authoring API goes through.

    Args:
        kind: The step's kind, as in YAML.
        name: Its name, where no `journey.step` gives one.
        work: Does it; returns its value and, in a few words, what came of it.

    Returns:
        The value.

    Raises:
        CallError: The step failed.
        JourneyError: Another step of this instance is under way.
    """
    current = running()
    if current.busy is not None:
        raise JourneyError(
            f"{name} began while {current.busy} was under way: an instance is at one place at a time, so await each "
            "before the next. What is to run side by side belongs in one action, or in an activity of your own"
        )
    step = current.step or name
    instance = current.instance
    current.busy = name
    current.used = True
    try:
        await instance.proceed()
        instance.trace.link(step)
        try:
            instance.come_to(step)
            value, result = await work(current)
        except StepError as error:
            instance.last_error = error.describe(step)
            instance.leave(kind, f"error {error.code}: {error.message}", None)
            raise CallError(step, error) from None
        instance.leave(kind, result, None)
        return value
    finally:
        current.busy = None
