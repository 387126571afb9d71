"""`sojourn test`: a project's scenarios."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sojourn.cli.commands.options import JsonOption, ProjectArgument
from sojourn.cli.output import CliError, ExitCode


def run_tests(
    project: ProjectArgument = Path(),
    matching: Annotated[
        str,
        typer.Option(
            "--matching", "-k", help="Run the scenarios whose name or file holds this text.", metavar="TEXT"
        ),
    ] = "",
    uncached: Annotated[
        bool,
        typer.Option(
            "--uncached",
            help="Replay each instance from its history at every step, as after a restart of the worker.",
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Runs the scenarios in a project's folder `tests`: events at their moments, and what is expected of them.

    They run on a real Temporal server that is started for them, with a clock that jumps from one moment at which
    something happens to the next, so that months take no time. No endpoint is called: a scenario says what each
    answers. Where one fails, expected and actual stand side by side. Exit status 1 when a scenario fails or a file is
    wrong.
    """
    import asyncio

    from sojourn.cli.scenarios import run
    from sojourn.temporal.binary import TemporalMissingError

    try:
        ok = asyncio.run(run(project, matching=matching, cached=0 if uncached else 1000, as_json=as_json))
    except TemporalMissingError as error:
        raise CliError(str(error), ExitCode.UNREACHABLE) from error
    if not ok:
        raise typer.Exit(int(ExitCode.PROBLEMS))
