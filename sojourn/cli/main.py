"""The `sojourn` command: what commands there are. Each lives in a module of its own.

Nothing here or at the top of those modules imports what is slow to load: `sojourn --help` must be quick.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence

import typer

from sojourn.cli import commands
from sojourn.cli.output import CliError, ExitCode, leave, show_error
from sojourn.cli.serve.interrupts import hear

DEBUG_VARIABLE = "SOJOURN_DEBUG"

app = typer.Typer(
    name="sojourn",
    help="Customer journeys as durable Temporal workflows.",
    epilog="Exit status: 0 fine, 1 problems found or refused, 2 wrong usage, 3 something does not answer, "
    "130 ended with Ctrl-C.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)
commands.register(app)


def main() -> None:
    """Run the command line and end the process."""
    hear(KeyboardInterrupt, signal.SIGINT)
    leave(run())


def run(arguments: Sequence[str] | None = None) -> int:
    """Run a command line. Errors are sentences on standard error, never tracebacks.

    Args:
        arguments: The words after `sojourn`; those of this process if None.

    Returns:
        The exit status.
    """
    try:
        app(arguments, prog_name="sojourn")
    except CliError as error:
        show_error(str(error))
        return int(error.code)
    except KeyboardInterrupt:
        return int(ExitCode.INTERRUPTED)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(bool(end.code))
    except Exception as error:
        if os.environ.get(DEBUG_VARIABLE):
            raise
        show_error(
            f"something went wrong that should not ({type(error).__name__}: {error}). "
            f"This is a defect of Sojourn; with {DEBUG_VARIABLE}=1 the command shows where it is."
        )
        return int(ExitCode.DEFECT)
    return int(ExitCode.OK)
