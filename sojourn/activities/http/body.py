"""Reading the bodies of answers, whichever version of HTTP brings them."""

from __future__ import annotations

import zlib

from sojourn.activities.errors import INVALID_RESPONSE, NETWORK, CallError

MAX_BODY = 1024 * 1024
"""Largest answer that is read, in bytes after decompression."""

BROKEN = "the connection broke in the middle of the answer"
"""What is said of an answer that began and did not end."""


class BodyReader:
    """Collects a body up to the limit, decompressing it ourselves: a small body may unfold to gigabytes.

    Args:
        status: The answer's status, for errors.
        encoding: Its `Content-Encoding`, empty if it has none.

    Raises:
        CallError: The encoding is one that was not asked for.
    """

    def __init__(self, status: int, encoding: str) -> None:
        self._status = status
        self._parts: list[bytes] = []
        self._size = 0
        self._inflater = None
        encoding = encoding.strip().lower()
        if encoding in {"gzip", "x-gzip", "deflate"}:
            self._inflater = zlib.decompressobj(zlib.MAX_WBITS | 32)
        elif encoding not in {"identity", ""}:
            message = "the answer is compressed in a way that was not asked for"
            raise CallError(INVALID_RESPONSE, message, status=status)

    def feed(self, chunk: bytes) -> None:
        """Take some more bytes as they came.

        Raises:
            CallError: The body is too large, or its compression is broken.
        """
        try:
            part = self._inflater.decompress(chunk, MAX_BODY + 1) if self._inflater else chunk
        except zlib.error:
            message = "the answer's compressed body is broken"
            raise CallError(INVALID_RESPONSE, message, status=self._status) from None
        self._size += len(part)
        if self._size > MAX_BODY:
            message = f"the answer is larger than {MAX_BODY // 1024} KiB"
            raise CallError(INVALID_RESPONSE, message, status=self._status)
        self._parts.append(part)

    def finish(self) -> bytes:
        """Return the whole body.

        Raises:
            CallError: Its compressed form was cut off.
        """
        if self._inflater and self._size and not self._inflater.eof:
            raise CallError(NETWORK, BROKEN, retryable=True)
        return b"".join(self._parts)
