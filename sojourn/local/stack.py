"""Temporal, workers and the API as one thing that starts, is watched, and stops."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import time
from collections import deque
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar
from urllib.parse import quote

from sojourn.local.child import Child, ProcessError
from sojourn.local.guard import Guard
from sojourn.local.ports import LOOPBACK, Ports
from sojourn.local.temporal_server import server_command
from sojourn.temporal.binary import find_temporal_binary

T = TypeVar("T")

RESTARTS = 3
RESTART_WINDOW = 60.0
"""A process that ends more than `RESTARTS` times within this many seconds is not started again."""


class Stack:
    """Temporal's dev server, `sojourn worker` and `sojourn api`, with their data in one folder.

    Use it as an async context manager: inside, everything is ready; at its end everything is stopped, in an
    order that loses nothing (API, workers, Temporal). A second cancellation meanwhile kills what is left.
    Should this process itself be killed, a guard process ends the others.

    Attributes:
        folder: Holds `temporal.db`, `sojourn.db` and `logs/`. A start on the same folder goes on where it
            was.
        ports: The ports in use.
        api_url: Base URL of the API, without a slash at its end.
        temporal_address: `host:port` of Temporal's gRPC interface.
        ui_url: URL of Temporal's Web UI.
        database: SQLAlchemy URL of Sojourn's database.
    """

    def __init__(
        self,
        folder: Path,
        *,
        ports: Ports | None = None,
        env: Mapping[str, str] | None = None,
        workers: int = 1,
        keep_open: tuple[int, ...] = (),
        inherit: tuple[int, ...] = (),
        notify: Callable[[str], None] = lambda message: None,
    ) -> None:
        """Describe a stack; nothing is started yet.

        Args:
            folder: Where data and logs are kept; made when missing.
            ports: The ports to use; free ones if left out.
            env: Variables for the worker and the API, beyond those of this process: `SOJOURN_SECRETS`,
                `SOJOURN_ALLOW_HOSTS`, the secrets themselves.
            workers: Number of worker processes.
            keep_open: File descriptors, such as a lock's, that stay open until the last process is gone.
            inherit: File descriptors that the workers get, under the same numbers.
            notify: Called with a sentence when a process is started again.
        """
        self.folder = folder.absolute()
        self.ports = ports or Ports.free()
        self.api_url = f"http://{LOOPBACK}:{self.ports.api}"
        self.temporal_address = f"{LOOPBACK}:{self.ports.temporal}"
        self.ui_url = f"http://{LOOPBACK}:{self.ports.ui}"
        # Quoted, since a folder's name may hold what means something in a URL.
        self.database = "sqlite:///" + quote(str(self.folder / "sojourn.db"))
        self.children: list[Child] = []
        self._extra_env = dict(env or {})
        self._workers = workers
        self._keep_open = keep_open
        self._inherit = inherit
        self._notify = notify
        self._guard: Guard | None = None
        self._watchers: list[asyncio.Task[None]] = []
        self._restarting: set[Child] = set()
        self._failed: asyncio.Future[None] | None = None

    async def __aenter__(self) -> Stack:
        """Start everything.

        Raises:
            TemporalMissingError: There is no `temporal` program.
            ProcessError: A process ended or did not become ready.
        """
        binary = find_temporal_binary()
        (self.folder / "logs").mkdir(parents=True, exist_ok=True)
        self._failed = asyncio.get_running_loop().create_future()
        self._guard = Guard(self._keep_open)
        try:
            temporal = self._temporal(binary)
            api = self._api()
            workers = [self._worker(number) for number in range(1, self._workers + 1)]
            # Ended in reverse: first nothing more comes in, then calls in flight finish, then Temporal goes.
            self.children = [temporal, *workers, api]
            await temporal.start()
            await self._start_together([api, *workers])
        except BaseException:
            await self._leave()
            raise
        self._watchers = [asyncio.create_task(self._watch(child)) for child in self.children]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop everything."""
        await self._leave()

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do something while the stack runs.

        Args:
            work: Cancelled when a process has failed for good.

        Returns:
            What `work` returns.

        Raises:
            ProcessError: A process ended too often to be started again.
        """
        assert self._failed is not None, "the stack runs only inside `async with`"
        task = asyncio.ensure_future(work)
        try:
            both: set[asyncio.Future[Any]] = {task, self._failed}
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                self._failed.result()
            return task.result()
        finally:
            if not task.done():
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError, Exception):
                    await task

    def restart_workers(self, env: Mapping[str, str]) -> None:
        """Have the workers end gently and start again with other variables.

        Args:
            env: Changes to the variables of the worker.
        """
        for child in self.children:
            if not child.name.startswith("worker"):
                continue
            # One that has just fallen is about to be started with these variables anyway.
            child.env.update(env)
            if child.running:
                self._restarting.add(child)
                child.terminate()

    def environment(self) -> dict[str, str]:
        """Return the environment of the worker and the API, also right for other processes that join them."""
        # Whatever Temporal this shell is set up for, these processes must talk to the embedded one only.
        env = {key: value for key, value in os.environ.items() if not key.startswith("TEMPORAL_")}
        env |= {"TEMPORAL_ADDRESS": self.temporal_address, "TEMPORAL_NAMESPACE": "default"}
        env |= {"TEMPORAL_CONFIG_FILE": os.devnull}
        env |= {
            "SOJOURN_DATABASE": self.database,
            "SOJOURN_API_HOST": LOOPBACK,
            "SOJOURN_API_PORT": str(self.ports.api),
        }
        # Logs are files: no colours, and nothing held back in buffers.
        env |= {"PYTHONUNBUFFERED": "1", "NO_COLOR": "1"}
        return env | self._extra_env

    def _temporal(self, binary: str) -> Child:
        # Relative to its working directory: it takes the name for part of a URI, in which a folder's name
        # could mean something.
        database = Path("temporal.db")
        command = server_command(binary, database=database, port=self.ports.temporal, ui_port=self.ports.ui)

        async def ready() -> bool:
            return await _answers(self.ports.temporal) and await _answers(self.ports.ui)

        return self._child("temporal", command, ready)

    def _worker(self, number: int) -> Child:
        name = "worker" if number == 1 else f"worker-{number}"
        ready_file = self.folder / f"{name}.ready"
        ready_file.unlink(missing_ok=True)
        command = [sys.executable, "-m", "sojourn", "worker", "--ready-file", str(ready_file)]

        async def ready() -> bool:
            return ready_file.exists()

        # Longer than the calls in flight may take to finish (`sojourn worker` gives them ten seconds).
        return self._child(name, command, ready, grace=15.0, inherit=self._inherit)

    def _api(self) -> Child:
        command = [sys.executable, "-m", "sojourn", "api"]

        async def ready() -> bool:
            return await _is_ready(self.ports.api, "/health/ready")

        return self._child("api", command, ready)

    def _child(
        self,
        name: str,
        command: list[str],
        ready: Callable[[], Coroutine[Any, Any, bool]],
        grace: float = 10.0,
        inherit: tuple[int, ...] = (),
    ) -> Child:
        log = self.folder / "logs" / f"{name}.log"
        return Child(
            name,
            command,
            log=log,
            env=self.environment(),
            ready=ready,
            guard=self._guard,
            grace=grace,
            cwd=self.folder,
            inherit=inherit,
        )

    async def _start_together(self, children: list[Child]) -> None:
        """Start several; the first that fails ends the waiting for the others."""
        tasks = [asyncio.create_task(child.start()) for child in children]
        try:
            for finished in asyncio.as_completed(tasks):
                await finished
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _watch(self, child: Child) -> None:
        """Start a process again when it ends; give up when it does so too often."""
        ends: deque[float] = deque(maxlen=RESTARTS + 1)
        while True:
            await child.wait()
            message = child.obituary()
            child.forget()
            if child in self._restarting:
                self._restarting.discard(child)
            else:
                ends.append(time.monotonic())
                if len(ends) > RESTARTS and ends[-1] - ends[0] < RESTART_WINDOW:
                    self._give_up(f"{child.name} ended {len(ends)} times within a minute. {message}")
                    return
                self._notify(f"{message}\nStarting {child.name} again.")
                await asyncio.sleep(0.2 * len(ends))
            (self.folder / f"{child.name}.ready").unlink(missing_ok=True)
            try:
                await child.start()
            except ProcessError as failure:
                # It ended again: the next round counts that. One that runs but never gets ready is hopeless.
                if child.running:
                    self._give_up(str(failure))
                    return

    def _give_up(self, message: str) -> None:
        if self._failed and not self._failed.done():
            self._failed.set_exception(ProcessError(message))

    async def _leave(self) -> None:
        """Stop everything, also if somebody cancels meanwhile: that only makes it faster."""
        stopping = asyncio.ensure_future(self._stop())
        cancelled = False
        while not stopping.done():
            try:
                await asyncio.shield(stopping)
            except asyncio.CancelledError:
                cancelled = True
                for child in self.children:
                    child.kill()
        if cancelled:
            raise asyncio.CancelledError

    async def _stop(self) -> None:
        for watcher in self._watchers:
            watcher.cancel()
        await asyncio.gather(*self._watchers, return_exceptions=True)
        for child in reversed(self.children):
            await child.stop()
        if self._guard is not None:
            await asyncio.to_thread(self._guard.close)
        if self._failed is not None and self._failed.done():
            self._failed.exception()
        for ready_file in self.folder.glob("*.ready"):
            ready_file.unlink(missing_ok=True)


async def _answers(port: int) -> bool:
    """Say whether a connection to a port of the loopback address is accepted."""
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(LOOPBACK, port), 1.0)
    except (OSError, TimeoutError):
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True


async def _is_ready(port: int, path: str) -> bool:
    """Say whether an HTTP server on the loopback address answers 200. By hand: `httpx` takes long to load."""
    request = f"GET {path} HTTP/1.0\r\nHost: {LOOPBACK}:{port}\r\n\r\n"
    try:
        async with asyncio.timeout(3.0):
            reader, writer = await asyncio.open_connection(LOOPBACK, port)
            try:
                writer.write(request.encode())
                status = await reader.readline()
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return False
    return status.split()[1:2] == [b"200"]
