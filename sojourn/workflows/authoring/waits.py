"""Waiting in Python journeys: for events, and for time."""

# ruff: noqa: ASYNC109 - the timeout is a part of the journey, kept by Temporal

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, Literal, TypeVar, overload

from pydantic import ValidationError

from sojourn.workflows import waiting
from sojourn.workflows.authoring.errors import JourneyError
from sojourn.workflows.authoring.events import Event, spec_of
from sojourn.workflows.authoring.runtime import Running, perform
from sojourn.workflows.messages import EventMessage

E = TypeVar("E", bound=Event)
E1 = TypeVar("E1", bound=Event)
E2 = TypeVar("E2", bound=Event)
E3 = TypeVar("E3", bound=Event)

Since = Literal["now", "entry"]


@dataclass(frozen=True, slots=True)
class On(Generic[E]):
    """One of several events that a wait listens for.

    Attributes:
        event: The event's class.
        when: Which of these events fit; all of them where it is left out.
        restart: Such an event does not end the wait: its time begins again.
    """

    event: type[E]
    when: Callable[[E], bool] | None = None
    restart: bool = False


def on(event: type[E], *, when: Callable[[E], bool] | None = None, restart: bool = False) -> On[E]:
    """Return one of the events of a `wait_for`, with what is particular to it.

    Args:
        event: The event's class.
        when: Which of these events fit.
        restart: Such an event begins the wait's time again, and does not end it.
    """
    return On(event, when, restart)


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
    timeout: timedelta,
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
    timeout: timedelta,
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
    timeout: timedelta,
    since: Since = "now",
) -> E1 | E2 | E3 | None: ...
@overload
async def wait_for(
    *events: type[Event] | On[Any],
    when: Callable[[Any], bool] | None = None,
    timeout: timedelta | None = None,
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
        when: Which events fit. It is to be a plain function of the event and of what the journey knows.
        timeout: How long to wait.
        since: `entry`: events count too that arrived earlier in this instance and ended no wait.

    Returns:
        The event; nothing when the time was up.

    Raises:
        JourneyError: No event is given, or one that routing does not deliver to this journey.
    """
    if not events:
        raise JourneyError("wait_for needs an event class: await journey.wait_for(OrderPlaced)")
    listens = [item if isinstance(item, On) else On(item) for item in events]
    words = " or ".join(spec_of(item.event).name for item in listens)
    name = f"wait_for-{spec_of(listens[0].event).name}"

    async def work(current: Running) -> tuple[Event | None, str]:
        _check_delivered(current, listens)
        wait = _EventWait(
            current.instance,
            listens=[
                {
                    "event": spec_of(item.event).name,
                    "when": None,
                    "restart": item.restart,
                    "on": item,
                    "also": when,
                }
                for item in listens
            ],
            length=timeout,
            earlier=since == "entry",
            summary=f"{current.step or name}: waits for {words}",
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
            self._instance.note(
                f"{event.name} passed over: it does not fit {len(error.errors())} of its fields"
            )
            return False
        return all(
            condition is None or condition(parsed) for condition in (listen["on"].when, listen["also"])
        )


def _parsed(listen: On[Any], event: EventMessage) -> Event:
    found: Event = listen.event.received(event.id, event.time, event.data)
    return found


def _check_delivered(current: Running, listens: Iterable[On[Any]]) -> None:
    delivered = current.instance.definition["listens"]
    for listen in listens:
        if spec_of(listen.event).name not in delivered:
            name = listen.event.__name__
            raise JourneyError(
                f"routing does not deliver {name} to this instance, so the wait would never end. Where the code cannot "
                f"be seen to name it, write @journey.defn(…, listens=[{name}]); where the journey was changed while "
                "this instance ran, keep the old wait for it behind workflow.patched"
            )


async def sleep(duration: timedelta) -> None:
    """Let time pass. Events that arrive meanwhile are only remembered, for `since="entry"`.

    Args:
        duration: How long.
    """

    async def work(current: Running) -> tuple[None, str]:
        instance = current.instance
        instance.inbox.discard()
        began = instance.position.began or instance.now()
        await waiting.sleep(instance, began + duration, f"{current.step or 'sleep'}: waits for time to pass")
        return None, "waited"

    await perform("wait", "sleep", work)


async def sleep_until(moment: datetime) -> None:
    """Wait for a moment; one that has passed is over at once.

    Args:
        moment: An aware datetime.

    Raises:
        JourneyError: It has no time zone.
    """
    if moment.tzinfo is None:
        raise JourneyError("sleep_until needs a datetime with a time zone: datetime(…, tzinfo=UTC)")

    async def work(current: Running) -> tuple[None, str]:
        current.instance.inbox.discard()
        name = current.step or "sleep_until"
        await waiting.sleep(current.instance, moment, f"{name}: waits for time to pass")
        return None, "waited"

    await perform("wait", "sleep_until", work)
