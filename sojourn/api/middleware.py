"""What every request passes through: limits on its body, and a net under its handler.

Both are plain ASGI, since the classes of Starlette that wrap requests cost a task per request.
"""

from __future__ import annotations

import logging
import uuid
import zlib

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sojourn.api.problems import kinds
from sojourn.api.problems.errors import ProblemError

logger = logging.getLogger("sojourn.api")

_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cache-control", b"no-store"),
)
"""On every answer that does not set them itself: it is for the caller, and for no browser's page."""


class SafetyNet:
    """Adds the security headers, and turns an unhandled error into a problem with a correlation id.

    The cause goes to the log of `sojourn.api` under that id, and never to the client.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def send_safe(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = message["headers"] = list(message.get("headers", ()))
                present = {name for name, _ in headers}
                headers += [header for header in _HEADERS if header[0] not in present]
            await send(message)

        try:
            await self.app(scope, receive, send_safe)
        except ClientDisconnect:
            return  # Nobody is there any more to answer.
        except Exception:
            correlation = uuid.uuid4().hex[:16]
            logger.exception("%s %s failed; correlation %s", scope["method"], scope["path"], correlation)
            if started:
                raise
            error = ProblemError(
                kinds.INTERNAL_ERROR,
                f"The API failed on this request. Its log says why under {correlation}.",
                correlation=correlation,
            )
            await error.response()(scope, receive, send_safe)


class BodyLimit:
    """Bounds the body of every request, with and without Content-Length, and unpacks gzip within that bound.

    Args:
        app: What comes next.
        limit: Largest body in bytes, as it is sent and after decompression.
    """

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self.app = app
        self.limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; reading its body raises `ProblemError` where it breaks the limit."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        length = encoding = b""
        for name, value in scope["headers"]:
            if name == b"content-length":
                length = value
            elif name == b"content-encoding":
                encoding = encoding + b"," + value if encoding else value
        try:
            if length.isdigit() and int(length) > self.limit:
                raise too_large(self.limit)
            bounded = _bounded(receive, self.limit, _decoder(encoding, self.limit))
        except ProblemError as error:
            await error.response()(scope, receive, send)
            return
        await self.app(scope, bounded, send)


def too_large(limit: int) -> ProblemError:
    """Return the problem of a body over `limit` bytes."""
    return ProblemError(
        kinds.TOO_LARGE, f"The body is larger than {limit:,} bytes. Send it in several requests.", limit=limit
    )


def _decoder(encoding: bytes, limit: int) -> _Gunzip | None:
    name = encoding.strip().lower().decode("latin-1")
    if name in ("", "identity"):
        return None
    if name in ("gzip", "x-gzip"):
        return _Gunzip(limit)
    raise ProblemError(
        kinds.WRONG_CONTENT_ENCODING,
        f"The Content-Encoding is {name[:80]}. Send gzip, or no Content-Encoding.",
        accepted=["gzip"],
    )


def _bounded(receive: Receive, limit: int, gunzip: _Gunzip | None) -> Receive:
    """Return a `receive` that counts, and unpacks."""
    total = 0

    async def receive_bounded() -> Message:
        nonlocal total
        message = await receive()
        if message["type"] != "http.request":
            return message
        body = message.get("body", b"")
        total += len(body)
        if total > limit:
            raise too_large(limit)
        if gunzip is not None:
            body = gunzip.feed(body)
            more = message.get("more_body", False)
            if not more:
                gunzip.finish()
            return {"type": "http.request", "body": body, "more_body": more}
        return message

    return receive_bounded


class _Gunzip:
    """Unpacks gzip piece by piece and never holds more than the limit and one byte."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._produced = 0
        self._fed = False
        self._stream = zlib.decompressobj(wbits=31)

    def feed(self, data: bytes) -> bytes:
        """Return what the next piece of compressed data unpacks to.

        Raises:
            ProblemError: It is no gzip, or unpacks to more than the limit.
        """
        parts = []
        while data:
            if self._stream.eof:  # A gzip file may have several members, one after the other.
                self._stream = zlib.decompressobj(wbits=31)
            self._fed = True
            try:
                part = self._stream.decompress(data, self._limit - self._produced + 1)
            except zlib.error:
                raise ProblemError(
                    kinds.INVALID_ENCODING, "Content-Encoding says gzip, but the body is not gzip data."
                ) from None
            self._produced += len(part)
            if self._produced > self._limit:
                raise too_large(self._limit)
            parts.append(part)
            data = self._stream.unused_data if self._stream.eof else self._stream.unconsumed_tail
        return b"".join(parts)

    def finish(self) -> None:
        """Check that the data is whole.

        Raises:
            ProblemError: It ends before its own end mark.
        """
        if self._fed and not self._stream.eof:
            raise ProblemError(kinds.INVALID_ENCODING, "The gzip data of the body ends too early.")
