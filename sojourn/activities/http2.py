"""One HTTP/2 connection: many calls at once over one socket.

`h2` knows the protocol and does no input or output; this module moves its bytes, and keeps the promises that
the transport makes over HTTP/1.1 as well: bounded answers, nothing left behind by a call that is given up, and
a clear word on what may be sent again.
"""

# httpcore speaks HTTP/2 too, but leaves the stream of a call that was given up open, never returns the
# flow-control window of what still arrives on it (so that the connection stalls in the end), and fails the calls
# in flight when a server says GOAWAY, as servers do after some thousand requests.

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    DataReceived,
    RemoteSettingsChanged,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    WindowUpdated,
)
from h2.exceptions import NoAvailableStreamIDError, ProtocolError
from h2.settings import SettingCodes, Settings

from sojourn.activities.errors import INVALID_RESPONSE, NETWORK, CallError
from sojourn.activities.http.body import BROKEN, BodyReader
from sojourn.activities.http.wire import REDIRECTS, HttpResponse

KEEPALIVE = 30.0
"""Seconds for which a connection is kept without a call."""

_STREAM_WINDOW = 256 * 1024
_CONNECTION_WINDOW = 4 * 1024 * 1024
_MAX_HEADERS = 64 * 1024
_MAX_UNSENT = 8 * 1024 * 1024
"""Bytes that wait to be sent, above which the other side is not reading but only asking."""

_FRAME_HEAD, _MAX_FRAME, _GOAWAY = 9, 16 * 1024, 7


class UnprocessedError(Exception):
    """The server has said that it did nothing with the request: it may be sent again, whatever it does."""


@dataclass
class _Stream:
    """A call on the connection."""

    answer: asyncio.Future[HttpResponse]
    body: bytes
    begun: float
    ended: bool = False
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    reader: BodyReader | None = None

    def fail(self, error: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)


class Http2Connection(asyncio.Protocol):
    """A connection whose server chose HTTP/2.

    Args:
        gone: Called once when no further calls can be made on the connection.
    """

    def __init__(self, gone: Callable[[Http2Connection], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._gone: Callable[[Http2Connection], None] | None = gone
        self.ready: asyncio.Future[bool] = self._loop.create_future()
        """Whether the server speaks HTTP/2, once it has shown that."""
        self.ready.add_done_callback(lambda ready: ready.cancelled() or ready.exception())
        self._h2 = H2Connection(H2Configuration(client_side=True, header_encoding=None))
        self._frames = _Frames()
        self._streams: dict[int, _Stream] = {}
        self._transport: asyncio.Transport | None = None
        self._heard = 0.0
        self._idle: asyncio.TimerHandle | None = None

    @property
    def usable(self) -> bool:
        """Whether calls can be made on the connection."""
        return self._gone is not None

    @property
    def free(self) -> int:
        """How many more calls the server takes at once."""
        return int(self._h2.remote_settings.max_concurrent_streams) - len(self._streams) if self.usable else 0

    async def request(self, headers: list[tuple[str, str]], body: bytes) -> HttpResponse:
        """Send a request and read the answer; of a redirect, only the head.

        Args:
            headers: All of them, the pseudo-headers first, names in lower case.
            body: What is sent; may be empty.

        Raises:
            CallError: It failed.
            UnprocessedError: It failed, and the server did nothing with it.
        """
        try:
            number = self._h2.get_next_available_stream_id()
            self._h2.send_headers(number, headers, end_stream=not body)
        except (NoAvailableStreamIDError, ProtocolError):  # all numbers are used, or the connection is over
            self.retire()
            raise UnprocessedError from None
        if self._idle is not None:
            self._idle.cancel()
        stream = _Stream(self._loop.create_future(), body, self._loop.time())
        self._streams[number] = stream
        try:
            self._send_body(number, stream)
            self._flush()
            return await stream.answer
        except asyncio.CancelledError:
            if self._heard < stream.begun:
                # Nothing at all has come since: the connection may be dead, which no one would tell us.
                self.retire()
            raise
        finally:
            del self._streams[number]
            if stream.answer.done() and not stream.answer.cancelled():
                stream.answer.exception()  # given up at the same moment: nobody else will ask for it
            self._leave(number, stream)

    def retire(self) -> None:
        """Take no further calls; close when those in flight have ended."""
        gone, self._gone = self._gone, None
        if gone is not None:
            gone(self)
        if not self._streams:
            self.close()

    def close(self) -> None:
        """Close the connection. Calls in flight fail."""
        if self._transport is not None:
            self._transport.close()

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, unless the server chose another protocol."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        tls = transport.get_extra_info("ssl_object")
        if tls is None or tls.selected_alpn_protocol() != "h2":
            self.ready.set_result(False)
            return
        values: dict[SettingCodes, int] = {
            SettingCodes.ENABLE_PUSH: 0,
            SettingCodes.INITIAL_WINDOW_SIZE: _STREAM_WINDOW,
            SettingCodes.MAX_HEADER_LIST_SIZE: _MAX_HEADERS,
        }
        self._h2.local_settings = Settings(client=True, initial_values=values)
        self._h2.initiate_connection()
        self._h2.increment_flow_control_window(_CONNECTION_WINDOW)
        self._flush()

    def data_received(self, data: bytes) -> None:
        """Read what came, and hand it to the calls that wait for it."""
        if self.ready.done() and not self.usable and not self._streams:
            return  # another protocol, or the end
        self._heard = self._loop.time()
        try:
            for event in self._h2.receive_data(self._frames.take(data)):
                self._handle(event)
        except ProtocolError:
            self._flush()
            self._lose(CallError(NETWORK, "the server breaks the rules of HTTP/2", retryable=True))
            return
        if self._frames.last is not None:
            self._server_leaves(self._frames.last)
        self._flush()

    def eof_received(self) -> bool:
        """Let the connection end."""
        return False

    def connection_lost(self, error: Exception | None) -> None:
        """Tell everybody who waits."""
        kind = f" ({type(error).__name__})" if error else ""
        self._lose(
            CallError(NETWORK, f"the connection was closed before an answer came{kind}", retryable=True)
        )

    # What came.

    def _handle(self, event: Any) -> None:
        if isinstance(event, RemoteSettingsChanged):
            if not self.ready.done():
                self.ready.set_result(True)
            self._send_bodies()
            return
        if isinstance(event, WindowUpdated):
            self._send_bodies()
            return
        if isinstance(event, DataReceived):
            self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        stream = self._streams.get(getattr(event, "stream_id", 0))
        if stream is None or stream.answer.done():
            return
        try:
            self._advance(stream, event)
        except CallError as error:
            stream.fail(error)

    def _advance(self, stream: _Stream, event: Any) -> None:
        """Take one step of an answer.

        Raises:
            CallError: The answer is not one to go on reading.
        """
        if isinstance(event, ResponseReceived):
            stream.status, stream.headers = _head(event.headers)
            if stream.status in REDIRECTS:
                stream.answer.set_result(HttpResponse(stream.status, stream.headers))
            else:
                stream.reader = BodyReader(stream.status, stream.headers.get("content-encoding", ""))
        elif isinstance(event, DataReceived) and stream.reader:
            stream.reader.feed(event.data)
        elif isinstance(event, StreamEnded):
            stream.ended = True
            if stream.reader and stream.status:
                stream.answer.set_result(HttpResponse(stream.status, stream.headers, stream.reader.finish()))
        elif isinstance(event, StreamReset):
            stream.ended, stream.body = True, b""
            if event.error_code == ErrorCodes.REFUSED_STREAM:
                stream.fail(UnprocessedError())
            else:
                raise CallError(NETWORK, BROKEN if stream.status else "the call was reset", retryable=True)

    def _server_leaves(self, last: int) -> None:
        """The server said GOAWAY: what it has begun it may finish, the rest is for another connection."""
        for number, stream in self._streams.items():
            if number > last:
                stream.ended, stream.body = True, b""
                stream.fail(UnprocessedError())
        self.retire()

    def _lose(self, error: CallError) -> None:
        broken = CallError(NETWORK, BROKEN, retryable=True)
        if not self.ready.done():
            self.ready.set_exception(error)
        for stream in self._streams.values():
            stream.ended, stream.body = True, b""
            stream.fail(broken if stream.status else error)
        self.retire()
        self.close()

    # What goes out.

    def _send_bodies(self) -> None:
        for number, stream in self._streams.items():
            self._send_body(number, stream)

    def _send_body(self, number: int, stream: _Stream) -> None:
        """Send as much of a body as the server has room for."""
        try:
            while stream.body:
                room = min(self._h2.local_flow_control_window(number), self._h2.max_outbound_frame_size)
                if room <= 0:
                    return
                part, stream.body = stream.body[:room], stream.body[room:]
                self._h2.send_data(number, part, end_stream=not stream.body)
        except ProtocolError:
            stream.body = b""  # the server has reset it, and is about to be heard

    def _leave(self, number: int, stream: _Stream) -> None:
        """Leave nothing of a call behind."""
        if (
            (stream.body or not stream.ended)
            and self._transport is not None
            and not self._transport.is_closing()
        ):
            try:
                self._h2.reset_stream(number, ErrorCodes.CANCEL)
            except ProtocolError:
                self.retire()
            self._flush()
        if not self._streams:
            if self.usable:
                self._idle = self._loop.call_later(KEEPALIVE, self.retire)
            else:
                self.close()

    def _flush(self) -> None:
        data = self._h2.data_to_send()
        if self._transport is None or not data:
            return
        if self._transport.get_write_buffer_size() > _MAX_UNSENT:
            self._transport.abort()
        else:
            self._transport.write(data)


class _Frames:
    """Takes GOAWAY out of what a server sends: h2 would not read the answers that come after it."""

    def __init__(self) -> None:
        self._kept = b""
        self.last: int | None = None
        """The last call that a server which is leaving has begun."""

    def take(self, data: bytes) -> bytes:
        """Return the complete frames, but for GOAWAY.

        Raises:
            ProtocolError: A frame is larger than allowed. h2 would wait for all of it before it says so.
        """
        data = self._kept + data
        passed, at = [], 0
        while len(data) - at >= _FRAME_HEAD:
            length = int.from_bytes(data[at : at + 3], "big")
            if length > _MAX_FRAME:
                raise ProtocolError("a frame is too large")
            end = at + _FRAME_HEAD + length
            if end > len(data):
                break
            if data[at + 3] == _GOAWAY and length >= 8:
                last = int.from_bytes(data[at + _FRAME_HEAD : at + _FRAME_HEAD + 4], "big") & 0x7FFFFFFF
                self.last = last if self.last is None else min(self.last, last)
            else:
                passed.append(data[at:end])
            at = end
        self._kept = data[at:]
        return b"".join(passed)


def _head(headers: Any) -> tuple[int, dict[str, str]]:
    """Return status and headers, the first of each name.

    Raises:
        CallError: There is no status.
    """
    found: dict[str, str] = {}
    for name, value in headers:
        found.setdefault(name.decode("latin-1").lower(), value.decode("latin-1"))
    status = found.pop(":status", "")
    if not (status.isascii() and status.isdigit() and len(status) == 3):
        raise CallError(INVALID_RESPONSE, "the answer is not HTTP")
    return int(status), found
