"""What `sojourn api` does."""

from __future__ import annotations

import asyncio
import logging
import signal
from types import FrameType

from sojourn.cli.environment import load_settings, write_log
from sojourn.cli.output import CliError, ExitCode, say
from sojourn.cli.search_attributes import prepare_search_attributes
from sojourn.cli.serve.interrupts import hear

log = logging.getLogger("sojourn.api")


def run(*, host: str | None, port: int | None) -> int:
    """Serve the API until a signal asks to stop.

    Args:
        host: Overrides `SOJOURN_API_HOST`.
        port: Overrides `SOJOURN_API_PORT`.

    Returns:
        The exit status: 0 after SIGTERM.

    Raises:
        CliError: The settings, the database or the port are not as they must be.
        KeyboardInterrupt: It was ended with Ctrl-C.
    """
    from sojourn.api.auth import ExposureError
    from sojourn.api.server import ServeError, serve
    from sojourn.store import StoreError

    # uvicorn finishes what is in flight and then raises the signal again: an asked-for end is no failure.
    signal.signal(signal.SIGTERM, _terminate)
    hear(_Terminated, signal.SIGTERM)
    settings = load_settings(api_host=host, api_port=port)
    write_log()
    try:
        if settings.search_attributes:
            asyncio.run(_prepare_namespace())
        serve(settings, announce=say)
    except _Terminated:
        pass
    except (ServeError, ExposureError, StoreError) as error:
        raise CliError(str(error), ExitCode.PROBLEMS) from error
    return int(ExitCode.OK)


class _Terminated(BaseException):
    """SIGTERM arrived. Like `KeyboardInterrupt`, nothing but the outermost code is to catch it."""


def _terminate(number: int, frame: FrameType | None) -> None:
    raise _Terminated


async def _prepare_namespace() -> None:
    """See to the search attributes, where Temporal can be reached: starting an instance needs them."""
    from sojourn.temporal.connection import TemporalUnavailable, connect

    try:
        async with asyncio.timeout(5):
            await prepare_search_attributes(await connect(), log)
    except (TemporalUnavailable, TimeoutError) as error:
        log.warning("%s; events are answered with 503 until then", str(error) or "Temporal does not answer")
