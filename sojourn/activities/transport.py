"""Sending requests: the only module that knows which HTTP library does it.

httpx with aiohttp underneath: plain httpx gets slower with concurrency. One pool of connections per endpoint
and origin, no cookies kept (they would travel from one customer to the next), no proxies or credentials from
the environment, redirects followed only where the request was meant to go, every size and time bounded.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import Any

import aiohttp
import certifi
import httpx
from httpx_aiohttp import AiohttpTransport

from sojourn.activities.addresses import AddressGuard, refusal
from sojourn.activities.errors import INVALID_RESPONSE, NETWORK, TIMED_OUT, CallError, refused

MAX_BODY = 1024 * 1024
"""Largest answer that is read, in bytes after decompression."""

MAX_REDIRECTS = 5
CONNECT_TIMEOUT = 5.0
"""Seconds for name resolution, connection and TLS handshake. Shorter than a usual window, so that an address
that does not answer leaves time for another attempt."""

_KEEPALIVE = 30.0
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True)
class HttpRequest:
    """A request, ready to be sent.

    Attributes:
        method: In capitals.
        url: Complete and percent-encoded.
        headers: Names and values in order; both checked.
        body: What is sent, or None.
    """

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None


@dataclass(frozen=True)
class HttpResponse:
    """An answer, read to its end.

    Attributes:
        status: The HTTP status.
        headers: Names in lower case; the first value of each.
        body: The body, decompressed.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


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
        context.load_verify_locations(cafile=ca_file)
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
        self._pools: dict[tuple[str, str], httpx.AsyncClient] = {}

    async def aclose(self) -> None:
        """Close every connection. The transport can be used again afterwards."""
        pools, self._pools = self._pools, {}
        for pool in pools.values():
            await pool.aclose()

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
        try:
            url = httpx.URL(request.url)
            todo = self._client(owner, url).build_request(
                request.method, url, headers=list(request.headers), content=request.body, timeout=_TIMEOUT
            )
        except (httpx.InvalidURL, ValueError):
            raise refused("the URL is none that can be called") from None
        for _ in range(MAX_REDIRECTS + 1):
            response, following = await self._once(self._client(owner, todo.url), todo)
            if following is None:
                return response
            _check_redirect(todo.url, following.url)
            todo = following
        raise CallError(
            INVALID_RESPONSE,
            f"more than {MAX_REDIRECTS} redirects, the last with {response.status}",
            status=response.status,
        )

    async def _once(
        self, client: httpx.AsyncClient, request: httpx.Request
    ) -> tuple[HttpResponse, httpx.Request | None]:
        """Send one request; return the answer, and the request to which it redirects, if it does."""
        response: httpx.Response | None = None
        try:
            response = await client.send(request, stream=True, follow_redirects=False)
            following = response.next_request if response.status_code in _REDIRECTS else None
            if following is not None:
                await following.aread()  # else the transport would send its body in chunks
            headers = {name.lower(): value for name, value in reversed(response.headers.multi_items())}
            body = b"" if following else await _read(response)
            return HttpResponse(response.status_code, headers, body), following
        except Exception as error:
            failure = _as_call_error(error, response)
        finally:
            if response is not None:
                await _close(response)
        raise failure

    def _client(self, owner: str, url: httpx.URL) -> httpx.AsyncClient:
        """Return the pool of an owner for the origin of a URL."""
        port = url.port or (443 if url.scheme == "https" else 80)
        key = (owner, f"{url.scheme}://{url.host}:{port}")
        if key not in self._pools:
            self._pools[key] = self._new_client(url.host, port)
        return self._pools[key]

    def _new_client(self, host: str, port: int) -> httpx.AsyncClient:
        if self._tls is None:
            self._tls = tls_context()
        connector = aiohttp.TCPConnector(
            ssl=self._tls,
            limit=self._connections,
            keepalive_timeout=_KEEPALIVE,
            ttl_dns_cache=10,
            socket_factory=self._guard.socket_factory(host, port),
        )
        session = aiohttp.ClientSession(
            connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False
        )
        nothing = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
        return httpx.AsyncClient(
            transport=AiohttpTransport(verify=self._tls, trust_env=False, client=session),
            cookies=nothing,
            trust_env=False,
            headers={"User-Agent": "sojourn", "Accept": "application/json", "Accept-Encoding": "gzip"},
        )


# The end of the window bounds everything else; see `Transport.send`.
_TIMEOUT = httpx.Timeout(None, connect=CONNECT_TIMEOUT)


def _check_redirect(here: httpx.URL, there: httpx.URL) -> None:
    """Refuse a redirect that would take the request, and its credentials, elsewhere.

    Raises:
        CallError: Another host or port, or from https to http.
    """
    same = (here.scheme, here.host, here.port) == (there.scheme, there.host, there.port)
    upgrade = (here.scheme, here.port, there.scheme, there.port) == ("http", None, "https", None)
    if not same and not (upgrade and here.host == there.host):
        raise refused(
            "the answer redirects to another host, port or scheme, where requests of this endpoint do not go"
        )


async def _read(response: httpx.Response) -> bytes:
    """Read a body up to the limit, decompressing it ourselves: a small body may unfold to gigabytes.

    Raises:
        CallError: Too large, cut off, or in an encoding that was not asked for.
    """
    status = response.status_code
    encoding = response.headers.get("content-encoding", "").strip().lower()
    inflater = None
    if encoding in {"gzip", "x-gzip", "deflate"}:
        inflater = zlib.decompressobj(zlib.MAX_WBITS | 32)
    elif encoding not in {"identity", ""}:
        message = "the answer is compressed in a way that was not asked for"
        raise CallError(INVALID_RESPONSE, message, status=status)
    parts: list[bytes] = []
    size = 0
    async for chunk in response.aiter_raw():
        part = inflater.decompress(chunk, MAX_BODY + 1) if inflater else chunk
        size += len(part)
        if size > MAX_BODY:
            message = f"the answer is larger than {MAX_BODY // 1024} KiB"
            raise CallError(INVALID_RESPONSE, message, status=status)
        parts.append(part)
    if inflater and size and not inflater.eof:
        raise CallError(NETWORK, "the connection broke in the middle of the answer", retryable=True)
    return b"".join(parts)


async def _close(response: httpx.Response) -> None:
    """Give a connection back, or up; what goes wrong with it now concerns nobody."""
    with contextlib.suppress(Exception):
        await response.aclose()


def _as_call_error(error: Exception, response: httpx.Response | None) -> CallError:
    """Return what an exception of the HTTP library means. Its text may hold the URL, so it is not used."""
    status = response.status_code if response is not None else None
    if isinstance(error, CallError):
        return error
    blocked = refusal(error)
    if blocked is not None:
        return refused(str(blocked))
    if isinstance(error, (zlib.error, httpx.DecodingError)):
        return CallError(INVALID_RESPONSE, "the answer's compressed body is broken", status=status)
    cause: BaseException = error.__cause__ or error
    if isinstance(error, aiohttp.ClientResponseError):
        return CallError(INVALID_RESPONSE, "the answer is not HTTP", status=status)
    if isinstance(error, httpx.RemoteProtocolError):
        return CallError(INVALID_RESPONSE, "the answer redirects to something that is no URL", status=status)
    if isinstance(error, (httpx.UnsupportedProtocol, httpx.InvalidURL)):
        return refused("the URL is none that can be called")
    text = _NETWORK_TEXTS.get(type(cause), "the connection failed")
    if response is not None:
        text = "the connection broke in the middle of the answer"
    return CallError(NETWORK, f"{text} ({type(cause).__name__})", retryable=True)


_NETWORK_TEXTS: dict[type[BaseException], str] = {
    aiohttp.ClientConnectorDNSError: "the host's name cannot be resolved",
    aiohttp.ClientConnectorCertificateError: "the server's TLS certificate is not valid for it",
    aiohttp.ClientConnectorSSLError: "the TLS handshake failed",
    aiohttp.ClientConnectorError: "the connection was refused or could not be made",
    aiohttp.ServerDisconnectedError: "the connection was closed before an answer came",
    aiohttp.ClientOSError: "the connection was reset",
    aiohttp.ConnectionTimeoutError: f"no connection within {CONNECT_TIMEOUT:g} s",
}


def json_bytes(value: Any) -> bytes:
    """Return a JSON body: compact UTF-8, without NaN.

    Raises:
        ValueError: The value holds what JSON cannot.
    """
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
