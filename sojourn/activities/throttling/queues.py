"""Working off the task queues of throttled actions, at the rate that Temporal's server keeps for each."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Self

from temporalio.client import Client
from temporalio.service import RPCError
from temporalio.worker import PollerBehaviorAutoscaling, Worker

from sojourn.activities.call import Calls
from sojourn.activities.directory import ThrottleDirectory
from sojourn.activities.throttling.rates import read_rate, same_rate, write_rate
from sojourn.contract import names
from sojourn.definitions.kinds.endpoint import Throttle

RETRY_SECONDS = 1.0
"""Seconds after a first error until the next attempt; doubled with each, up to `LONGEST_RETRY`."""

LONGEST_RETRY = 30.0

VERIFY_SECONDS = 60.0
"""Seconds after which the rate on the server is compared again: another hand may have changed it."""

# Few polls while nothing waits, since there may be many such queues; more of them when tasks come fast.
_POLLERS = PollerBehaviorAutoscaling(minimum=1, initial=2, maximum=10)

logger = logging.getLogger("sojourn.activities")


class ThrottledQueues:
    """Serves the task queues of throttled actions beside a worker of journeys, for as long as it is open.

    `sojourn worker` does so by itself, and so does `JourneyPlugin`, unless it is told otherwise. Elsewhere:

        async with ThrottledQueues(client, calls, directory, task_queue="journeys"):
            await Worker(client, task_queue="journeys", ...).run()

    Each throttled action has a task queue of its own with a rate on the server, so that all workers together keep it.
    The directory is asked again and again: queues come, go and change their rates while the process runs. What goes
    wrong with a queue is logged and tried again, and never raised.

    Args:
        client: Connected to Temporal. A `JourneyPlugin` on it is left out here; other plugins stay.
        calls: Makes the calls; opened and closed with this, as often as others do so too.
        directory: Knows what is throttled: the store, or `StaticEndpoints`.
        task_queue: The task queue of the journeys.
        refresh: Seconds between two looks into the directory.
        graceful: What calls in flight get to finish at the end.
    """

    def __init__(
        self,
        client: Client,
        calls: Calls,
        directory: ThrottleDirectory,
        *,
        task_queue: str = names.TASK_QUEUE,
        refresh: float = 1.0,
        graceful: timedelta = timedelta(0),
    ) -> None:
        self._client = plain_client(client)
        self._calls = calls
        self._directory = directory
        self._task_queue = task_queue
        self._refresh = refresh
        self._graceful = graceful
        self._served: dict[str, _ServedQueue] = {}
        self._leaving: set[asyncio.Task[None]] = set()
        self._closing = asyncio.Event()
        self._watch: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self._calls.__aenter__()
        self._watch = asyncio.create_task(self._watching(), name="sojourn-throttled-queues")
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            await self.stop()
        finally:
            await self._calls.__aexit__()

    async def stop(self) -> None:
        """Take no more tasks, and let calls in flight finish. Done by leaving the context, too."""
        self._closing.set()
        if self._watch is not None:
            await self._watch

    @property
    def polled(self) -> dict[str, float | None]:
        """The task queues that are polled now, with the rate that was set on the server; None is no limit."""
        return {queue.name: queue.rate for queue in self._served.values() if queue.polling}

    async def _watching(self) -> None:
        trouble = False
        try:
            while not self._closing.is_set():
                try:
                    self._adjust(await self._directory.throttles())
                    trouble = False
                except Exception as error:
                    # Once for an outage; the queues go on as they are.
                    if not trouble:
                        logger.error(
                            "what is throttled cannot be read (%s); task queues stay as they are",
                            type(error).__name__,
                        )
                    trouble = True
                await wait_for(self._closing, self._refresh)
        finally:
            ending = [queue.stop() for queue in self._served.values()]
            await asyncio.gather(*ending, *self._leaving, return_exceptions=True)

    def _adjust(self, throttles: Mapping[str, Throttle | None]) -> None:
        for name, throttle in throttles.items():
            rate = None if throttle is None else throttle.rate
            if name in self._served:
                self._served[name].want(rate)
            else:
                queue = names.throttled_queue(self._task_queue, name)
                self._served[name] = _ServedQueue(self._client, self._calls, queue, rate, self._graceful)
        for name in self._served.keys() - throttles.keys():
            leaving = asyncio.create_task(self._served.pop(name).stop())
            self._leaving.add(leaving)
            leaving.add_done_callback(self._leaving.discard)


class _ServedQueue:
    """One task queue: its rate on the server, and the worker that polls it."""

    def __init__(
        self, client: Client, calls: Calls, name: str, rate: float | None, graceful: timedelta
    ) -> None:
        self.name = name
        self.rate: float | None = None
        self.polling = False
        self._client = client
        self._calls = calls
        self._graceful = graceful
        self._wanted = rate
        self._changed = asyncio.Event()
        self._closing = False
        self._failures = 0
        self._task = asyncio.create_task(self._serve(), name=f"sojourn-queue-{name}")

    def want(self, rate: float | None) -> None:
        """Change the rate, in calls a second; None is no limit."""
        if rate != self._wanted:
            self._wanted = rate
            self._changed.set()

    async def stop(self) -> None:
        """Poll no more, and let calls in flight finish."""
        self._closing = True
        self._changed.set()
        await self._task

    async def _serve(self) -> None:
        while not self._closing:
            # Before the first poll: without it, the server hands out as much as is asked for.
            if await self._set_rate():
                await self._poll()
            else:
                await self._pause()

    async def _poll(self) -> None:
        """Run a worker until the end, or until it breaks; the rate follows what is wanted meanwhile."""
        try:
            worker = self._worker()
        except Exception as error:
            self._trouble("cannot be polled", error)
            await self._pause()
            return
        running = asyncio.create_task(worker.run())
        self.polling = True
        logger.info("task queue %s is polled, %s", self.name, _shown(self.rate))
        try:
            in_order = True
            while not self._closing and not running.done():
                await self._sleep(running, VERIFY_SECONDS if in_order else self._retry_seconds())
                in_order = self._closing or await self._set_rate()
        finally:
            self.polling = False
            if not running.done():
                await worker.shutdown()
            (outcome,) = await asyncio.gather(running, return_exceptions=True)
        if isinstance(outcome, Exception):
            self._trouble("is polled no more", outcome)
            await self._pause()

    def _worker(self) -> Worker:
        return Worker(
            self._client,
            task_queue=self.name,
            activities=self._calls.activities,
            # Eager dispatch goes past the server's limit.
            disable_eager_activity_execution=True,
            activity_task_poller_behavior=_POLLERS,
            graceful_shutdown_timeout=self._graceful,
        )

    async def _set_rate(self) -> bool:
        """Let the server have the wanted rate; say whether it has."""
        wanted = self._wanted
        try:
            if not same_rate(await read_rate(self._client, self.name), wanted):
                await write_rate(self._client, self.name, wanted)
                logger.info("task queue %s: %s", self.name, _shown(wanted))
        except Exception as error:
            self._trouble(f"cannot be given its rate, {_shown(wanted)}", error)
            return False
        self.rate = wanted
        if self.polling:
            self._failures = 0
        return True

    async def _sleep(self, running: asyncio.Task[None], seconds: float) -> None:
        """Wait until something changes, the worker ends, or time is over."""
        changed = asyncio.create_task(self._changed.wait())
        await asyncio.wait({running, changed}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        changed.cancel()
        self._changed.clear()

    async def _pause(self) -> None:
        await wait_for(self._changed, self._retry_seconds())
        self._changed.clear()

    def _retry_seconds(self) -> float:
        return min(LONGEST_RETRY, RETRY_SECONDS * 2.0 ** min(self._failures - 1, 10))

    def _trouble(self, what: str, error: Exception) -> None:
        self._failures += 1
        reason = error.message if isinstance(error, RPCError) else f"{type(error).__name__}: {error}"
        logger.error(
            "task queue %s %s: %s; trying again in %g s", self.name, what, reason, self._retry_seconds()
        )


def _shown(rate: float | None) -> str:
    return "without a limit" if rate is None else f"{rate:g} calls a second"


async def wait_for(event: asyncio.Event, seconds: float) -> None:
    """Wait for an event, but no longer than some seconds."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)


def plain_client(client: Client) -> Client:
    """Return a client over the same connection whose workers get no journeys: those queues hold calls only."""
    config = client.config()
    config["plugins"] = [plugin for plugin in config["plugins"] if plugin.name() != names.PLUGIN]
    return Client(**config)
