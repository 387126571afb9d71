"""Running the real command as a user does: as a process of its own."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from unittest import mock

import psutil

COMMAND = [sys.executable, "-m", "sojourn"]


@dataclass
class Result:
    """What a finished command said."""

    code: int
    out: str
    err: str


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return an environment without settings of the machine that runs the tests."""
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("SOJOURN_", "TEMPORAL_")) or name == "SOJOURN_TEMPORAL_BINARY"
    }
    return clean | {"COLUMNS": "120", "PYTHONUNBUFFERED": "1"} | dict(extra or {})


def sojourn(
    *args: str | Path,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    stdin: str | None = None,
    timeout: float = 40,
) -> Result:
    """Run a command to its end."""
    done = subprocess.run(
        [*COMMAND, *map(str, args)],
        cwd=cwd,
        env=environment(env),
        input=stdin,
        stdin=subprocess.DEVNULL if stdin is None else None,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    return Result(done.returncode, done.stdout, done.stderr)


class Running:
    """A command that goes on until it is stopped, with all it has said so far."""

    def __init__(self, process: subprocess.Popen[str], output: Path) -> None:
        self.process = process
        self._output = output

    @property
    def said(self) -> str:
        """Its standard output and errors so far."""
        return self._output.read_text("utf-8", errors="replace")

    def until(self, text: str, *, after: int = 0, timeout: float = 40) -> str:
        """Wait until it has said something, beyond the first characters; return all that it has said."""

        def said() -> bool:
            return text in self.said[after:]

        until(said, timeout, lambda: f"never said {text!r}:\n{self.said}", alive=self.alive)
        return self.said

    def alive(self) -> bool:
        """Whether it still runs."""
        return self.process.poll() is None

    def family(self) -> list[psutil.Process]:
        """All processes that it has started, and itself."""
        me = psutil.Process(self.process.pid)
        return [me, *me.children(recursive=True)]

    def end(self, sign: int = signal.SIGINT, timeout: float = 30) -> int:
        """Send it a signal and return its exit status."""
        self.process.send_signal(sign)
        return self.process.wait(timeout)


def quickly(
    *args: str | Path, cwd: Path, env: Mapping[str, str] | None = None, stdin: str | None = None
) -> Result:
    """Run a command to its end within this process: the same code, without the start of a Python."""
    from sojourn.cli.main import run

    out, err = io.StringIO(), io.StringIO()
    source = io.TextIOWrapper(io.BytesIO((stdin or "").encode()))
    with (
        contextlib.chdir(cwd),
        mock.patch.dict(os.environ, environment(env), clear=True),
        mock.patch.object(sys, "stdin", source),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        code = run([str(word) for word in args])
    return Result(code, out.getvalue(), err.getvalue())


def in_terminal(*args: str, cwd: Path, env: Mapping[str, str]) -> str:
    """Run a command in a terminal of its own; return all that it showed there."""
    program = "import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)"
    done = subprocess.run(
        [sys.executable, "-c", program, *COMMAND, *args],
        capture_output=True,
        stdin=subprocess.DEVNULL,
        env=environment(env),
        cwd=cwd,
        timeout=40,
        check=False,
    )
    return done.stdout.decode("utf-8", "replace")


@contextlib.contextmanager
def running(*args: str | Path, cwd: Path, env: Mapping[str, str] | None = None) -> Iterator[Running]:
    """Start a command, and see to it that it and its children are gone at the end."""
    output = cwd / f".output-{time.monotonic_ns()}"
    with output.open("w") as file:
        process = _start(args, cwd, env, file)
    started = Running(process, output)
    family: list[psutil.Process] = []
    try:
        yield started
    finally:
        with contextlib.suppress(psutil.NoSuchProcess):
            family = started.family()
        if started.alive():
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(20)
        for member in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                member.kill()
        process.wait(5)


def _start(
    args: tuple[str | Path, ...], cwd: Path, env: Mapping[str, str] | None, output: IO[str]
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, *map(str, args)],
        cwd=cwd,
        env=environment(env),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def until(
    condition: Callable[[], bool],
    timeout: float,
    message: Callable[[], str] = lambda: "it never happened",
    alive: Callable[[], bool] = lambda: True,
) -> None:
    """Wait until something is so; fail with a message when it is not in time, or never can be."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline or not alive():
            if condition():
                return
            raise AssertionError(message())
        time.sleep(0.05)


def gone(processes: list[psutil.Process], timeout: float = 20) -> None:
    """Wait until processes have ended; one that nobody has waited for yet counts as ended."""

    def left() -> list[str]:
        found = []
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(f"{process.pid} {' '.join(process.cmdline())}")
        return found

    until(lambda: not left(), timeout, lambda: f"left behind: {left()}")
