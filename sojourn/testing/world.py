"""A deployment for one test: a real router, worker and store, with a clock that the test moves."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from temporalio.client import Client, WorkflowHandle
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from sojourn import names
from sojourn.activities.caps import LocalCaps
from sojourn.definitions import Project
from sojourn.plugin import JourneyPlugin
from sojourn.routing import EventResult, IncomingEvent, Router
from sojourn.routing.jumps import enter
from sojourn.settings import Settings
from sojourn.store import Store
from sojourn.store.profiles import Write
from sojourn.store.versionrules import PublicationRefused
from sojourn.testing.answers import Call, Script
from sojourn.testing.instances import Instance, Stuck
from sojourn.testing.recording import Recorder, Starts
from sojourn.testing.scripted import ScriptedCalls

MONDAY = datetime(2026, 1, 5, 12, tzinfo=UTC)
"""The moment at which a scenario begins that names none: a Monday, at noon in UTC."""

MOST_TIMERS = 5_000
"""Timers that may fire in one scenario. A journey that needs more goes round in a circle."""


class World:
    """A deployment for one test. Open it with `World.open`.

    Attributes:
        now: The time here, UTC.
        script: What endpoints answer.
        instances: The instances, in the order in which they were started.
        results: What became of each event that was sent.
    """

    def __init__(
        self,
        environment: WorkflowEnvironment,
        store: Store,
        *,
        now: datetime,
        mode: str,
        cached: int,
        journeys: Sequence[type] = (),
    ) -> None:
        self.now = now.astimezone(UTC)
        self.script = Script()
        self.instances: list[Instance] = []
        self.results: list[EventResult] = []
        self._began = self.now
        self._environment = environment
        self._store = store
        self._cached = cached
        self._journeys = list(journeys)
        self._restless: set[Instance] = set()
        self._recorder = Recorder(self._clock, self._profile)
        settings = Settings(
            task_queue=f"scenario-{uuid.uuid4().hex[:12]}",
            private_keys=False,
            local_fetch=True,
            search_attributes=True,
        )
        self._queue = settings.task_queue
        self._client = _watched(environment.client, Starts(self._clock, mode, self._started))
        self._router = Router(store, self._client, settings, clock=self._clock)
        self._workers = AsyncExitStack()
        self._throttled: set[str] = set()

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        environment: WorkflowEnvironment,
        project: Project,
        *,
        now: datetime = MONDAY,
        mode: str = "test",
        cached: int = 1000,
        journeys: Sequence[type] = (),
    ) -> AsyncIterator[World]:
        """Open a deployment with a project published.

        Args:
            environment: A server with virtual time, see `start_server`.
            project: A project without errors.
            now: The moment at which the test begins, aware.
            mode: What expressions see as `journey.mode`.
            cached: How many instances the worker keeps in memory; 0 lets it replay each from its history every time.
            journeys: The classes of the project's Python journeys, see `sojourn.testing.prepare_project`.

        Raises:
            ValueError: The project has errors.
        """
        async with AsyncExitStack() as stack:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="sojourn-test-"))
            store = await _new_store(Path(folder))
            stack.push_async_callback(store.close)
            world = cls(environment, store, now=now, mode=mode, cached=cached, journeys=journeys)
            stack.push_async_callback(world._stop_worker)
            await world._start_worker()
            await world.publish(project)
            stack.push_async_callback(world._close)
            yield world

    # What happens

    async def send(self, name: str, data: Any = None, *, id: str | None = None) -> EventResult:  # noqa: A002
        """Let an event arrive now, and everything happen that follows at once.

        Args:
            name: The event's name.
            data: Its data, plain JSON.
            id: Its id; one of its own if left out.

        Raises:
            Stuck: An instance did not come to rest.
        """
        event = IncomingEvent(
            id or uuid.uuid4().hex, name, self.now, {} if data is None else data, id is not None
        )
        (result,) = await self._router.route([event])
        self.results.append(result)
        reached = {effect.workflow_id for effect in result.instances}
        self._restless |= {one for one in self.running if one.workflow_id in reached}
        await self._settle()
        return result

    async def pause(self, *, profile: str | None = None, journey: str | None = None) -> int:
        """Pause the instances of a profile and a journey, or all; returns how many."""
        return await self._signal(names.SIGNAL_PAUSE, profile, journey)

    async def resume(self, *, profile: str | None = None, journey: str | None = None) -> int:
        """Let paused instances go on; returns how many were told."""
        return await self._signal(names.SIGNAL_RESUME, profile, journey)

    async def exit(
        self, reason: str = "operator", *, profile: str | None = None, journey: str | None = None
    ) -> int:
        """Let instances exit; returns how many."""
        return await self._signal(names.SIGNAL_EXIT, profile, journey, reason)

    async def publish(self, project: Project) -> list[tuple[str, int]]:
        """Publish a project over what is there; returns the name and number of each new version.

        Raises:
            ValueError: The project has errors, or breaks a rule of versions.
        """
        try:
            published = await self._store.publish(project)
        except PublicationRefused as error:
            raise ValueError(str(error)) from None
        throttled = {endpoint.name for endpoint in project.endpoints.values() if endpoint.throttle}
        if not throttled <= self._throttled:
            self._throttled |= throttled
            await self.restart_worker()
        return list(published.published)

    async def set_profile(self, key: str, attributes: dict[str, Any]) -> None:
        """Write a profile's attributes into the built-in profile store, in place of what was there.

        Raises:
            ValueError: They do not fit the project's schema of profiles.
        """
        (written,) = await self._store.profiles.put([Write(key, attributes)])
        if written.violations:
            raise ValueError(f"the profile {key} cannot be written: {written.violations[0].message}")

    async def profile(self, key: str) -> dict[str, Any] | None:
        """Return a profile's attributes; nothing where there is none."""
        return await self._store.profiles.get(key)

    async def restart_worker(self) -> None:
        """Stop the worker and start another one, which knows nothing but what Temporal has."""
        await self._stop_worker()
        await self._start_worker()

    # Time

    async def advance(self, by: timedelta | float) -> None:
        """Let time pass.

        Args:
            by: How long, as a `timedelta` or in seconds.

        Raises:
            Stuck: An instance did not come to rest, or time does not get on for all that happens.
        """
        length = by if isinstance(by, timedelta) else timedelta(seconds=by)
        await self.advance_to(self.now + length)

    async def advance_to(self, moment: datetime) -> None:
        """Let time pass until a moment. What falls due at the moment itself has happened then.

        Raises:
            Stuck: An instance did not come to rest, or time does not get on for all that happens.
        """
        await self._pass(moment)
        self.now = max(self.now, moment.astimezone(UTC))

    async def finish(self) -> None:
        """Let time pass until every instance has ended that ever ends.

        Raises:
            Stuck: An instance did not come to rest, or time does not get on for all that happens.
        """
        await self._pass(None)

    # What there is to see

    @property
    def calls(self) -> list[Call]:
        """The calls that reached the other side, in order."""
        return [call for call in self._recorder.calls if call.attempts]

    def find(self, *, profile: str | None = None, journey: str | None = None) -> list[Instance]:
        """Return the instances of a profile and a journey, or all, in the order in which they entered."""
        return [
            one for one in self.instances if profile in (None, one.profile) and journey in (None, one.journey)
        ]

    @property
    def running(self) -> list[Instance]:
        """The instances that have not ended."""
        return [one for one in self.instances if not one.ended]

    @property
    def elapsed(self) -> timedelta:
        """How much time has passed since the beginning."""
        return self.now - self._began

    # Inside

    def _clock(self) -> datetime:
        return self.now

    def _profile(self, workflow_id: str) -> str:
        found = (one.profile for one in reversed(self.instances) if one.workflow_id == workflow_id)
        return next(found, names.parts_of(workflow_id)[1])

    def _started(self, start: dict[str, Any], handle: WorkflowHandle[Any, Any]) -> None:
        instance = Instance(self._environment, start, handle, self.now)
        self.instances.append(instance)
        self._restless.add(instance)

    async def _signal(self, name: str, profile: str | None, journey: str | None, *arguments: Any) -> int:
        told = 0
        for instance in self.find(profile=profile, journey=journey):
            if instance.ended:
                continue
            told += await instance.signal(name, *arguments, self.now.isoformat())
            self._restless.add(instance)
        await self._settle()
        return told

    async def _settle(self) -> None:
        while self._restless:
            await self._settled(self._restless.pop())

    async def _settled(self, instance: Instance) -> None:
        await instance.settle()
        if (ahead := instance.clock) is not None and ahead > self.now:
            where = (
                f"{instance.workflow_id} is at {ahead.isoformat()}, and the test at {self.now.isoformat()}"
            )
            raise Stuck(f"time ran away: {where}; this is a defect of Sojourn's runner or of the server")

    async def _pass(self, moment: datetime | None) -> None:
        for _ in range(MOST_TIMERS):
            await self._settle()
            waiting = [(due, one) for one in self.running if (due := one.due) is not None]
            if not waiting:
                return
            due, instance = min(waiting, key=lambda pair: pair[0])
            if moment is not None and due > moment:
                return
            self.now = max(self.now, due)
            await instance.fire()
            await self._settled(instance)
        raise Stuck(
            f"{MOST_TIMERS:,} waits have ended and others go on: does a journey go round in a circle?"
        )

    async def _start_worker(self) -> None:
        calls = ScriptedCalls(
            self._store,
            self.script,
            caps=LocalCaps(lambda: self.now.timestamp()),
            profiles=self._store.profiles,
            jumps=_Jumps(self._router),
        )
        stack = self._workers = AsyncExitStack()
        await stack.enter_async_context(
            Worker(
                self._environment.client,
                task_queue=self._queue,
                # Throttled queues have workers below, which know no rate.
                plugins=[JourneyPlugin(calls=calls, journeys=self._journeys, throttled_queues=False)],
                interceptors=[self._recorder],
                max_cached_workflows=self._cached,
                # A mistake in workflow code would be tried again for ever; here it fails the test at once.
                workflow_failure_exception_types=[Exception],
            )
        )
        for name in sorted(self._throttled):
            # Without its rate: what a throttle holds back takes the machine's time, not the scenario's.
            await stack.enter_async_context(
                Worker(
                    self._environment.client,
                    task_queue=names.throttled_queue(self._queue, name),
                    activities=calls.activities,
                    interceptors=[self._recorder],
                )
            )

    async def _stop_worker(self) -> None:
        await self._workers.aclose()

    async def _close(self) -> None:
        for instance in self.instances:
            await instance.close()


class _Jumps:
    """Lets profiles into journeys through the test's own router, which sees what is started."""

    def __init__(self, router: Router) -> None:
        self._router = router

    async def jump(
        self, client: Client, target: str, key: str, event_id: str, time: datetime, data: Any
    ) -> dict[str, Any]:
        return await enter(self._router, target, key, event_id, time, data)


def _watched(client: Client, *interceptors: Any) -> Client:
    config: Any = client.config(active_config=True)
    return Client(**{**config, "interceptors": [*config["interceptors"], *interceptors]})


async def _new_store(folder: Path) -> Store:
    path = folder / "sojourn.db"
    path.write_bytes(await _empty_database())
    # A long lease: a test may be stopped in a debugger.
    return await Store.open(f"sqlite:///{path}", catalog_refresh=0.01, lease=600.0)


@cache
def _kept() -> dict[str, bytes]:
    return {}


async def _empty_database() -> bytes:
    """Return a database with all tables: migrated once in a process, and copied from then on."""
    if "database" not in _kept():
        with tempfile.TemporaryDirectory(prefix="sojourn-test-") as folder:
            store = await Store.open(f"sqlite:///{folder}/sojourn.db")
            await store.migrate()
            await store.close()
            _kept()["database"] = Path(folder, "sojourn.db").read_bytes()  # noqa: ASYNC240 - once, and small
    return _kept()["database"]
