"""An HTTP server that answers with whatever bytes a test wants, at whatever moment, and keeps what it was sent."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Received:
    """A request as it came over the wire."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        found = [value for have, value in self.headers if have.lower() == name.lower()]
        assert len(found) <= 1, f"{name} was sent {len(found)} times"
        return found[0] if found else None

    def json(self) -> Any:
        return json.loads(self.body)


Reply = Callable[[Received, asyncio.StreamWriter], Awaitable[None]]


def raw(*parts: bytes) -> Reply:
    """Send these bytes and close."""

    async def reply(_: Received, writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()
        writer.close()

    return reply


def answer(
    body: Any = None, status: int = 200, headers: dict[str, str] | None = None, *, text: bytes | None = None
) -> Reply:
    """A complete answer: JSON, or the bytes of `text`."""
    content = text if text is not None else b"" if body is None else json.dumps(body).encode()
    lines = {"Content-Type": "application/json", **(headers or {}), "Content-Length": str(len(content))}

    async def reply(_: Received, writer: asyncio.StreamWriter) -> None:
        head = f"HTTP/1.1 {status} Whatever\r\n" + "".join(f"{k}: {v}\r\n" for k, v in lines.items())
        writer.write(head.encode() + b"\r\n" + content)
        await writer.drain()

    return reply


def late(seconds: float, then: Reply) -> Reply:
    """Answer after some time."""

    async def reply(request: Received, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(seconds)
        await then(request, writer)

    return reply


def reset(*parts: bytes) -> Reply:
    """Send these bytes and break the connection off, without a farewell."""

    async def reply(_: Received, writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()
        await asyncio.sleep(0.02)
        writer.transport.abort()

    return reply


def endless(head: bytes, chunk: bytes, pause: float = 0.0) -> Reply:
    """Send a head, and then the same chunk for ever."""

    async def reply(_: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        while True:
            writer.write(chunk)
            await writer.drain()
            await asyncio.sleep(pause)

    return reply


@dataclass
class Server:
    """Answers the n-th request with the n-th reply, and all further ones with the last."""

    replies: Sequence[Reply]
    tls: ssl.SSLContext | None = None
    host: str = "127.0.0.1"
    requests: list[Received] = field(default_factory=list)
    greeting: bytes | None = None
    connections: int = 0
    port: int = 0
    _server: asyncio.Server | None = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def __aenter__(self) -> Server:
        self._server = await asyncio.start_server(self._accept, self.host, 0, ssl=self.tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def url(self, path: str = "/", host: str | None = None) -> str:
        return f"http{'s' if self.tls else ''}://{host or self.host}:{self.port}{path}"

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.ensure_future(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            try:
                if self.greeting is not None:
                    writer.write(self.greeting)
                    return
                while not writer.is_closing():
                    request = await _read(reader)
                    self.requests.append(request)
                    reply = self.replies[min(len(self.requests), len(self.replies)) - 1]
                    await reply(request, writer)
            finally:
                writer.close()


async def _read(reader: asyncio.StreamReader) -> Received:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, target, _ = head[0].split(" ", 2)
    headers = [(line.partition(":")[0], line.partition(":")[2].strip()) for line in head[1:] if line]
    length = next((int(value) for name, value in headers if name.lower() == "content-length"), 0)
    return Received(method, target, headers, await reader.readexactly(length))
