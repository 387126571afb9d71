"""`sojourn worker` and `sojourn api`: the two processes of a deployment."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from sojourn.cli.output import ExitCode, say


def worker(
    ready_file: Annotated[
        Path | None,
        typer.Option(
            help="File that is written when the worker is ready, and removed when it stops.", metavar="FILE"
        ),
    ] = None,
    graceful: Annotated[
        float,
        typer.Option(
            help="Seconds that calls in flight get to finish when the worker is asked to stop.", min=0
        ),
    ] = 10.0,
    wait: Annotated[
        float, typer.Option(help="Seconds to wait for Temporal to come up, before giving up.", min=0)
    ] = 60.0,
    project: Annotated[
        Path | None,
        typer.Option(
            help="Project whose Python journeys, actions and sources this worker runs. SOJOURN_PROJECT if left out.",
            metavar="FOLDER",
        ),
    ] = None,
    module: Annotated[
        list[str] | None,
        typer.Option(
            help="Installed module with Python journeys, actions and sources; may be given several times. "
            "SOJOURN_MODULES if left out.",
            metavar="NAME",
        ),
    ] = None,
) -> None:
    """Runs journeys and their calls.

    Temporal is found through its own variables (TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, ...); everything else
    is set by SOJOURN_... variables. TEMPORAL_DEPLOYMENT_NAME and TEMPORAL_WORKER_BUILD_ID make it a versioned
    worker. SIGTERM and Ctrl-C end it gently. As many workers as needed may run at once.
    """
    from sojourn.cli.serve import worker

    _end(
        asyncio.run(
            worker.run(
                ready_file=ready_file,
                graceful_seconds=graceful,
                patience=wait,
                project=project,
                modules=module,
            )
        )
    )


def api(
    host: Annotated[
        str | None, typer.Option(help="Address to listen on. SOJOURN_API_HOST if left out.")
    ] = None,
    port: Annotated[
        int | None, typer.Option(help="Port to listen on. SOJOURN_API_PORT if left out.", min=0, max=65535)
    ] = None,
) -> None:
    """Serves the HTTP API.

    The settings are SOJOURN_... variables; the database is brought to this version's form at the start.
    Without API keys (`sojourn keys create`) it listens on the loopback address only.
    """
    from sojourn.cli.serve import api

    _end(api.run(host=host, port=port))


def version() -> None:
    """Prints the versions of Sojourn, Python and Temporal's SDK."""
    import platform
    from importlib.metadata import version as installed

    from sojourn import __version__

    say(f"sojourn {__version__}, Python {platform.python_version()}, temporalio {installed('temporalio')}")


def _end(code: int) -> None:
    if code != ExitCode.OK:
        raise typer.Exit(code)
