"""Transport of requests over HTTP/1.1.

One pool of connections per endpoint and origin, no cookies kept (they would travel from one customer to the
next), no proxies or credentials from the environment, redirects followed only where the request was meant to go,
every size and time bounded.
"""

# By aiohttp itself, and not by httpx with aiohttp underneath: that one decodes what we percent-encoded on
# purpose, sends the bodies of redirected requests in chunks, and calls a connection that broke a time-out.
# docs/explanation/http-client.md compares aiohttp with httpx2.

from __future__ import annotations

import asyncio
import re
import ssl
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import aiohttp
from yarl import URL

from sojourn.activities.errors import INVALID_RESPONSE, NETWORK, TIMED_OUT, CallError, refused
from sojourn.activities.http.body import BROKEN, BodyReader
from sojourn.activities.http.connect import CONNECT_TIMEOUT, GuardedResolver, tls_context
from sojourn.activities.http.connection_guard import AddressGuard, refusal
from sojourn.activities.http.urls import parse_url, redirected
from sojourn.activities.http.wire import REDIRECTS, HttpRequest, HttpResponse

MAX_REDIRECTS = 5

_KEEPALIVE = 30.0
_CHUNK = 16 * 1024
_DEFAULT_HEADERS = {"User-Agent": "sojourn", "Accept": "application/json", "Accept-Encoding": "gzip"}


class Transport:
    """Pools of connections, one per owner and origin.

    Args:
        guard: Which addresses may be reached.
        ca_file: PEM certificates of authorities that are believed besides the public ones.
        connections: Most connections of one pool, and most calls at once.

    Raises:
        OSError: `ca_file` cannot be read, or holds no certificate.
    """

    def __init__(
        self,
        guard: AddressGuard | None = None,
        *,
        ca_file: Path | None = None,
        connections: int = 100,
    ) -> None:
        self._guard = guard or AddressGuard()
        self._ca_file = ca_file
        self._connections = connections
        self._pools: dict[tuple[str, str], aiohttp.ClientSession] = {}
        if ca_file is not None:
            _ = self._tls  # a file that cannot be used is told at once

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
            response = await self._once(owner, request, url)
            location = response.headers.get("location")
            if response.status not in REDIRECTS or location is None:
                return response
            following = redirected(url, location, response.status)
            request, url = _redirected_request(request, response.status), following
        message = f"more than {MAX_REDIRECTS} redirects, the last with HTTP {response.status}"
        raise CallError(INVALID_RESPONSE, message, status=response.status)

    async def _once(self, owner: str, request: HttpRequest, url: URL) -> HttpResponse:
        """Send one request and read its answer; of a redirect, only the head.

        Raises:
            CallError: It failed.
        """
        headers = _with_defaults(request.headers)
        key = (owner, str(url.origin()))
        if key not in self._pools:
            self._pools[key] = self._new_pool(str(url.host), int(url.port or 0))
        return await _http1(self._pools[key], request, url, headers)

    def _new_pool(self, host: str, port: int) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            ssl=self._tls,
            limit=self._connections,
            keepalive_timeout=_KEEPALIVE,
            ttl_dns_cache=10,
            resolver=GuardedResolver(self._guard),
            socket_factory=self._guard.socket_factory(host, port),
        )
        return aiohttp.ClientSession(
            connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False, auto_decompress=False
        )

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return tls_context(self._ca_file)


async def _http1(
    pool: aiohttp.ClientSession, request: HttpRequest, url: URL, headers: list[tuple[str, str]]
) -> HttpResponse:
    """Send a request by aiohttp and read its answer.

    Raises:
        CallError: It failed.
    """
    status: int | None = None
    try:
        async with pool.request(
            request.method,
            url,
            headers=headers,
            data=request.body,
            allow_redirects=False,
            timeout=_TIMEOUT,
            skip_auto_headers=("Content-Type",),
        ) as response:
            status = response.status
            shown = {name.lower(): value for name, value in reversed(list(response.headers.items()))}
            if status in REDIRECTS:
                return HttpResponse(status, shown)
            reader = BodyReader(status, response.headers.get("Content-Encoding", ""))
            async for chunk in response.content.iter_chunked(_CHUNK):
                reader.feed(chunk)
            return HttpResponse(status, shown, reader.finish())
    except (aiohttp.ClientError, OSError) as error:
        failure = _as_call_error(error, status)
    raise failure


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


def _as_call_error(error: Exception, status: int | None) -> CallError:
    """Return what an exception of the HTTP library means. Its text may hold the URL, so it is not used."""
    blocked = refusal(error)
    if blocked is not None:
        return refused(str(blocked))
    if _wants_http2(error):
        return refused(HTTP2_ONLY)
    if isinstance(error, aiohttp.ClientResponseError):
        return CallError(INVALID_RESPONSE, "the answer is not HTTP", status=status)
    if isinstance(error, aiohttp.InvalidURL):
        return refused("the URL is none that can be called")
    text = _NETWORK_TEXTS.get(type(error), "the connection failed")
    if status is not None:
        text = BROKEN
    return CallError(NETWORK, f"{text} ({type(error).__name__})", retryable=True)


HTTP2_ONLY = (
    "the server speaks only HTTP/2; Sojourn calls over HTTP/1.1, which the server or a proxy must offer"
)


def _wants_http2(error: Exception) -> bool:
    """Return whether an error shows a server that speaks only HTTP/2: it refuses our ALPN, or sends its own frames."""
    if isinstance(error, aiohttp.ClientConnectorSSLError):
        return "no application protocol" in str(error.os_error).replace("_", " ").lower()
    # A connection of HTTP/2 begins with a SETTINGS frame on stream 0 (RFC 9113, section 3.4).
    return isinstance(error, aiohttp.ClientResponseError) and bool(_SETTINGS.search(str(error.message)))


_SETTINGS = re.compile(r"\\x00\\x00.{1,4}?\\x04\\x00\\x00\\x00\\x00\\x00")

_NETWORK_TEXTS: dict[type[BaseException], str] = {
    aiohttp.ClientConnectorDNSError: "the host's name cannot be resolved",
    aiohttp.ClientConnectorCertificateError: "the server's TLS certificate is not valid for it",
    aiohttp.ClientConnectorSSLError: "the TLS handshake failed",
    aiohttp.ClientConnectorError: "the connection was refused or could not be made",
    aiohttp.ServerDisconnectedError: "the connection was closed before an answer came",
    aiohttp.ClientOSError: "the connection was reset",
    aiohttp.ConnectionTimeoutError: f"no connection within {CONNECT_TIMEOUT:g} s",
}
