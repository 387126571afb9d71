"""Running the API in a process of its own."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable

import uvicorn

from sojourn.api.app import create_app
from sojourn.api.auth import ExposureError, check_exposure
from sojourn.settings import Settings
from sojourn.store import Store, StoreError, StoreUnavailable
from sojourn.temporal.connection import connect

logger = logging.getLogger("sojourn.api")

GRACE = 10
"""Seconds that requests in flight get to finish when the process is asked to stop."""


class ServeError(Exception):
    """The API cannot start. The message says why, and what to do."""


def serve(settings: Settings, *, announce: Callable[[str], None] = print) -> None:
    """Serve the API until SIGINT or SIGTERM, then let requests in flight finish.

    Args:
        settings: What the deployment set; port 0 takes any free one.
        announce: Called once, with one line that says where the API listens.

    Raises:
        ServeError: The port is taken, or what the environment says about Temporal cannot be read.
        StoreError: The database's URL is none, or it was made by a newer version.
        ExposureError: Others could reach the API, and there is no key.
    """
    config = uvicorn.Config(
        create_app(settings),
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE,
    )
    listener = listen(settings)
    server = _Server(config, settings, announce)
    with listener:
        try:
            server.run(sockets=[listener])
        except SystemExit:
            # uvicorn ends so when the application could not start; the reason is in the log already.
            raise ServeError("the API could not start; the reason is above") from None
    if server.refusal is not None:
        raise server.refusal


def listen(settings: Settings) -> socket.socket:
    """Take the port that the settings name.

    Raises:
        ServeError: It is in use, or the address is none of this machine.
    """
    host, port = settings.api_host, settings.api_port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        # Lets a restarted process have the port at once, and lets nobody share it.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
        raise ServeError(
            f"the API cannot listen on {host}:{port}: {reason}. Set SOJOURN_API_PORT to another port, or "
            "stop what uses this one."
        ) from error
    listener.setblocking(False)
    return listener


async def has_keys(settings: Settings) -> bool | None:
    """Say whether the database holds API keys; None where it cannot be reached.

    Raises:
        StoreError: The database's URL is none, or it was made by a newer version.
    """
    store = await Store.open(settings.database)
    try:
        await store.migrate()
        return await store.has_keys()
    except StoreUnavailable:
        return None
    finally:
        await store.close()


async def _check_temporal_settings() -> None:
    """Read what the environment says about Temporal, without connecting.

    Raises:
        ServeError: It cannot be read.
    """
    try:
        await connect(lazy=True)
    except Exception as error:
        # A profile that is not there, a certificate that is no file: the SDK has a class for each.
        raise ServeError(
            f"how to reach Temporal cannot be read: {error}. See the TEMPORAL_ variables."
        ) from error


class _Server(uvicorn.Server):
    """Checks before it listens that it may, and says then where it does."""

    def __init__(self, config: uvicorn.Config, settings: Settings, announce: Callable[[str], None]) -> None:
        super().__init__(config)
        self._settings = settings
        self._announce = announce
        self.refusal: Exception | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, unless something stands against it that a person has to mend first."""
        try:
            keys = await has_keys(self._settings)
            # A database that cannot be asked may hold keys: then each request is held up until it can be.
            check_exposure(self._settings, keys is not False)
            await _check_temporal_settings()
        except (ExposureError, ServeError, StoreError) as error:
            self.refusal = error
            self.should_exit = True
            return
        await super().startup(sockets)
        if self.started and sockets:
            host, port = sockets[0].getsockname()[:2]
            host = f"[{host}]" if ":" in host else host
            notice = "" if keys is not False else " to this machine only: there are no API keys"
            self._announce(f"Sojourn's API listens on http://{host}:{port}{notice}")
