"""A deployment for one test: a real router, worker and store, with a clock that the test moves."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from temporalio.client import WorkflowHandle
from temporalio.testing import WorkflowEnvironment

from sojourn.contract import names
from sojourn.contract.journey_states import Act
from sojourn.definitions import Project
from sojourn.routing import EventResult, IncomingEvent, Router
from sojourn.settings import Settings
from sojourn.simulation.actions import FIRST_MOMENT, Meanwhile, Target
from sojourn.simulation.databases import new_store
from sojourn.simulation.instances import Instance, Stuck
from sojourn.simulation.journey_actions import JourneyActs
from sojourn.simulation.recording import Messages, Recorder
from sojourn.simulation.scripted_answers import Call, Script
from sojourn.simulation.workers import Workers, watched
from sojourn.store import Store
from sojourn.store.profiles.profiles import Write
from sojourn.store.version_rules import PublicationRefused

_SIGNALS = {"pause": names.SIGNAL_PAUSE, "resume": names.SIGNAL_RESUME, "exit": names.SIGNAL_EXIT}

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
        self.script = Script(self.meanwhile)
        self.instances: list[Instance] = []
        self.results: list[EventResult] = []
        self._began = self.now
        self._environment = environment
        self._store = store
        self._restless: set[Instance] = set()
        self._recorder = Recorder(self._clock, self._profile)
        settings = Settings(
            task_queue=f"scenario-{uuid.uuid4().hex[:12]}",
            private_keys=False,
            local_fetch=True,
            search_attributes=True,
        )
        self._client = watched(environment.client, Messages(self._clock, mode, self._started))
        self._router = Router(store, self._client, settings, clock=self._clock)
        self._acts = JourneyActs(store, self._client, settings, self._clock)
        self._workers = Workers(
            environment.client,
            settings.task_queue,
            store,
            self._router,
            self.script,
            self._recorder,
            self._clock,
            cached=cached,
            journeys=journeys,
        )

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        environment: WorkflowEnvironment,
        project: Project,
        *,
        now: datetime = FIRST_MOMENT,
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
            store = await new_store(Path(folder))
            stack.push_async_callback(store.close)
            world = cls(environment, store, now=now, mode=mode, cached=cached, journeys=journeys)
            await stack.enter_async_context(world._workers)
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
        result = await self.arrive(name, data, id=id)
        await self._settle()
        return result

    async def arrive(self, name: str, data: Any = None, *, id: str | None = None) -> EventResult:  # noqa: A002
        """Let an event arrive now, and wait for nothing: as it does while a call is in flight."""
        event = IncomingEvent(
            id or uuid.uuid4().hex, name, self.now, {} if data is None else data, id is not None
        )
        (result,) = await self._router.route([event])
        self.results.append(result)
        reached = {effect.workflow_id for effect in result.instances}
        self._restless |= {one for one in self.running if one.workflow_id in reached}
        return result

    async def pause(self, *, profile: str | None = None, journey: str | None = None) -> int:
        """Pause the instances of a profile and a journey, or all, each by itself; returns how many."""
        return await self._ask("pause", profile, journey)

    async def resume(self, *, profile: str | None = None, journey: str | None = None) -> int:
        """Let instances go on that were paused by themselves; returns how many were told."""
        return await self._ask("resume", profile, journey)

    async def exit(
        self, reason: str = "operator", *, profile: str | None = None, journey: str | None = None
    ) -> int:
        """Let instances exit; returns how many."""
        return await self._ask("exit", profile, journey, reason)

    async def stop(self, *, profile: str | None = None, journey: str | None = None) -> int:
        """Stop the instances of a profile and a journey, or all; returns how many."""
        return await self._ask("stop", profile, journey)

    async def act(self, journey: str, what: Act, version: int | None = None) -> None:
        """Pause, resume, close, stop or reopen a journey, as an operator does, and work through its instances.

        Args:
            journey: The journey's name.
            what: What to do.
            version: Only with the instances of this version; the journey's state stays. Not for `close`, `reopen`.

        Raises:
            ValueError: There is no such journey or version, or the journey's state does not allow that.
            Stuck: An instance did not come to rest.
        """
        self._restless |= set(await self._acts.act(journey, what, version, self.running))
        await self._settle()

    async def move(self, journey: str, version: int | None = None) -> dict[str, str]:
        """Move the instances of a journey to its newest version, where they can be.

        Args:
            journey: The journey's name.
            version: Only those in this version.

        Returns:
            Why others stay, by workflow id.

        Raises:
            ValueError: There is no such journey or version, or none that is older.
            Stuck: An instance did not come to rest.
        """
        moved, stay = await self._acts.move(journey, version, self.running)
        self._restless |= set(moved)
        await self._settle()
        return stay

    async def state(self, journey: str) -> str | None:
        """Return the state of a journey; nothing where there is none."""
        return await self._acts.state(journey, self.running)

    async def meanwhile(self, act: Meanwhile) -> None:
        """Let something happen while a call is in flight: what follows of it is not waited for."""
        if act.event is not None:
            await self.arrive(act.event, act.data, id=act.id)
            return
        whom: Target = getattr(act, act.named)
        reason = [act.reason or "operator"] if act.exit is not None else []
        await self.tell(act.named, whom.key, whom.journey, *reason)

    async def tell(
        self, what: str, profile: str | None = None, journey: str | None = None, *arguments: Any
    ) -> int:
        """Let an operator `pause`, `resume`, `exit` or `stop` instances now, and wait for nothing.

        Args:
            what: What to do.
            profile: Only the instances of this profile.
            journey: Only those in this journey.
            arguments: For an exit, the reason.

        Returns:
            How many were told.
        """
        told = 0
        for instance in self.find(profile=profile, journey=journey):
            if instance.ended:
                continue
            if what == "stop":
                told += await instance.cancel()
            else:
                told += await instance.signal(_SIGNALS[what], *arguments, self.now.isoformat())
            self._restless.add(instance)
        return told

    async def publish(self, project: Project) -> list[tuple[str, int]]:
        """Publish a project over what is there; returns the name and number of each new version.

        Raises:
            ValueError: The project has errors, or breaks a rule of versions.
        """
        try:
            published = await self._store.publish(project)
        except PublicationRefused as error:
            raise ValueError(str(error)) from None
        await self._workers.serve(
            endpoint.name for endpoint in project.endpoints.values() if endpoint.throttle
        )
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
        await self._workers.restart()

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

    async def _ask(self, what: str, profile: str | None, journey: str | None, *arguments: Any) -> int:
        told = await self.tell(what, profile, journey, *arguments)
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

    async def _close(self) -> None:
        for instance in self.instances:
            await instance.close()
