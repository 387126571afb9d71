"""Waiting in Python journeys: for events, and for time."""

# ruff: noqa: ASYNC109 - the timeout is a part of the journey, kept by Temporal

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from datetime import datetime, time, timedelta
from typing import Any, Literal, Never, TypeVar, overload

from pydantic import ValidationError

from sojourn.workflows.authoring.errors import JourneyError
from sojourn.workflows.authoring.events import Event, spec_of
from sojourn.workflows.authoring.runtime import Running, perform
from sojourn.workflows.authoring.source_scan import On
from sojourn.workflows.authoring.times import Day, checked_days, clock_of, zone_of
from sojourn.workflows.engine import calendars, waiting
from sojourn.workflows.engine.messages import EventMessage

E = TypeVar("E", bound=Event)
E1 = TypeVar("E1", bound=Event)
E2 = TypeVar("E2", bound=Event)
E3 = TypeVar("E3", bound=Event)

Since = Literal["now", "entry"]


@overload
def on(
    event: type[E], *, when: Callable[[E], bool] | None = None, restart: Literal[False] = False
) -> On[E]: ...
@overload
def on(event: type[E], *, when: Callable[[E], bool] | None = None, restart: Literal[True]) -> On[Never]: ...
def on(event: type[Any], *, when: Callable[[Any], bool] | None = None, restart: bool = False) -> On[Any]:
    """Return one of the events of a `wait_for`, with options of its own.

    Args:
        event: The event's class.
        when: Which of these events fit.
        restart: Such an event restarts the wait's time, and does not end the wait.
    """
    spec_of(event)
    return On(event, _plain_function(when), restart)


@overload
async def wait_for(
    event: type[E] | On[E],
    /,
    *,
    when: Callable[[E], bool] | None = None,
    timeout: None = None,
    since: Since = "now",
) -> E: ...
@overload
async def wait_for(
    event: type[E] | On[E],
    /,
    *,
    when: Callable[[E], bool] | None = None,
    timeout: timedelta | None,
    since: Since = "now",
) -> E | None: ...
@overload
async def wait_for(
    first: type[E1] | On[E1],
    second: type[E2] | On[E2],
    /,
    *,
    when: Callable[[E1 | E2], bool] | None = None,
    timeout: None = None,
    since: Since = "now",
) -> E1 | E2: ...
@overload
async def wait_for(
    first: type[E1] | On[E1],
    second: type[E2] | On[E2],
    /,
    *,
    when: Callable[[E1 | E2], bool] | None = None,
    timeout: timedelta | None,
    since: Since = "now",
) -> E1 | E2 | None: ...
@overload
async def wait_for(
    first: type[E1] | On[E1],
    second: type[E2] | On[E2],
    third: type[E3] | On[E3],
    /,
    *,
    when: Callable[[E1 | E2 | E3], bool] | None = None,
    timeout: None = None,
    since: Since = "now",
) -> E1 | E2 | E3: ...
@overload
async def wait_for(
    first: type[E1] | On[E1],
    second: type[E2] | On[E2],
    third: type[E3] | On[E3],
    /,
    *,
    when: Callable[[E1 | E2 | E3], bool] | None = None,
    timeout: timedelta | None,
    since: Since = "now",
) -> E1 | E2 | E3 | None: ...
@overload
async def wait_for(
    first: type[Event] | On[Any],
    second: type[Event] | On[Any],
    third: type[Event] | On[Any],
    fourth: type[Event] | On[Any],
    /,
    *more: type[Event] | On[Any],
    when: Callable[[Any], bool] | None = None,
    timeout: None = None,
    since: Since = "now",
) -> Event: ...
@overload
async def wait_for(
    first: type[Event] | On[Any],
    second: type[Event] | On[Any],
    third: type[Event] | On[Any],
    fourth: type[Event] | On[Any],
    /,
    *more: type[Event] | On[Any],
    when: Callable[[Any], bool] | None = None,
    timeout: timedelta | None,
    since: Since = "now",
) -> Event | None: ...
async def wait_for(
    *events: type[Event] | On[Any],
    when: Callable[[Any], bool] | None = None,
    timeout: timedelta | None = None,
    since: Since = "now",
) -> Event | None:
    """Wait for an event.

    An event that arrived while a call was in flight counts, as in YAML journeys.

    Args:
        events: One or several classes, or what `journey.on` gives; the first event that fits ends the wait.
        when: Which events fit: a plain function of the event and of what the journey knows. It applies to the classes
            that are given directly; the results of `journey.on` have a `when` of their own.
        timeout: How long to wait.
        since: `entry`: events count too that arrived earlier in this instance and ended no wait.

    Returns:
        The event; None if the time was up.

    Raises:
        JourneyError: No event is given, or routing does not deliver one of them to this journey.
    """
    if not events:
        raise JourneyError("wait_for needs an event class: await journey.wait_for(OrderPlaced)")
    fits = _plain_function(when)
    listens: list[On[Any]] = [item if isinstance(item, On) else On(item, fits) for item in events]
    if timeout is not None:
        _check_length("the timeout of wait_for", timeout)
    if all(item.restart for item in listens) and timeout is None:
        raise JourneyError(
            "this wait would never end: give it an event that does not restart it, or a timeout"
        )
    words = " or ".join(spec_of(item.event).name for item in listens)
    name = f"wait_for-{spec_of(listens[0].event).name}"

    async def work(current: Running) -> tuple[Event | None, str]:
        _check_delivered(current, listens)
        if timeout is not None:
            waiting.check_longest(current.instance, timeout, "the timeout of wait_for")
        wait = _EventWait(
            current.instance,
            listens=[
                {"event": spec_of(item.event).name, "when": None, "restart": item.restart, "on": item}
                for item in listens
            ],
            length=timeout,
            earlier=since == "entry",
            summary=f"{current.stretch.name if current.stretch else name}: waits for {words}",
        )
        arrival = await wait.over()
        if arrival is None:
            return None, "timeout"
        return _parsed(arrival.listen["on"], arrival.event), arrival.event.name

    found: Event | None = await perform("wait_for", name, work)
    return found


class _EventWait(waiting.Wait):
    """A wait whose events are classes and whose conditions are functions."""

    def _fits(self, listen: dict[str, Any], event: EventMessage, field: str) -> bool:
        try:
            parsed = _parsed(listen["on"], event)
        except ValidationError as error:
            self._instance.state.note(
                f"{event.name} passed over: it does not fit {len(error.errors())} of its fields"
            )
            return False
        condition = listen["on"].when
        return condition is None or bool(condition(parsed))


def _parsed(listen: On[Any], event: EventMessage) -> Event:
    found: Event = listen.event.received(event.id, event.time, event.data)
    return found


def _check_delivered(current: Running, listens: Iterable[On[Any]]) -> None:
    delivered = current.instance.definition["listens"]
    for listen in listens:
        if spec_of(listen.event).name not in delivered:
            name = listen.event.__name__
            raise JourneyError(
                f"routing does not deliver {name} to this instance, so the wait would never end. If the code "
                f"does not visibly name it, write @journey.defn(…, listens=[{name}]). If the journey was changed while "
                "this instance ran, keep the old wait for it with workflow.patched"
            )


def _plain_function(when: Any) -> Any:
    """Return a condition, checked as far as possible.

    Raises:
        JourneyError: It is not a plain function.
    """
    if when is not None and (not callable(when) or inspect.iscoroutinefunction(when)):
        raise JourneyError(
            "`when` must be a plain function of the event, such as when=lambda order: order.total > 100; look up what "
            "it needs before the wait"
        )
    return when


def _check_length(what: str, length: Any) -> None:
    if not isinstance(length, timedelta):
        raise JourneyError(
            f"{what} must be a timedelta such as timedelta(hours=1), not {type(length).__name__}"
        )


async def _until(current: Running, moment: datetime, name: str) -> tuple[None, str]:
    current.instance.state.inbox.discard()
    label = current.stretch.name if current.stretch else name
    await waiting.sleep(current.instance, moment, f"{label}: waits for time to pass")
    return None, "waited"


async def sleep(duration: timedelta) -> None:
    """Let time pass. Events that arrive meanwhile are only remembered, for `since="entry"`.

    Args:
        duration: How long.

    Raises:
        CallError: It is longer than the longest wait: 90 days, unless the deployment sets another.
    """
    _check_length("the argument of sleep", duration)

    async def work(current: Running) -> tuple[None, str]:
        waiting.check_longest(current.instance, duration, "sleep")
        began = current.instance.position.began or current.instance.now()
        return await _until(current, began + max(duration, timedelta()), "sleep")

    await perform("wait", "sleep", work)


@overload
async def sleep_until(moment: datetime, /) -> None: ...
@overload
async def sleep_until(clock: time, /, *, on: Iterable[Day] | None = None) -> None: ...
async def sleep_until(moment: datetime | time, /, *, on: Iterable[Day] | None = None) -> None:
    """Wait for a moment, or for the next occurrence of a time of day in the journey's time zone.

        await journey.sleep_until(time(9), on=["mon", "tue", "wed", "thu", "fri"])

    Args:
        moment: An aware datetime, over at once if it is in the past; or a time of day, in hours and minutes.
        on: Weekdays that count, with a time of day; all of them if left out.

    Raises:
        CallError: It is further away than the longest wait.
        JourneyError: The datetime has no time zone, the time of day has one or has seconds, or a weekday is invalid.
    """
    clock = None if isinstance(moment, datetime) else clock_of(moment)
    days = checked_days(on)
    if isinstance(moment, datetime) and moment.tzinfo is None:
        raise JourneyError("sleep_until needs a datetime with a time zone: datetime(…, tzinfo=UTC)")
    if clock is None and days is not None:
        raise JourneyError(
            "`on` of sleep_until goes with a time of day, such as sleep_until(time(9), on=[…])"
        )

    async def work(current: Running) -> tuple[None, str]:
        began = current.instance.position.began or current.instance.now()
        if isinstance(moment, datetime):
            waiting.check_longest(current.instance, moment - began, "sleep_until")
            return await _until(current, moment, "sleep_until")
        place = await zone_of(current)
        return await _until(current, calendars.next_time(began, str(clock), days, place), "sleep_until")

    await perform("wait", "sleep_until", work)
