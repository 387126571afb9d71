"""The workers of a test's deployment, which can be ended and started again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AsyncExitStack
from datetime import datetime
from types import TracebackType
from typing import Any

from temporalio.client import Client
from temporalio.worker import Worker

from sojourn.activities.caps import LocalCaps
from sojourn.contract import names
from sojourn.plugin import JourneyPlugin
from sojourn.routing import Router
from sojourn.routing.jump import enter
from sojourn.simulation.recording import Recorder
from sojourn.simulation.scripted_answers import Script
from sojourn.simulation.scripted_calls import ScriptedCalls
from sojourn.store import Store


class Workers:
    """A worker of journeys, and one for the queue of each throttled action; run while it is entered.

    Args:
        client: A client of Temporal.
        queue: The task queue of journeys.
        store: The test's database.
        router: Takes profiles into other journeys.
        script: What endpoints answer.
        recorder: Sees every call.
        clock: Tells the scenario's time.
        cached: How many instances the worker keeps in memory.
        journeys: The classes of Python journeys.
    """

    def __init__(
        self,
        client: Client,
        queue: str,
        store: Store,
        router: Router,
        script: Script,
        recorder: Recorder,
        clock: Callable[[], datetime],
        *,
        cached: int,
        journeys: Sequence[type],
    ) -> None:
        self._client = client
        self._queue = queue
        self._store = store
        self._router = router
        self._script = script
        self._recorder = recorder
        self._clock = clock
        self._cached = cached
        self._journeys = list(journeys)
        self._throttled: set[str] = set()
        self._running = AsyncExitStack()

    async def __aenter__(self) -> Workers:
        """Start them."""
        await self._start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End them."""
        await self._running.aclose()

    async def restart(self) -> None:
        """End them and start others, which know nothing but what Temporal has."""
        await self._running.aclose()
        await self._start()

    async def serve(self, throttled: Iterable[str]) -> None:
        """See to it that the queues of throttled actions are served."""
        wanted = self._throttled.union(throttled)
        if wanted != self._throttled:
            self._throttled = wanted
            await self.restart()

    async def _start(self) -> None:
        calls = ScriptedCalls(
            self._store,
            self._script,
            caps=LocalCaps(lambda: self._clock().timestamp()),
            profiles=self._store.profiles,
            jumps=_Jumps(self._router),
        )
        stack = self._running = AsyncExitStack()
        await stack.enter_async_context(
            Worker(
                self._client,
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
                    self._client,
                    task_queue=names.throttled_queue(self._queue, name),
                    activities=calls.activities,
                    interceptors=[self._recorder],
                )
            )


class _Jumps:
    """Lets profiles into journeys through the test's own router, which sees what is started."""

    def __init__(self, router: Router) -> None:
        self._router = router

    async def jump(
        self, client: Client, target: str, key: str, event_id: str, time: datetime, data: Any
    ) -> dict[str, Any]:
        return await enter(self._router, target, key, event_id, time, data)


def watched(client: Client, *interceptors: Any) -> Client:
    """Return a client whose calls interceptors see."""
    config: Any = client.config(active_config=True)
    return Client(**{**config, "interceptors": [*config["interceptors"], *interceptors]})
