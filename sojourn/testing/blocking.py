"""The same for tests without `async`: a deployment whose methods wait, and a server that lives in a thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from typing import Any, TypeVar

from temporalio.testing import WorkflowEnvironment

from sojourn.contract.journey_states import Act
from sojourn.routing import EventResult
from sojourn.simulation.actions import FIRST_MOMENT
from sojourn.simulation.instances import Instance
from sojourn.simulation.scripted_answers import Answer, Call
from sojourn.simulation.server import start_server
from sojourn.simulation.world import World
from sojourn.testing.projects import Source, prepare_project

T = TypeVar("T")


class Portal:
    """Runs coroutines in an event loop of its own, in a thread."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="sojourn-testing", daemon=True)
        self._thread.start()

    def call(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Return what a coroutine returns."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def close(self) -> None:
        """End the loop and its thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class Journeys:
    """Runs the journeys of a project in a test. The fixture `journeys` makes one, see `sojourn.testing.plugin`."""

    def __init__(self, portal: Portal, world: World, journeys: Sequence[type] = ()) -> None:
        self._portal = portal
        self._world = world
        self._journeys = list(journeys)

    # What happens

    def send(
        self,
        name: str,
        data: Mapping[str, Any] | None = None,
        *,
        id: str | None = None,  # noqa: A002 - what events call it
    ) -> EventResult:
        """Let an event arrive now, and everything happen that follows at once.

        Args:
            name: The event's name.
            data: Its data.
            id: Its id; one of its own if left out.
        """
        return self._portal.call(self._world.send(name, dict(data or {}), id=id))

    def answer(self, endpoint: str, *answers: Answer, **answer: Any) -> None:
        """Set what a source or an action answers from now on. An action that has no answer set gives 200 and `{}`.

        Args:
            endpoint: Its name.
            answers: Several answers in order; the last one is given again and again.
            answer: Instead of them, the fields of one `Answer`: `status`, `body`, `hang`, ...
        """
        self._world.script.set(endpoint, list(answers) or [Answer(**answer)])

    def set_profile(self, key: str, attributes: Mapping[str, Any]) -> None:
        """Write a profile's attributes into the built-in profile store."""
        self._portal.call(self._world.set_profile(key, dict(attributes)))

    def profile(self, key: str) -> dict[str, Any] | None:
        """Return a profile's attributes; nothing where there is none."""
        return self._portal.call(self._world.profile(key))

    def pause(self, profile: str | None = None, journey: str | None = None) -> None:
        """Pause the instances of a profile and a journey, or all."""
        self._portal.call(self._world.pause(profile=profile, journey=journey))

    def resume(self, profile: str | None = None, journey: str | None = None) -> None:
        """Let paused instances go on."""
        self._portal.call(self._world.resume(profile=profile, journey=journey))

    def exit(
        self, profile: str | None = None, journey: str | None = None, *, reason: str = "operator"
    ) -> None:
        """Let instances exit."""
        self._portal.call(self._world.exit(reason, profile=profile, journey=journey))

    def stop(self, profile: str | None = None, journey: str | None = None) -> None:
        """Stop the instances of a profile and a journey, or all."""
        self._portal.call(self._world.stop(profile=profile, journey=journey))

    def act(self, journey: str, what: Act, version: int | None = None) -> None:
        """Steer a journey with all its instances: `pause`, `resume`, `close`, `stop` or `reopen`.

        Args:
            journey: The journey's name.
            what: What to do.
            version: Only with the instances of this version; the journey's state stays.

        Raises:
            ValueError: There is no such journey or version, or the journey's state does not allow that.
        """
        self._portal.call(self._world.act(journey, what, version))

    def move(self, journey: str, version: int | None = None) -> dict[str, str]:
        """Move instances to the journey's newest version; returns why others stay, by workflow id.

        Raises:
            ValueError: There is no such journey or version, or none that is older.
        """
        return self._portal.call(self._world.move(journey, version))

    def state(self, journey: str) -> str | None:
        """Return the state of a journey: `live`, `paused`, `closed`, `stopped` or `finished`."""
        return self._portal.call(self._world.state(journey))

    def publish(self, project: Source) -> None:
        """Publish another version of the project. Its Python journeys stay the classes that they were."""
        self._portal.call(self._world.publish(prepare_project(project, self._journeys).project))

    def restart_worker(self) -> None:
        """Stop the worker and start another one, which knows nothing but what Temporal has."""
        self._portal.call(self._world.restart_worker())

    # Time

    @property
    def now(self) -> datetime:
        """The time in this test, UTC."""
        return self._world.now

    def advance(self, by: timedelta | None = None, **length: float) -> None:
        """Let time pass, and everything happen that falls due.

        Args:
            by: How long.
            length: Or the arguments of a `timedelta`: `days=30`.
        """
        self._portal.call(self._world.advance(by if by is not None else timedelta(**length)))

    def advance_to(self, moment: datetime) -> None:
        """Let time pass until a moment, an aware `datetime`."""
        self._portal.call(self._world.advance_to(moment))

    def finish(self) -> None:
        """Let time pass until every instance has ended."""
        self._portal.call(self._world.finish())

    # What there is to see

    @property
    def calls(self) -> list[Call]:
        """The calls that were made, in order."""
        return self._world.calls

    def calls_of(self, endpoint: str) -> list[Call]:
        """Return the calls of one source or action, in order."""
        return [call for call in self._world.calls if call.endpoint == endpoint]

    @property
    def instances(self) -> list[Instance]:
        """The instances, in the order in which they entered."""
        return self._world.instances

    def instance(
        self, profile: str | None = None, *, journey: str | None = None, run: int | None = None
    ) -> Instance:
        """Return one instance.

        Args:
            profile: Its profile; may be left out where there is one instance only.
            journey: Its journey, likewise.
            run: Which of several it is, from 1.

        Raises:
            AssertionError: There is none, or more than one.
        """
        found = self._world.find(profile=profile, journey=journey)
        if run is not None:
            found = found[run - 1 : run]
        if len(found) == 1:
            return found[0]
        there = ", ".join(f"{one.journey} {one.profile}" for one in self._world.instances) or "none"
        wanted = " ".join(filter(None, (journey, profile, f"run {run}" if run else None))) or "one instance"
        raise AssertionError(f"{len(found)} instances are {wanted}; there are: {there}")


@contextmanager
def server_in_thread() -> Iterator[tuple[Portal, WorkflowEnvironment]]:
    """Start a Temporal server with virtual time for tests without `async`."""
    portal = Portal()
    server = start_server()
    try:
        environment = portal.call(_enter(server))
        try:
            yield portal, environment
        finally:
            portal.call(_leave(server))
    finally:
        portal.close()


@contextmanager
def opener(portal: Portal, environment: WorkflowEnvironment) -> Iterator[Any]:
    """Give a function that opens deployments, `open(project, now=..., cached=...) -> Journeys`; all end with it."""
    with ExitStack() as stack:

        def open_project(
            project: Source | None = None,
            *,
            journeys: Sequence[type] = (),
            now: datetime = FIRST_MOMENT,
            mode: str = "test",
            cached: int = 1000,
        ) -> Journeys:
            about = prepare_project(project, journeys)
            manager = World.open(
                environment, about.project, now=now, mode=mode, cached=cached, journeys=about.journeys
            )
            world = portal.call(_enter(manager))
            stack.callback(lambda: portal.call(_leave(manager)))
            return Journeys(portal, world, about.journeys)

        yield open_project


async def _enter(manager: Any) -> Any:
    return await manager.__aenter__()


async def _leave(manager: Any) -> None:
    await manager.__aexit__(None, None, None)
