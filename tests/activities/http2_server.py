"""An HTTP/2 server over TLS that does whatever a test wants, at whatever moment, and keeps what it was sent."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import DataReceived, RequestReceived, StreamEnded, StreamReset, WindowUpdated
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes

from tests.activities.server import Received

Reply = Callable[["Stream"], Awaitable[None]]


class Connection(asyncio.Protocol):
    """One connection of the server."""

    def __init__(self, server: Http2Server) -> None:
        self.server = server
        self.h2 = H2Connection(
            H2Configuration(client_side=False, header_encoding="utf-8", validate_outbound_headers=False)
        )
        self.streams: dict[int, Stream] = {}
        self.changed = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.server.connections.append(self)
        if self.server.silent:
            return
        self.h2.initiate_connection()
        self.h2.update_settings(self.server.settings)
        self.flush()

    def data_received(self, data: bytes) -> None:
        if self.server.silent:
            return
        try:
            events = self.h2.receive_data(data)
        except ProtocolError:
            self.flush()
            self.transport.close()
            return
        for event in events:
            if isinstance(event, RequestReceived):
                self.streams[event.stream_id] = Stream(self, event.stream_id, list(event.headers))
                if self.server.at_once:
                    self.server.start(self.streams[event.stream_id])
            elif isinstance(event, DataReceived):
                self.streams[event.stream_id].body += event.data
                self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, StreamEnded) and not self.server.at_once:
                self.server.start(self.streams[event.stream_id])
            elif isinstance(event, StreamReset):
                self.streams[event.stream_id].cancelled.set()
            elif isinstance(event, WindowUpdated):
                self.changed.set()
        self.flush()

    def connection_lost(self, error: Exception | None) -> None:
        for stream in self.streams.values():
            stream.cancelled.set()

    def flush(self) -> None:
        self.transport.write(self.h2.data_to_send())

    def go_away(self, last: int, code: ErrorCodes = ErrorCodes.NO_ERROR) -> None:
        """Say GOAWAY as servers do that finish what they have begun, which h2 alone would not."""
        head = (8).to_bytes(3, "big") + b"\x07\x00" + (0).to_bytes(4, "big")
        self.flush()
        self.transport.write(head + last.to_bytes(4, "big") + int(code).to_bytes(4, "big"))


class Stream:
    """One request, and the means to answer it."""

    def __init__(self, connection: Connection, number: int, headers: list[tuple[str, str]]) -> None:
        self.connection = connection
        self.number = number
        self.headers = headers
        self.body = b""
        self.cancelled = asyncio.Event()

    def head(self, status: int | str = 200, end: bool = False, headers: dict[str, str] | None = None) -> None:
        lines = [(":status", str(status)), *(headers or {"content-type": "application/json"}).items()]
        self.connection.h2.send_headers(self.number, lines, end_stream=end)
        self.connection.flush()

    async def data(self, data: bytes, end: bool = False) -> None:
        """Send bytes as fast as the client takes them."""
        h2 = self.connection.h2
        while data:
            room = min(h2.local_flow_control_window(self.number), h2.max_outbound_frame_size)
            if room <= 0:
                self.connection.changed.clear()
                await self.connection.changed.wait()
                continue
            part, data = data[:room], data[room:]
            h2.send_data(self.number, part, end_stream=end and not data)
            self.connection.flush()

    def reset(self, code: ErrorCodes) -> None:
        self.connection.h2.reset_stream(self.number, code)
        self.connection.flush()


def answer(
    body: Any = None, status: int = 200, headers: dict[str, str] | None = None, *, text: bytes | None = None
) -> Reply:
    """A complete answer: JSON, or the bytes of `text`."""
    content = text if text is not None else b"" if body is None else json.dumps(body).encode()

    async def reply(stream: Stream) -> None:
        stream.head(status, not content, headers)
        if content:
            await stream.data(content, end=True)

    return reply


def late(seconds: float, then: Reply) -> Reply:
    """Answer after some time."""

    async def reply(stream: Stream) -> None:
        await asyncio.sleep(seconds)
        await then(stream)

    return reply


@dataclass
class Http2Server:
    """Answers the n-th request with the n-th reply, and all further ones with the last."""

    tls: ssl.SSLContext
    replies: Sequence[Reply]
    settings: dict[SettingCodes | int, int] = field(default_factory=dict)
    at_once: bool = False
    silent: bool = False
    requests: list[Received] = field(default_factory=list)
    connections: list[Connection] = field(default_factory=list)
    port: int = 0
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def __aenter__(self) -> Http2Server:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Connection(self), "127.0.0.1", 0, ssl=self.tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for connection in self.connections:
            connection.transport.abort()

    def url(self, path: str = "/") -> str:
        return f"https://127.0.0.1:{self.port}{path}"

    def start(self, stream: Stream) -> None:
        """Answer a request in a task of its own."""
        pseudo = dict(stream.headers)
        plain = [(name, value) for name, value in stream.headers if not name.startswith(":")]
        self.requests.append(Received(pseudo[":method"], pseudo[":path"], plain, stream.body))
        reply = self.replies[min(len(self.requests), len(self.replies)) - 1]
        task = asyncio.ensure_future(self._reply(reply, stream))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _reply(self, reply: Reply, stream: Stream) -> None:
        with contextlib.suppress(ProtocolError):
            await reply(stream)
