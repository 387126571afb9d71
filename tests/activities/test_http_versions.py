"""Servers that speak only HTTP/2 are refused with an error that says so."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from sojourn.activities import Transport
from sojourn.activities.errors import CallError
from sojourn.activities.http.connection_guard import AddressGuard
from sojourn.activities.http.wire import HttpRequest

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

ALERT = b"\x15\x03\x03\x00\x02\x02\x78"
"""A fatal alert of TLS 1.2 and 1.3: `no_application_protocol` (RFC 7301, section 3.2)."""

SETTINGS = b"\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x64"
EMPTY_SETTINGS = b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"
GOAWAY = b"\x00\x00\x08\x07\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01"


def answering(*parts: bytes) -> Handler:
    """Return a server that reads what comes first, and answers with these bytes."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4096)
        writer.writelines(parts)
        with contextlib.suppress(OSError):
            await writer.drain()
        writer.close()

    return handle


@contextlib.asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[int]:
    """Serve on a free port of this machine."""
    server = await asyncio.start_server(handler, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def error_of(handler: Handler, scheme: str) -> CallError:
    """Return the error of a call to a server."""
    transport = Transport(AddressGuard(["127.0.0.1"]))
    async with serving(handler) as port:
        try:
            with pytest.raises(CallError) as failure:
                await transport.send(
                    "source:x", HttpRequest("GET", f"{scheme}://127.0.0.1:{port}/", (), None), 10
                )
        finally:
            await transport.aclose()
    return failure.value


@pytest.mark.parametrize(
    ("handler", "scheme"),
    [
        (answering(ALERT), "https"),
        (answering(SETTINGS, GOAWAY), "http"),
        (answering(EMPTY_SETTINGS, GOAWAY), "http"),
        (answering(SETTINGS), "http"),
    ],
    ids=["refuses our ALPN", "settings and goodbye", "empty settings", "settings only"],
)
async def test_a_server_that_speaks_only_http2_is_refused(handler: Handler, scheme: str) -> None:
    """The call is not tried again: it would fail the same way each time."""
    error = await error_of(handler, scheme)
    assert (error.code, error.retryable) == ("refused", False)
    assert str(error).startswith("the server speaks only HTTP/2; Sojourn calls over HTTP/1.1")


@pytest.mark.parametrize(
    ("handler", "scheme", "code"),
    [
        (answering(b"\x15\x03\x03\x00\x02\x02\x28"), "https", "network"),
        (answering(b"SSH-2.0-OpenSSH_9.2\r\n"), "http", "invalid_response"),
        (answering(GOAWAY), "http", "invalid_response"),
        (answering(), "http", "network"),
    ],
    ids=["another alert", "another protocol", "another frame", "nothing"],
)
async def test_other_failures_are_not_taken_for_it(handler: Handler, scheme: str, code: str) -> None:
    """A handshake that fails for another reason, and bytes of another protocol."""
    error = await error_of(handler, scheme)
    assert error.code == code
    assert "HTTP/2" not in str(error)


async def test_a_server_that_speaks_both_gets_http1() -> None:
    """The handshake offers HTTP/1.1 only, so that such a server chooses it."""
    seen: list[bytes] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.read(4096))
        writer.close()

    await error_of(handle, "https")
    assert b"\x08http/1.1" in seen[0]
    assert b"\x02h2" not in seen[0]
