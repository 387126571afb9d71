"""One process that is started, watched and ended."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from sojourn.local.guard import Guard

TAIL_LINES = 20


class ProcessError(Exception):
    """A process ended or did not become ready. The message shows the end of its log."""


class Child:
    """A process with a log file, in a session of its own.

    Its own session keeps the terminal's Ctrl-C from it, so that this process decides in which order things
    end.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        log: Path,
        env: Mapping[str, str],
        ready: Callable[[], Awaitable[bool]],
        guard: Guard | None = None,
        grace: float = 10.0,
        cwd: Path | None = None,
        inherit: tuple[int, ...] = (),
    ) -> None:
        """Describe a process; nothing is started yet.

        Args:
            name: What messages call it.
            command: Program and arguments.
            log: File that its output goes to. What an earlier run wrote is kept beside it, as `<log>.1`.
            env: Its whole environment.
            ready: Says whether it can do its work; asked until it can.
            guard: Ends the process when this one is killed.
            grace: Seconds that it may take to end by itself.
            cwd: Its working directory.
            inherit: File descriptors that it gets, under the same numbers.
        """
        self.name = name
        self.command = list(command)
        self.log = log
        self.env = dict(env)
        self._ready = ready
        self._guard = guard
        self._grace = grace
        self._cwd = cwd
        self._inherit = inherit
        self._process: asyncio.subprocess.Process | None = None
        self._rotated = False

    @property
    def pid(self) -> int | None:
        """Its process id, while it runs."""
        return self._process.pid if self.running and self._process else None

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.returncode is None

    async def start(self, timeout: float = 60.0) -> None:  # noqa: ASYNC109 - the message names the log
        """Start it, and return when it is ready.

        Args:
            timeout: Seconds to wait for that.

        Raises:
            ProcessError: It ended, or was not ready in time.
        """
        self._rotate()
        with self.log.open("ab") as output:
            try:
                self._process = await asyncio.create_subprocess_exec(
                    *self.command,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=output,
                    stderr=asyncio.subprocess.STDOUT,
                    env=self.env,
                    cwd=self._cwd,
                    start_new_session=True,
                    pass_fds=self._inherit,
                )
            except OSError as error:
                raise ProcessError(
                    f"{self.name} could not be started: {self.command[0]}: {error.strerror}"
                ) from error
        if self._guard:
            self._guard.add(self._process.pid)
        deadline = asyncio.get_running_loop().time() + timeout
        while not await self._ready():
            if not self.running:
                raise ProcessError(self.obituary())
            if asyncio.get_running_loop().time() > deadline:
                raise ProcessError(
                    f"{self.name} was not ready after {timeout:.0f} seconds. {self._last_words()}"
                )
            await asyncio.sleep(0.05)
        # Readiness can be a port that another program opened in the same moment.
        if not self.running:
            raise ProcessError(self.obituary())

    async def wait(self) -> int:
        """Return the exit status when it has ended; negative is the signal that ended it."""
        if self._process is None:
            return 0
        return await self._process.wait()

    async def stop(self) -> None:
        """End it: ask, wait, insist. Return when it and what it started are gone. Harmless when it ended."""
        process = self._process
        if process is None:
            return
        self._signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), self._grace)
        except TimeoutError:
            self.kill()
            await process.wait()
        finally:
            # Also takes what it may have started and left behind.
            self._signal(signal.SIGKILL)
        self.forget()

    def terminate(self) -> None:
        """Ask it to end, and do not wait for it."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once, without a chance to tidy up."""
        self._signal(signal.SIGKILL)

    def forget(self) -> None:
        """Take note that it has ended."""
        if self._process is not None and self._guard:
            self._guard.remove(self._process.pid)
        self._process = None

    def tail(self, lines: int = TAIL_LINES) -> str:
        """Return the last lines of its log."""
        try:
            with self.log.open("rb") as log:
                log.seek(max(0, log.seek(0, os.SEEK_END) - 64 * 1024))
                text = log.read().decode("utf-8", "replace")
        except OSError:
            return ""
        return "\n".join(text.splitlines()[-lines:])

    def obituary(self) -> str:
        """Say that it has ended, how, and what it wrote last."""
        status = self._process.returncode if self._process else None
        how = (
            f"by signal {signal.Signals(-status).name}" if status and status < 0 else f"with status {status}"
        )
        return f"{self.name} ended {how}. {self._last_words()}"

    def _last_words(self) -> str:
        tail = self.tail()
        return f"The end of {self.log}:\n{tail}" if tail else f"It wrote nothing to {self.log}."

    def _signal(self, sign: signal.Signals) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, sign)

    def _rotate(self) -> None:
        """Begin a new log file, once: after a restart the reason for it must stay readable."""
        if self._rotated:
            return
        self._rotated = True
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            self.log.replace(self.log.with_name(self.log.name + ".1"))
