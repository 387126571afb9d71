"""What `sojourn api` does."""

from __future__ import annotations

import logging
import os
import socket
from typing import TYPE_CHECKING

from sojourn.cli.console import CliError, ExitCode
from sojourn.cli.environment import load_settings

if TYPE_CHECKING:
    from sojourn.settings import Settings


def run(*, host: str | None, port: int | None) -> int:
    """Serve the API until a signal asks to stop.

    Args:
        host: Overrides `SOJOURN_API_HOST`.
        port: Overrides `SOJOURN_API_PORT`.

    Returns:
        The exit status.

    Raises:
        CliError: The settings, the database or the port are not as they must be.
    """
    import uvicorn

    settings = load_settings(api_host=host, api_port=port)
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s", level=logging.INFO)
    listener = _listen(settings)
    from sojourn.api.app import create_app

    config = uvicorn.Config(
        create_app(settings),
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=10,
        server_header=False,
    )
    server = uvicorn.Server(config)
    with listener:
        server.run(sockets=[listener])
    return int(ExitCode.OK if server.started else ExitCode.UNREACHABLE)


def _listen(settings: Settings) -> socket.socket:
    """Take the port before anything else is loaded: a port in use is the most common mistake."""
    where = f"{settings.api_host}:{settings.api_port}"
    family = socket.AF_INET6 if ":" in settings.api_host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.api_host, settings.api_port))
    except OSError as error:
        listener.close()
        raise CliError(
            f"the API cannot listen on {where}: {os.strerror(error.errno or 0)}. Choose another port with "
            "--port or SOJOURN_API_PORT, or stop what uses this one.",
            ExitCode.UNREACHABLE,
        ) from error
    listener.listen(2048)
    return listener
