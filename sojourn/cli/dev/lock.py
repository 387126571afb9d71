"""One `sojourn dev` for each project: a lock that ends with the last process that it protects."""

from __future__ import annotations

import fcntl
import json
import os
import time
from pathlib import Path
from typing import IO, Any

from sojourn.cli.output import CliError, warn

HANDOVER_SECONDS = 25.0
"""How long to wait for the processes of a killed `dev` to be ended by their guard."""


class ProjectLock:
    """Holds a project's lock file, used as a context manager.

    The lock is the kernel's, so it never outlives its holders. Its descriptor is handed to the guard process:
    after a `kill -9` the lock lasts until nothing uses the project's data any more.
    """

    def __init__(self, path: Path) -> None:
        """Name the lock file; nothing is locked yet."""
        self._path = path
        self._file: IO[str] | None = None

    def __enter__(self) -> ProjectLock:
        """Take the lock.

        Raises:
            CliError: Another process has it; the message says which one.
        """
        self._file = self._path.open("a+", encoding="utf-8")
        deadline = time.monotonic() + HANDOVER_SECONDS
        told = False
        while not self._try():
            holder = self._holder()
            alive = _is_alive(holder.get("pid"))
            if alive or time.monotonic() > deadline:
                self._file.close()
                raise CliError(_refusal(self._path.parent.parent, holder, alive))
            if not told:
                warn("An earlier `sojourn dev` was killed here: waiting until its processes have ended.")
                told = True
            time.sleep(0.2)
        self.describe()
        return self

    def __exit__(self, *_: object) -> None:
        """Give it back."""
        if self._file:
            self._file.close()

    @property
    def descriptor(self) -> int:
        """The file descriptor that carries the lock."""
        assert self._file is not None, "the lock is held only inside `with`"
        return self._file.fileno()

    def describe(self, **what: str) -> None:
        """Write who holds the lock, for the one who is refused."""
        assert self._file is not None, "the lock is held only inside `with`"
        self._file.seek(0)
        self._file.truncate()
        json.dump({"pid": os.getpid()} | what, self._file)
        self._file.flush()

    def _try(self) -> bool:
        try:
            fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def _holder(self) -> dict[str, Any]:
        assert self._file is not None
        self._file.seek(0)
        try:
            holder = json.loads(self._file.read())
        except ValueError:
            return {}
        return holder if isinstance(holder, dict) else {}


def _is_alive(pid: object) -> bool:
    if not isinstance(pid, int):
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _refusal(project: Path, holder: dict[str, Any], alive: bool) -> str:
    if not alive:
        return f"processes of an earlier `sojourn dev` in {project} have not ended yet: try again in a moment"
    api = f", API {holder['api']}" if holder.get("api") else ""
    return (
        f"`sojourn dev` runs already in {project}: process {holder['pid']}{api}. "
        f"Use that one, or stop it first (Ctrl-C where it runs, or `kill {holder['pid']}`)."
    )
