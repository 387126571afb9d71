"""What a demo shows: plain lines, tables, and, on a terminal, tables and bars that move."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from sojourn.cli.demos.verdict import Verdict
from sojourn.cli.output import out
from sojourn.cli.tables import table

SHOWN_PROBLEMS = 20


class Screen:
    """Standard output, in colours and moving only where it is a terminal."""

    def __init__(self, console: Console | None = None) -> None:
        """Use a console; that of standard output if None."""
        self.console = console or out()
        self.moving = self.console.is_terminal and sys.stdout.isatty()
        self._started = time.monotonic()

    def say(self, text: str = "", style: str = "") -> None:
        """Write a line, as it is."""
        self.console.print(Text(text, style=style))
        self.console.file.flush()

    def note(self, text: str) -> None:
        """Write a line with the seconds since the start before it."""
        self.say(f"{time.monotonic() - self._started:5.1f} s  {text}")

    @contextlib.contextmanager
    def board(self, columns: list[str]) -> Iterator[Callable[[list[list[str]]], None]]:
        """Show a table that moves; nothing where output is no terminal.

        Yields:
            A function that takes the rows as they are now.
        """
        if not self.moving:
            yield lambda rows: None
            return
        with Live(console=self.console, refresh_per_second=8) as live:
            yield lambda rows: live.update(Group(table(columns, rows), Text("")))

    @contextlib.contextmanager
    def bar(self, what: str, total: int) -> Iterator[Callable[[int], None]]:
        """Show how far something is: a bar on a terminal, else a line for each tenth.

        Yields:
            A function that takes how much is done.
        """
        if not self.moving:
            yield _tenths(self, what, total)
            return
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=self.console) as progress:
            task = progress.add_task(what, total=total)
            yield lambda done: progress.update(task, completed=done)

    def show(self, verdict: Verdict, ground: str) -> None:
        """Show the tables of a verdict, and in one line whether all agrees.

        Args:
            verdict: What was found.
            ground: What the expected numbers were worked out from.
        """
        for title, rows in verdict.tables.items():
            self.say()
            self.console.print(
                table(
                    [title, "expected#", "found#", ""],
                    [
                        (row.what, f"{row.expected:,}", f"{row.found:,}", _mark(row.expected == row.found))
                        for row in rows
                    ],
                )
            )
        self.say()
        for remark in verdict.remarks:
            self.say(remark)
        for problem in verdict.problems[:SHOWN_PROBLEMS]:
            self.say(f"Not as expected: {problem}", "red")
        if len(verdict.problems) > SHOWN_PROBLEMS:
            self.say(f"... and {len(verdict.problems) - SHOWN_PROBLEMS:,} more.", "red")
        if verdict.agrees:
            self.say(f"AGREED: instances, answers and calls are what {ground}.", "bold green")
        else:
            self.say(f"NOT AGREED: {len(verdict.problems):,} things differ from what {ground}.", "bold red")


def _mark(agrees: bool) -> str:
    return "ok" if agrees else "DIFFERS"


def _tenths(screen: Screen, what: str, total: int) -> Callable[[int], None]:
    shown = 0

    def update(done: int) -> None:
        nonlocal shown
        if total and done * 10 // total > shown:
            shown = done * 10 // total
            screen.note(f"{what}: {done:,} of {total:,}")

    return update
