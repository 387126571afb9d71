"""Connections to servers that offer HTTP/2: which servers do, and how many calls each connection carries."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable

from aiohappyeyeballs import start_connection
from yarl import URL

from sojourn.activities.errors import NETWORK, CallError
from sojourn.activities.http.connect import CONNECT_TIMEOUT, GuardedResolver, connection_error
from sojourn.activities.http.connection_guard import AddressGuard
from sojourn.activities.http.wire import HttpRequest, HttpResponse
from sojourn.activities.http2 import Http2Connection, UnprocessedError

ASK_AGAIN = 600.0
"""Seconds for which a server that chose HTTP/1.1 is not asked again."""

_HAPPY_EYEBALLS = 0.25


class Http2Pool:
    """The connections of one endpoint to one origin, if that speaks HTTP/2.

    Args:
        url: A URL of the origin; the scheme is https.
        guard: Which addresses may be reached.
        tls: How servers are verified; offers HTTP/2 and HTTP/1.1.
        limit: Most calls at once, and so most connections.
    """

    def __init__(self, url: URL, guard: AddressGuard, tls: Callable[[], ssl.SSLContext], limit: int) -> None:
        self._host, self._port = str(url.host), int(url.port or 443)
        self._guard = guard
        self._resolver = GuardedResolver(guard)
        self._tls = tls
        self._slots = asyncio.Semaphore(limit)
        self._open: list[Http2Connection] = []
        self._connecting: asyncio.Task[Http2Connection | None] | None = None
        self._plain_until = 0.0

    async def send(
        self, request: HttpRequest, url: URL, headers: list[tuple[str, str]]
    ) -> HttpResponse | None:
        """Send a request and read its answer; of a redirect, only the head.

        Args:
            request: The request.
            url: Where it goes.
            headers: All of its headers.

        Returns:
            The answer; None if the server speaks HTTP/1.1, and nothing was sent.

        Raises:
            CallError: It failed.
        """
        if asyncio.get_running_loop().time() < self._plain_until:
            return None
        lines = [
            (":method", request.method),
            (":scheme", url.scheme),
            (":authority", url.host_port_subcomponent or ""),
            (":path", url.raw_path_qs),
            *((name.lower(), value) for name, value in headers),
        ]
        if request.body is not None:
            lines.append(("content-length", str(len(request.body))))
        async with self._slots:
            # What a server says it has not touched goes out once more at once: servers that close a connection
            # after so many requests say that of the last ones.
            for _ in range(2):
                connection = await self._connection()
                if connection is None:
                    return None
                try:
                    return await connection.request(lines, request.body or b"")
                except UnprocessedError:
                    continue
        raise CallError(NETWORK, "the server did not take the call", retryable=True)

    async def aclose(self) -> None:
        """Close every connection."""
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.gather(self._connecting, return_exceptions=True)
        for connection in list(self._open):
            connection.retire()
            connection.close()

    async def _connection(self) -> Http2Connection | None:
        """Return a connection with room for another call, made if need be; None if it would be HTTP/1.1."""
        while True:
            free = next((connection for connection in self._open if connection.free > 0), None)
            if free is not None:
                return free
            # A task that is done is awaited without a turn of the loop, in which it would be put away: for ever.
            if self._connecting is None or self._connecting.done():
                self._connecting = asyncio.create_task(self._connect())
                self._connecting.add_done_callback(self._connected)
            # Shared by all calls that wait for it; the end of one's window is not the end of it.
            made = await asyncio.shield(self._connecting)
            if made is None:
                return None
            if made.free > 0:
                return made

    def _connected(self, task: asyncio.Task[Http2Connection | None]) -> None:
        if self._connecting is task:
            self._connecting = None
        if not task.cancelled():
            task.exception()

    async def _connect(self) -> Http2Connection | None:
        """Connect, and see what the server speaks.

        Raises:
            CallError: There is no connection to be had.
        """
        loop = asyncio.get_running_loop()
        connection: Http2Connection | None = None
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                opened = await start_connection(
                    await self._resolver.addresses(self._host, self._port),
                    happy_eyeballs_delay=_HAPPY_EYEBALLS,
                    socket_factory=self._guard.socket_factory(self._host, self._port),
                )
                _, connection = await loop.create_connection(
                    lambda: Http2Connection(self._forget),
                    sock=opened,
                    ssl=self._tls(),
                    server_hostname=self._host.rstrip("."),
                )
                speaks = await connection.ready
        except OSError as error:
            failure = connection_error(error)
        except CallError as error:
            failure = error
        else:
            if not speaks:
                self._plain_until = loop.time() + ASK_AGAIN
                connection.close()
                return None
            if connection.free <= 0:
                connection.retire()
                raise CallError(NETWORK, "the server did not take the call", retryable=True)
            self._open.append(connection)
            return connection
        if connection is not None:
            connection.close()
        raise failure

    def _forget(self, connection: Http2Connection) -> None:
        if connection in self._open:
            self._open.remove(connection)
