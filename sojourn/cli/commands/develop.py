"""`sojourn dev` and `sojourn init`: a project on one's own machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sojourn.cli.commands.options import ProjectArgument
from sojourn.cli.output import CliError, ExitCode, say
from sojourn.contract.default_ports import DEFAULT_API_PORT, DEFAULT_TEMPORAL_PORT, DEFAULT_UI_PORT


def dev(
    project: ProjectArgument = Path(),
    port: Annotated[int, typer.Option(help="Port of the API.", min=1, max=65535)] = DEFAULT_API_PORT,
    temporal_port: Annotated[
        int, typer.Option(help="Port of Temporal.", min=1, max=65535)
    ] = DEFAULT_TEMPORAL_PORT,
    ui_port: Annotated[
        int, typer.Option(help="Port of Temporal's Web UI.", min=1, max=65535)
    ] = DEFAULT_UI_PORT,
) -> None:
    """Runs a project on this machine: Temporal, a worker and the API, until Ctrl-C.

    Journeys are published at the start and whenever a file changes; with errors in them, the last good ones
    go on. A port that is taken is replaced by another one. Data and logs are kept in PROJECT/.sojourn: the
    next start continues the running instances. Secrets are read from PROJECT/.env. Endpoints may be on this
    machine.
    """
    from sojourn.cli.dev.process import Dev
    from sojourn.local import Ports, run_until_stopped

    ports = Ports.preferred(temporal=temporal_port, ui=ui_port, api=port)
    code = run_until_stopped(Dev(project, ports).run())
    if code != ExitCode.OK:
        raise typer.Exit(code)


def init(
    folder: Annotated[
        Path, typer.Argument(help="Folder to write to; made where it is missing.", metavar="FOLDER")
    ] = Path("my-journeys"),
    python: Annotated[
        bool,
        typer.Option("--python", help="Write the journey, its events and its action as Python, with a test."),
    ] = False,
) -> None:
    """Writes a small project that `sojourn dev` runs as it is.

    Nothing is overwritten: where one of its files is there already, nothing is written at all.
    """
    from shlex import quote

    from sojourn.cli.init.project import FilesInTheWayError, write_starter

    try:
        written = write_starter(folder, python=python)
    except FilesInTheWayError as error:
        raise CliError(str(error)) from error
    except OSError as error:
        raise CliError(f"{error.filename} cannot be written: {error.strerror}") from error
    for path in written:
        say(f"wrote {folder / path}")
    say("")
    say("Now start it:")
    say(f"  sojourn dev {quote(str(folder))}")
    say("and, in another terminal, send it its sample events:")
    say(f"  cd {quote(str(folder))}")
    say("  sojourn send --file events.jsonl")
    say("  sojourn instances")
