"""The runtime of Python journeys: it runs their code, and every primitive of the authoring API goes through it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError
from temporalio import workflow
from temporalio.exceptions import FailureError, is_cancelled_exception

from sojourn.contract import names
from sojourn.workflows.authoring.errors import CallError, Exit, JourneyError
from sojourn.workflows.authoring.settings import JourneySettings
from sojourn.workflows.authoring.source_scan import texts_of
from sojourn.workflows.engine import messages
from sojourn.workflows.engine.cleanup import raise_if_collected
from sojourn.workflows.engine.endings import Ending, StepError, TimedOut, TooManyVisits, failed, timed_out
from sojourn.workflows.engine.instance import Instance

_RUNNING = "__sojourn_running__"

_inside: ContextVar[bool] = ContextVar("sojourn_journey", default=False)
"""Whether code was called by a journey's run method. Handlers of signals and updates are not: they have contexts of
their own, and what they await would mix with the steps."""


@dataclass(slots=True)
class Stretch:
    """A stretch of code that `journey.step` named, and what to record if nothing is recorded in it.

    Attributes:
        name: Its name.
        kind: The kind that trace and reports show.
        result: The result in a few words, without a customer's data.
        used: Whether something was recorded under the name.
    """

    name: str
    kind: str = "step"
    result: str = "passed"
    used: bool = False


@dataclass(slots=True)
class Running:
    """A running Python journey, as the authoring API sees it.

    Attributes:
        settings: The journey.
        instance: The instance.
        entry: The entry event, as its class.
        stretch: The stretch of code that is under way, or None.
        passed: The last stretch, if it is not recorded yet, and when it was over. If the journey returns now, it is the
            journey's end.
        busy: The primitive that is under way, or None.
        ending: The ending that the code asked for, or None.
        warned: Whether it was noted that the history is long.
    """

    settings: JourneySettings
    instance: Instance
    entry: Any = None
    stretch: Stretch | None = None
    passed: tuple[Stretch, datetime] | None = None
    busy: str | None = None
    ending: Ending | None = None
    warned: bool = False

    def flush(self) -> None:
        """Record the last stretch, unless that is done."""
        if self.passed is not None:
            stretch, _ = self.passed
            self.passed = None
            self._record(stretch.name, stretch.kind, stretch.result)

    def finish(self, text: str | None) -> None:
        """Record the end: as a step `end` if the code returned from within a stretch."""
        if self.passed is None:
            return
        stretch, _ = self.passed
        if stretch.kind != "step" or text is None:
            self.flush()
            return
        self.passed = None
        # A computed text may be a customer's data, which must not get into a trace.
        self._record(stretch.name, "end", text if text in texts_of(self.settings.body) else "ended")

    def _record(self, name: str, kind: str, result: str) -> None:
        self.instance.state.trace.link(name)
        step = self.instance.step(name, kind)
        step.result = result
        try:
            step.begin()
        except TooManyVisits as error:
            self.stop(failed(name, error))
        step.end()

    def approach(self, step: str) -> None:
        """Note that the journey is on its way to a step, and that the step before leads there."""
        self.instance.state.approach(step)
        self.instance.state.trace.link(step)

    def stop(self, ending: Ending) -> None:
        """End the instance here.

        Raises:
            Exit: Always.
        """
        self.ending = self.ending or ending
        raise Exit(self.ending)

    def check_alive(self) -> None:
        """Check that the instance has not ended, so that nothing begins afterwards, such as in a `finally`.

        Raises:
            Exit: The code asked for the end.
            asyncio.CancelledError: It was exited, stopped or cancelled.
        """
        if self.ending is not None:
            raise Exit(self.ending)
        task = asyncio.current_task()
        if self.instance.arrivals.ending is not None or (task is not None and task.cancelling() > 0):
            raise asyncio.CancelledError


def running() -> Running:
    """Return the journey in which this code runs, also for handlers of signals, queries and updates.

    Raises:
        JourneyError: It does not run in a journey.
        GeneratorExit: Its instance was forgotten by the worker, and the code is being ended by Python's collector.
    """
    raise_if_collected()
    found = None
    if workflow.in_workflow():
        try:
            found = getattr(workflow.instance(), _RUNNING, None)
        except (AttributeError, RuntimeError):
            found = None  # The object is being made.
    if not isinstance(found, Running):
        raise JourneyError(
            "this is not a running journey: call it from the method that is marked with @journey.run, or from code "
            "that this method calls"
        )
    return found


def acting(name: str) -> Running:
    """Return the journey in which this code runs, after checking that it may do a step.

    Args:
        name: What it is about to do.

    Raises:
        JourneyError: It is called from elsewhere than the journey's own code, or while another step is under way.
        Exit: The code asked for the end already.
        asyncio.CancelledError: The instance has ended.
    """
    current = running()
    if not _inside.get():
        raise JourneyError(
            f"{name} was called in the handler of a signal, a query or an update: let the handler set an attribute, "
            "and let the journey wait for it with workflow.wait_condition"
        )
    current.check_alive()
    if current.busy is not None:
        raise JourneyError(
            f"{name} began while {current.busy} was under way: an instance is at one place at a time, so await each "
            "before the next. What is to run side by side belongs in one action, or in an activity of your own"
        )
    return current


def attach(host: Any, settings: JourneySettings) -> None:
    """Attach a running journey to a workflow object, before its method begins: signals may be handled earlier.

    Args:
        host: The workflow object, which has its instance already.
        settings: The journey.
    """
    if host._instance is not None:
        setattr(host, _RUNNING, Running(settings, host._instance))


async def run(host: Any, settings: JourneySettings) -> dict[str, Any]:
    """Run a journey's code as one instance.

    Args:
        host: The workflow object, an instance of the author's class.
        settings: The journey.

    Returns:
        The same result as a YAML journey's.

    Raises:
        temporalio.exceptions.ApplicationError: The input is bad, or the instance failed.
    """
    instance: Instance | None = host._instance
    if instance is None:
        raise messages.bad_input(host._problem or messages.BadMessage("there is none"))
    current: Running = getattr(host, _RUNNING)
    event = instance.start.event
    try:
        current.entry = settings.entry.received(event.id, event.time, event.data)
    except ValidationError as error:
        raise messages.bad_input(
            messages.BadMessage(f"the entry event does not fit {_fields(error)}")
        ) from None
    return await instance.run(lambda: _walk(host, current))


async def _walk(host: Any, current: Running) -> Ending:
    _inside.set(True)
    instance = current.instance
    try:
        await instance.proceed()
        value = await _code(host, current)
        if current.ending is None:
            current.finish(_outcome(current, value))
    except (Exit, BaseExceptionGroup, Exception) as error:
        ending = await _ending(current, error)
        if ending is None:
            raise
        return ending
    # An ending that the code asked for counts, even if the code caught it.
    return current.ending or Ending("completed", value)


async def _code(host: Any, current: Running) -> Any:
    """Run the author's code, and hold its end as the end of a YAML journey is held."""
    try:
        value = await current.settings.run(host, current.entry)
    except Exit:
        await _held(current)
        raise
    await _held(current)
    return value


async def _held(current: Running) -> None:
    """Hold the end of the code while the instance is paused or an exit is being decided.

    Raises:
        TimedOut: The instance reached the end of its own time first.
    """
    instance = current.instance
    if current.ending is not None and current.ending.outcome != "exited":
        return
    if not (instance.paused or instance.arrivals.holding or instance.now() >= instance.deadline):
        return
    # Only here, where it matters: a patch costs each instance history events.
    if not workflow.patched(names.PATCH_END_HELD):
        return
    if current.passed is not None:
        instance.state.approach(current.passed[0].name)
    await instance.proceed()


async def _ending(current: Running, error: BaseException) -> Ending | None:
    """Return how an exception ends the instance; None if it is a mistake in the code."""
    if current.ending is not None:
        return current.ending
    if isinstance(error, Exit):
        return error.ending
    if isinstance(error, TimedOut):
        await current.instance.resumed()
        return timed_out()
    if isinstance(error, BaseExceptionGroup):
        first = error.exceptions[0]
        return await _ending(current, first) if len(error.exceptions) == 1 else None
    if isinstance(error, CallError):
        return error.ending()
    if isinstance(error, FailureError) and not is_cancelled_exception(error):
        return _failed(current, error)
    return None


def _failed(current: Running, error: FailureError) -> Ending:
    """Return the ending after a failure of Temporal's own, such as of an activity of the author's."""
    cause = error.cause or error
    kind = getattr(cause, "type", None) or type(cause).__name__
    # The message of what failed elsewhere may quote a customer's data; the history has it.
    text = error.message if cause is error else f"{type(error).__name__}: {kind}; see the history"
    step = (current.stretch.name if current.stretch else current.instance.position.step) or "run"
    described = StepError("failed", text)
    current.instance.state.fail(step, described)
    return failed(step, described)


def _outcome(current: Running, value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise JourneyError(
        f"{current.settings.body.__name__}.{current.settings.run.__name__} returned {type(value).__name__}: "
        "a journey returns its outcome, a text, or nothing"
    )


def _fields(error: ValidationError) -> str:
    # Only the place and the kind of each error: the values may be a customer's data.
    places = [f"{'.'.join(map(str, item['loc'])) or 'the data'} ({item['type']})" for item in error.errors()]
    return ", ".join(places[:5])


@asynccontextmanager
async def occupied(current: Running, name: str) -> AsyncIterator[None]:
    """Mark a primitive as under way. If the instance's time ends, the instance ends, whatever the code catches."""
    current.busy = name
    try:
        yield
    except TimedOut:
        await current.instance.resumed()
        current.stop(timed_out())
    finally:
        current.busy = None


async def perform(kind: str, name: str, work: Callable[[Running], Awaitable[tuple[Any, str]]]) -> Any:
    """Do one step of the running journey, for any primitive of the authoring API.

    Args:
        kind: The step's kind, as in YAML.
        name: Its name if no `journey.step` gives one.
        work: Does it; returns its value and the result in a few words.

    Returns:
        The value.

    Raises:
        CallError: The step failed.
        JourneyError: Another step of this instance is under way, or this is not the journey's own code.
    """
    current = acting(f"journey.{kind}")
    instance = current.instance
    current.flush()
    step = current.stretch.name if current.stretch else name
    if current.stretch:
        current.stretch.used = True
    _warn_of_length(current)
    async with occupied(current, name):
        # As after a step in YAML: what arrives now, arrives while the instance is on its way to this one.
        current.approach(step)
        try:
            async with instance.step(step, kind) as visit:
                value, visit.result = await work(current)
        except TooManyVisits as error:
            # Whatever the code catches: it goes around in a circle.
            current.stop(failed(step, error))
        except StepError as error:
            raise CallError(step, error) from None
        return value


def _warn_of_length(current: Running) -> None:
    if not current.warned and workflow.info().is_continue_as_new_suggested():
        current.warned = True
        current.instance.state.note(
            "the history is long: Temporal ends a workflow at 51,200 events; see journey.continue_as_new"
        )
