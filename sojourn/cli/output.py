"""How commands speak: tables for people, JSON for programs, errors on standard error, exit codes."""

from __future__ import annotations

import json
import os
import sys
from enum import IntEnum
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from rich.console import Console


class ExitCode(IntEnum):
    """What the exit status of each command means."""

    OK = 0
    PROBLEMS = 1
    """Problems were found, or what was asked for was refused."""
    USAGE = 2
    """The command line itself is wrong."""
    UNREACHABLE = 3
    """Something that the command needs does not answer: the API, Temporal or the database."""
    DEFECT = 70
    """Sojourn itself is wrong."""
    INTERRUPTED = 130
    """Ended with Ctrl-C."""


class CliError(Exception):
    """An error for the user: a message that says what is wrong and what to do, and the exit status."""

    def __init__(self, message: str, code: ExitCode = ExitCode.PROBLEMS) -> None:
        """Make an error.

        Args:
            message: Plain sentences, without markup.
            code: The exit status of the command.
        """
        super().__init__(message)
        self.code = code


def out() -> Console:
    """Return the console of standard output. Piped output is not cut to the width of a terminal."""
    from rich.console import Console

    return Console(
        soft_wrap=not sys.stdout.isatty(), highlight=False, width=None if sys.stdout.isatty() else 200
    )


def counted(number: int, thing: str) -> str:
    """Return a number with what it counts, in the plural where it is one: `1 event`, `2,000 events`."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def err() -> Console:
    """Return the console of standard error: for errors, warnings and progress."""
    from rich.console import Console

    return Console(stderr=True, soft_wrap=True, highlight=False)


def say(message: str) -> None:
    """Write a line for people to standard output, as it is."""
    print(message, flush=True)


def warn(message: str) -> None:
    """Write a line to standard error, as it is."""
    print(message, file=sys.stderr, flush=True)


def show_error(message: str) -> None:
    """Write an error to standard error, its first word in red where there are colours."""
    sys.stdout.flush()
    if sys.stderr.isatty() and "NO_COLOR" not in os.environ:
        warn(f"\x1b[31mError:\x1b[0m {message}")
    else:
        warn(f"Error: {message}")


def show_json(value: Any) -> None:
    """Write a value as indented JSON to standard output."""
    print(json.dumps(value, indent=2, ensure_ascii=False), flush=True)


def leave(code: int) -> NoReturn:
    """End the process with an exit status.

    A short-lived process that used Temporal's client may be aborted while Python winds down (its Rust half
    still runs), which would turn a success into a crash. Such a process ends without winding down.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (BrokenPipeError, ValueError):
            # Whoever read the output is gone; there is nobody to tell.
            os._exit(code)
    if "temporalio" in sys.modules:
        os._exit(code)
    sys.exit(code)
