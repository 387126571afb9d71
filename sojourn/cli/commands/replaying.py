"""`sojourn replay`: whether running instances will go on with changed code."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sojourn.cli.commands.options import JsonOption, ProjectArgument
from sojourn.cli.output import ExitCode


def replay(
    project: ProjectArgument = Path(),
    histories: Annotated[
        Path | None, typer.Option(help="Folder of recorded histories, a JSON file for each.", metavar="DIR")
    ] = None,
    from_temporal: Annotated[
        bool, typer.Option("--from-temporal", help="Take the histories of the instances that run.")
    ] = False,
    journey: Annotated[str | None, typer.Option(help="Only those of this journey.", metavar="NAME")] = None,
    limit: Annotated[
        int, typer.Option(help="Most instances to take from Temporal, newest first.", min=1)
    ] = 100,
    closed: Annotated[
        bool, typer.Option("--closed", help="With --from-temporal: those that have ended, too.")
    ] = False,
    save: Annotated[
        Path | None,
        typer.Option(
            help="With --from-temporal: keep the histories in this folder. They hold customers' data.",
            metavar="DIR",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Replays histories of instances with a project's code, before that code is deployed.

    Python journeys of the project are replayed with its code, YAML journeys with this version of Sojourn. Where the
    code does something else than the history says, the instance would stand still: the line says at which event and
    step. The project's Python files are imported, and so run. Exit status 1 where a history does not replay.
    """
    import asyncio

    from sojourn.cli.replay import run

    if (histories is None) is not from_temporal:
        raise typer.BadParameter(
            "say where histories come from: --histories DIR, or --from-temporal", param_hint="--histories"
        )
    if histories is not None and (save is not None or closed):
        raise typer.BadParameter("--save and --closed belong to --from-temporal", param_hint="--histories")
    ok = asyncio.run(
        run(
            project,
            histories=histories,
            journey=journey,
            limit=limit,
            closed=closed,
            save=save,
            as_json=as_json,
        )
    )
    if not ok:
        raise typer.Exit(int(ExitCode.PROBLEMS))
