"""What `sojourn test` does, and how it shows what came of it."""

from __future__ import annotations

import contextlib
import json
import logging
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sojourn.cli.output import CliError, ExitCode, counted, out, say, show_json
from sojourn.cli.project import describe, load, summary
from sojourn.cli.tables import table

if TYPE_CHECKING:
    from rich.console import Console

    from sojourn.definitions import Project
    from sojourn.testing import ScenarioFile, ScenarioResult, Suite


async def run(folder: Path, *, matching: str, cached: int, as_json: bool) -> bool:
    """Run a project's scenarios and show what came of them.

    Args:
        folder: The project's folder.
        matching: Only scenarios whose name or file holds this text.
        cached: How many instances the worker keeps in memory.
        as_json: Show JSON, all of it at the end.

    Returns:
        Whether everything was as expected.

    Raises:
        CliError: There is no project or no scenario.
        TemporalMissingError: There is no `temporal` program.
    """
    from sojourn.testing import load_scenarios, run_scenarios, start_server

    project = load(folder)
    suite = load_scenarios(folder, project) if project.ok else None
    problems = [problem.as_dict() for problem in [*project.errors, *(suite.problems if suite else [])]]
    if suite is None or problems:
        if as_json:
            show_json({"ok": False, "problems": problems, "scenarios": []})
        else:
            for line in describe(problems):
                say(line)
            say(f"nothing was run: {summary(problems)}")
        return False
    chosen = _chosen(suite, folder, matching)
    # What fails on purpose is shown where the scenario fails, not line by line.
    for noisy in ("sojourn", "temporalio"):
        logging.getLogger(noisy).setLevel(logging.CRITICAL)
    journeys = _python_journeys(folder, project)
    console, results = out(), []
    async with start_server() as environment:
        async for result in run_scenarios(environment, project, chosen, cached=cached, journeys=journeys):
            results.append(result)
            if not as_json:
                show(console, result)
    ok = all(result.ok for result in results)
    if as_json:
        show_json({"ok": ok, "problems": [], "scenarios": [result.as_dict() for result in results]})
    else:
        failed = sum(not result.ok for result in results)
        seconds = sum(result.seconds for result in results)
        how = (
            f"{counted(failed, 'scenario')} of {len(results)} failed"
            if failed
            else f"{counted(len(results), 'scenario')} passed"
        )
        say(f"{how} in {seconds:.1f} s")
    return ok


def _python_journeys(folder: Path, project: Project) -> list[type]:
    """Return the classes of a project's Python journeys: its files are imported where it has any."""
    from sojourn.definitions.kinds.journey import CodeJourney
    from sojourn.loading import import_project

    if not any(isinstance(journey, CodeJourney) for journey in project.journeys.values()):
        return []
    # What a file says when it is imported is no part of the answer.
    with contextlib.redirect_stdout(sys.stderr):
        found = import_project(folder)
    if found.problems:
        raise CliError("the Python files are not in order:\n" + "\n".join(map(str, found.problems)))
    return found.journeys


def _chosen(suite: Suite, folder: Path, matching: str) -> list[ScenarioFile]:
    if not suite.scenarios:
        raise CliError(
            f"there are no scenarios in {folder / 'tests'}: write one in a file there, such as tests/first.yaml, "
            "that begins with `scenario: NAME`",
            ExitCode.USAGE,
        )
    text = matching.lower()
    chosen = [
        item for item in suite.scenarios if text in item.scenario.name.lower() or text in item.file.lower()
    ]
    if not chosen:
        names = ", ".join(repr(item.scenario.name) for item in suite.scenarios[:10])
        raise CliError(f"no scenario has {matching!r} in its name or file; there are {names}", ExitCode.USAGE)
    return chosen


def show(console: Console, result: ScenarioResult) -> None:
    """Show what came of a scenario: one line where it passed, all there is to know where it failed."""
    from rich.text import Text

    mark = Text("passed", style="green") if result.ok else Text("FAILED", style="bold red")
    console.print(
        Text.assemble(
            mark, f"  {result.name}  ", (f"{result.file}:{result.line}  {result.seconds:.2f} s", "dim")
        )
    )
    if result.ok:
        return
    for problem in result.problems:
        console.print(Text(f"  {problem}", style="red"))
    if result.rows:
        console.print(_comparison(result))
    for instance in result.instances:
        _trace(console, result, instance)
    if result.calls:
        console.print(Text("\n  calls", style="bold"))
        rows = [
            (
                _since(result.now, call["at"]),
                call["endpoint"],
                call["profile"],
                _json(call["with"]),
                _words(call["attempts"]),
            )
            for call in result.calls
        ]
        console.print(
            table(
                ("  at", "endpoint", "profile", "with", "answers"),
                [(f"  {row[0]}", *row[1:]) for row in rows],
            )
        )
    refused = [
        (event["name"], refusal["reason"], refusal["message"])
        for event in result.events
        for refusal in event["refusals"]
    ]
    if refused:
        console.print(Text("\n  refused events", style="bold"))
        console.print(table(("  event", "reason", "why"), [(f"  {row[0]}", *row[1:]) for row in refused]))
    console.print()


def _comparison(result: ScenarioResult) -> Any:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    made = Table(box=SIMPLE_HEAD, pad_edge=True, show_edge=False)
    for heading in ("", "", "expected", "actual"):
        made.add_column(heading, overflow="fold")
    first = result.first_difference
    for row in result.rows:
        style = "" if row.ok else "red" if row is first else "yellow"
        mark = "" if row.ok else ">" if row is first else "!"
        made.add_row(*(Text(text, style=style) for text in (mark, row.what, row.expected, row.actual)))
    return made


def _trace(console: Console, result: ScenarioResult, instance: dict[str, Any]) -> None:
    from rich.text import Text

    from sojourn.simulation.times import left

    ending = f"{instance['outcome']}: {instance['text']}" if instance["text"] else instance["outcome"]
    state = ending or f"waits at {instance['waiting_at']}"
    title = f"\n  {instance['journey']} v{instance['version']}, profile {instance['profile']}: {state}"
    console.print(Text(title, style="bold"))
    rows = []
    for step in instance["steps"]:
        over = left(step)
        when = over.astimezone(result.now.tzinfo).strftime("%a %Y-%m-%d %H:%M:%S")
        rows.append((f"  {_since(result.now, over)}", when, step["step"], step["kind"], step["result"]))
    console.print(table(("  at", "clock", "step", "kind", "result"), rows))


def _json(value: Any) -> str:
    """Return a value as JSON, in one line."""
    return json.dumps(value, ensure_ascii=False)


def _since(begin: datetime, moment: str | datetime) -> str:
    from sojourn.simulation.times import since

    return since(begin, datetime.fromisoformat(moment) if isinstance(moment, str) else moment)


def _words(statuses: list[int | str]) -> str:
    return ", ".join(map(str, statuses))
