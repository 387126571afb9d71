"""Sending requests: the only module that knows which HTTP library does it.

One pool of connections per endpoint and origin, no cookies kept (they would travel from one customer to the
next), no proxies or credentials from the environment, redirects followed only where the request was meant to go,
every size and time bounded.
"""

# aiohttp itself, and not httpx with aiohttp underneath: that one decodes what we percent-encoded on purpose,
# sends the bodies of redirected requests in chunks, and calls a connection that broke a time-out.

from __future__ import annotations

import asyncio
import ssl
import zlib
from dataclasses import replace
from pathlib import Path

import aiohttp
import certifi
from yarl import URL

from sojourn.activities.addresses import AddressGuard, refusal
from sojourn.activities.errors import INVALID_RESPONSE, NETWORK, TIMED_OUT, CallError, refused
from sojourn.activities.urls import parse_url, redirected
from sojourn.activities.wire import HttpRequest, HttpResponse

MAX_BODY = 1024 * 1024
"""Largest answer that is read, in bytes after decompression."""

MAX_REDIRECTS = 5
CONNECT_TIMEOUT = 5.0
"""Seconds for connection and TLS handshake. Shorter than a usual window, so that an address that does not answer
leaves time for another attempt."""

_KEEPALIVE = 30.0
_CHUNK = 16 * 1024
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_DEFAULT_HEADERS = {"User-Agent": "sojourn", "Accept": "application/json", "Accept-Encoding": "gzip"}


def tls_context(ca_file: Path | None = None) -> ssl.SSLContext:
    """Return how servers are verified: by the usual public authorities, and by more of the deployment's.

    Args:
        ca_file: PEM certificates of additional authorities.

    Raises:
        OSError: The file cannot be read, or holds no certificate.
    """
    context = ssl.create_default_context(cafile=certifi.where())
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_file is not None:
        try:
            context.load_verify_locations(cafile=ca_file)
        except OSError as error:  # an `ssl.SSLError` is one, too
            raise OSError(f"{ca_file} holds no certificates that can be read ({error})") from error
    return context


class Transport:
    """Pools of connections, one per owner and origin.

    Args:
        guard: Which addresses may be reached.
        tls: How servers are verified.
        connections: Most connections of one pool.
    """

    def __init__(
        self, guard: AddressGuard | None = None, *, tls: ssl.SSLContext | None = None, connections: int = 100
    ) -> None:
        self._guard = guard or AddressGuard()
        self._tls = tls
        self._connections = connections
        self._pools: dict[tuple[str, str], aiohttp.ClientSession] = {}

    async def aclose(self) -> None:
        """Close every connection. The transport can be used again afterwards."""
        pools, self._pools = self._pools, {}
        for pool in pools.values():
            await pool.close()

    async def send(self, owner: str, request: HttpRequest, within: float) -> HttpResponse:
        """Send a request, follow its redirects and read the answer.

        Args:
            owner: Whose pool is used: the endpoint's name.
            request: The request.
            within: Seconds that all of it may take.

        Returns:
            The answer, whatever its status.

        Raises:
            CallError: No answer (`network`, `timed_out`), one that is too large or unreadable
                (`invalid_response`), or one that must not be asked for (`refused`).
        """
        try:
            async with asyncio.timeout(within):
                return await self._follow(owner, request)
        except TimeoutError:
            raise CallError(TIMED_OUT, f"no complete answer within {within:g} s") from None

    async def _follow(self, owner: str, request: HttpRequest) -> HttpResponse:
        url = parse_url(request.url)
        for _ in range(MAX_REDIRECTS + 1):
            response = await self._once(self._pool(owner, url), request, url)
            location = response.headers.get("location")
            if response.status not in _REDIRECTS or location is None:
                return response
            following = redirected(url, location, response.status)
            request, url = _redirected_request(request, response.status), following
        message = f"more than {MAX_REDIRECTS} redirects, the last with HTTP {response.status}"
        raise CallError(INVALID_RESPONSE, message, status=response.status)

    async def _once(self, pool: aiohttp.ClientSession, request: HttpRequest, url: URL) -> HttpResponse:
        """Send one request and read its answer; of a redirect, only the head.

        Raises:
            CallError: It failed.
        """
        status: int | None = None
        try:
            async with pool.request(
                request.method,
                url,
                headers=_with_defaults(request.headers),
                data=request.body,
                allow_redirects=False,
                timeout=_TIMEOUT,
                skip_auto_headers=("Content-Type",),
            ) as response:
                status = response.status
                headers = {name.lower(): value for name, value in reversed(list(response.headers.items()))}
                body = b"" if status in _REDIRECTS else await _read(response)
                return HttpResponse(status, headers, body)
        except (aiohttp.ClientError, OSError, zlib.error) as error:
            failure = _as_call_error(error, status)
        raise failure

    def _pool(self, owner: str, url: URL) -> aiohttp.ClientSession:
        """Return the pool of an owner for the origin of a URL."""
        key = (owner, str(url.origin()))
        if key not in self._pools:
            self._pools[key] = self._new_pool(str(url.host), int(url.port or 0))
        return self._pools[key]

    def _new_pool(self, host: str, port: int) -> aiohttp.ClientSession:
        if self._tls is None:
            self._tls = tls_context()
        connector = aiohttp.TCPConnector(
            ssl=self._tls,
            limit=self._connections,
            keepalive_timeout=_KEEPALIVE,
            ttl_dns_cache=10,
            socket_factory=self._guard.socket_factory(host, port),
        )
        return aiohttp.ClientSession(
            connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False, auto_decompress=False
        )


# The end of the window bounds everything else; see `Transport.send`.
_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT)


def _with_defaults(headers: tuple[tuple[str, str], ...]) -> list[tuple[str, str]]:
    """Return the headers with those that every request has, unless they are set."""
    given = {name.lower() for name, _ in headers}
    return [*headers, *(pair for pair in _DEFAULT_HEADERS.items() if pair[0].lower() not in given)]


def _redirected_request(request: HttpRequest, status: int) -> HttpRequest:
    """Return the request that follows a redirect: what browsers do, and RFC 9110 allows."""
    if status == 303 or (status in {301, 302} and request.method == "POST"):
        headers = tuple(pair for pair in request.headers if pair[0].lower() != "content-type")
        return replace(request, method="GET", headers=headers, body=None)
    return request


async def _read(response: aiohttp.ClientResponse) -> bytes:
    """Read a body up to the limit, decompressing it ourselves: a small body may unfold to gigabytes.

    Raises:
        CallError: Too large, cut off, or in an encoding that was not asked for.
    """
    status = response.status
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    inflater = None
    if encoding in {"gzip", "x-gzip", "deflate"}:
        inflater = zlib.decompressobj(zlib.MAX_WBITS | 32)
    elif encoding not in {"identity", ""}:
        message = "the answer is compressed in a way that was not asked for"
        raise CallError(INVALID_RESPONSE, message, status=status)
    parts: list[bytes] = []
    size = 0
    async for chunk in response.content.iter_chunked(_CHUNK):
        part = inflater.decompress(chunk, MAX_BODY + 1) if inflater else chunk
        size += len(part)
        if size > MAX_BODY:
            message = f"the answer is larger than {MAX_BODY // 1024} KiB"
            raise CallError(INVALID_RESPONSE, message, status=status)
        parts.append(part)
    if inflater and size and not inflater.eof:
        raise CallError(NETWORK, "the connection broke in the middle of the answer", retryable=True)
    return b"".join(parts)


def _as_call_error(error: Exception, status: int | None) -> CallError:
    """Return what an exception of the HTTP library means. Its text may hold the URL, so it is not used."""
    blocked = refusal(error)
    if blocked is not None:
        return refused(str(blocked))
    if isinstance(error, zlib.error):
        return CallError(INVALID_RESPONSE, "the answer's compressed body is broken", status=status)
    if isinstance(error, aiohttp.ClientResponseError):
        return CallError(INVALID_RESPONSE, "the answer is not HTTP", status=status)
    if isinstance(error, aiohttp.InvalidURL):
        return refused("the URL is none that can be called")
    text = _NETWORK_TEXTS.get(type(error), "the connection failed")
    if status is not None:
        text = "the connection broke in the middle of the answer"
    return CallError(NETWORK, f"{text} ({type(error).__name__})", retryable=True)


_NETWORK_TEXTS: dict[type[BaseException], str] = {
    aiohttp.ClientConnectorDNSError: "the host's name cannot be resolved",
    aiohttp.ClientConnectorCertificateError: "the server's TLS certificate is not valid for it",
    aiohttp.ClientConnectorSSLError: "the TLS handshake failed",
    aiohttp.ClientConnectorError: "the connection was refused or could not be made",
    aiohttp.ServerDisconnectedError: "the connection was closed before an answer came",
    aiohttp.ClientOSError: "the connection was reset",
    aiohttp.ConnectionTimeoutError: f"no connection within {CONNECT_TIMEOUT:g} s",
}
