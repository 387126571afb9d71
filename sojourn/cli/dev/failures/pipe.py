"""The pipe from workers to `dev`: a line of JSON for each thing that happened.

A pipe, since a worker that is killed leaves nothing half written in it, the next worker goes on in it, and it is gone
with `dev`. Nobody ever waits for it: lines that find it full are lost, and a failure that lasts comes again.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

VARIABLE = "SOJOURN_DEV_PIPE"
"""Names the descriptor of the pipe's writing end to the worker that inherits it."""

LONGEST = 300
"""Most characters of each text: a line is written whole only where it fits into what a pipe takes at once."""

_MOST_BYTES = 4096
_READ = 1 << 16


@dataclass(frozen=True, slots=True)
class Mishap:
    """Something that happened in a worker.

    Attributes:
        what: An instance stands still, goes on or has failed, or a function has raised an exception.
        subject: The journey, or the id of the function.
        instance: The workflow id, where there is one.
        code: As `sojourn instances` has it: `code_error`, `nondeterminism`; of a failed instance that of its error.
        message: The exception with its text.
        place: File and line in the project, such as `journeys.py:31`.
        source: The text of that line.
        worker: The process id of the worker: what is told of one is told again of the next, which has other code.
    """

    what: Literal["stands", "goes_on", "failed", "raised"]
    subject: str
    instance: str | None = None
    code: str = ""
    message: str = ""
    place: str | None = None
    source: str | None = None
    worker: int = 0


class Writer:
    """The worker's end.

    Args:
        descriptor: The writing end of the pipe.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        # What the worker or a function of the project starts is not to hold it open.
        os.set_inheritable(descriptor, False)

    @classmethod
    def inherited(cls, environment: Mapping[str, str]) -> Writer | None:
        """Return the end that this process was given; None where there is none."""
        try:
            descriptor = int(environment.get(VARIABLE, ""))
            return cls(descriptor) if stat.S_ISFIFO(os.fstat(descriptor).st_mode) else None
        except (ValueError, OSError):
            return None

    def write(self, mishap: Mishap) -> bool:
        """Pass something on, in any thread. Never blocks and never raises; say whether it was taken."""
        fields = {key: _cut(value) for key, value in asdict(mishap).items()} | {"worker": os.getpid()}
        line = json.dumps(fields).encode() + b"\n"
        if len(line) > _MOST_BYTES:
            line = json.dumps(fields | {"message": "", "source": None}).encode() + b"\n"
        try:
            return len(line) <= _MOST_BYTES and os.write(self._descriptor, line) > 0
        except OSError:
            return False


class Pipe:
    """The pipe as `dev` holds it, from which it reads until it is closed."""

    def __init__(self) -> None:
        """Make a pipe; nothing is read yet."""
        self._reading, self.writing = os.pipe()
        # Neither a worker nor this process ever waits for the other.
        os.set_blocking(self._reading, False)
        os.set_blocking(self.writing, False)
        self._rest = b""

    def open(self, take: Callable[[Mishap], None]) -> None:
        """Have everything that comes given to a function, in the running event loop."""
        asyncio.get_running_loop().add_reader(self._reading, self._read, take)

    def close(self) -> None:
        """Stop reading."""
        with contextlib.suppress(RuntimeError):
            asyncio.get_running_loop().remove_reader(self._reading)
        os.close(self._reading)
        os.close(self.writing)

    def _read(self, take: Callable[[Mishap], None]) -> None:
        with contextlib.suppress(BlockingIOError):
            *lines, self._rest = (self._rest + os.read(self._reading, _READ)).split(b"\n")
            for line in lines:
                # The project's code runs in the worker as well: what it may write here is no reason to fall.
                with contextlib.suppress(ValueError, TypeError):
                    take(Mishap(**json.loads(line)))


def _cut(value: Any) -> Any:
    return value[:LONGEST] if isinstance(value, str) else value
