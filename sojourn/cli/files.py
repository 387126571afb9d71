"""Files that commands read piece by piece, with a bar that shows how far they are."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from sojourn.cli.output import CliError, ExitCode, err


@contextlib.contextmanager
def opened(path: str) -> Iterator[tuple[IO[bytes], int | None]]:
    """Open a file, or standard input for `-`; gives it with its size in bytes, where that is known.

    Raises:
        CliError: It cannot be read.
    """
    if path == "-":
        yield sys.stdin.buffer, None
        return
    try:
        file = Path(path).open("rb")  # noqa: SIM115 - closed below
    except OSError as error:
        raise CliError(f"{path} cannot be read: {error.strerror}", ExitCode.USAGE) from error
    with file:
        try:
            total = os.fstat(file.fileno()).st_size
            file.peek(1)
        except OSError as error:
            raise CliError(f"{path} cannot be read: {error.strerror}", ExitCode.USAGE) from error
        yield file, total


@contextlib.contextmanager
def progress(verb: str, path: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """Show a bar on standard error where that is a terminal; gives a function that takes the bytes read."""
    if not sys.stderr.isatty():
        yield lambda read: None
        return
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err(), transient=True) as shown:
        task = shown.add_task(f"{verb} {Path(path).name}", total=total)
        yield lambda read: shown.update(task, completed=read)
