"""Ends the children of a process that can no longer do it itself.

A process that is killed outright (`kill -9`, out of memory) cannot stop what it started. So beside its
children it starts this file as a program of its own, holds the only writing end of a pipe to it, and tells it
the process groups that it starts and ends. When the pipe closes, for whatever reason, the guard ends the
groups that are left.

The program half imports nothing but the standard library: it starts in a few milliseconds.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

GRACE_SECONDS = 10.0
"""How long a group may take to end by itself after SIGTERM, before SIGKILL."""


class Guard:
    """The starting side: tells the guard program what to end."""

    def __init__(self, keep_open: tuple[int, ...] = ()) -> None:
        """Start the guard program.

        Args:
            keep_open: File descriptors that the guard holds open until it ends. With the descriptor of a lock
                file, the lock lasts until the last child is gone.
        """
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(Path(__file__))],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=keep_open,
            # A session of its own: Ctrl-C in the terminal and a signal to the group must not reach it.
            start_new_session=True,
            cwd="/",
        )

    def add(self, group: int) -> None:
        """Have a process group ended when this process is gone."""
        self._tell(f"+{group}\n")

    def remove(self, group: int) -> None:
        """Forget a process group that has ended: its number may be given to a stranger."""
        self._tell(f"-{group}\n")

    def close(self) -> None:
        """Have what is left ended, and wait for it."""
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=GRACE_SECONDS + 5)

    def _tell(self, line: str) -> None:
        # A guard that was itself killed is no reason to stop working.
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.write(line.encode())
                self._process.stdin.flush()


def _alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except OSError:
        return False
    try:
        # A process that ended but that nobody has waited for still has its number.
        state = Path(f"/proc/{group}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return True
    return state != "Z"


def _end(group: int) -> None:
    """End a process group: ask, wait, insist."""
    for sign, patience in ((signal.SIGTERM, GRACE_SECONDS), (signal.SIGKILL, 2.0)):
        with contextlib.suppress(OSError):
            os.killpg(group, sign)
        deadline = time.monotonic() + patience
        while _alive(group):
            if time.monotonic() > deadline:
                break
            time.sleep(0.05)
        else:
            return


def main() -> None:
    """Read groups from standard input until it closes, then end those that are left, the youngest first."""
    groups: list[int] = []
    for line in sys.stdin:
        sign, number = line[:1], line[1:].strip()
        if not number.isdigit():
            continue
        if sign == "+":
            groups.append(int(number))
        elif int(number) in groups:
            groups.remove(int(number))
    for group in reversed(groups):
        _end(group)


if __name__ == "__main__":
    main()
