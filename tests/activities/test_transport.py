"""The transport against servers that misbehave, over real sockets."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sojourn.activities.errors import CallError
from sojourn.activities.http.body import MAX_BODY
from sojourn.activities.http.connection_guard import AddressGuard
from sojourn.activities.http.transport import Transport
from sojourn.activities.http.urls import ascii_url
from sojourn.activities.http.wire import HttpRequest, HttpResponse
from tests.activities.certificates import certificate, serving
from tests.activities.server import Reply, Server, answer, endless, late, raw, reset
from tests.conftest import free_port

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
MEBIBYTE = b"x" * MAX_BODY


@pytest.fixture
async def transport() -> AsyncIterator[Transport]:
    """A transport that may reach this machine."""
    made = Transport(AddressGuard(["127.0.0.1", "localhost"]))
    yield made
    await made.aclose()


async def get(transport: Transport, url: str, seconds: float = 5.0, method: str = "GET") -> HttpResponse:
    """Send a request without headers or body."""
    return await transport.send("source:test", HttpRequest(method, url), seconds)


def gzipped(data: bytes, times: int = 1) -> bytes:
    """Compress, several times over if asked."""
    for _ in range(times):
        data = gzip.compress(data)
    return data


HOSTILE: dict[str, tuple[Reply, str, bool]] = {
    # name: (what the server does, the code it gets, whether another attempt makes sense)
    "closes without a word": (raw(), "network", True),
    "resets without a word": (reset(), "network", True),
    "resets in the middle of the status line": (reset(b"HTTP/1.1 2"), "network", True),
    "closes in the middle of the headers": (raw(b"HTTP/1.1 200 OK\r\nContent-"), "network", True),
    "resets in the middle of the body": (reset(OK + b"Content-Length: 100\r\n\r\n{"), "network", True),
    "closes in the middle of the body": (raw(OK + b"Content-Length: 100\r\n\r\n{"), "network", True),
    "closes in the middle of a chunk": (
        raw(OK + b"Transfer-Encoding: chunked\r\n\r\n50\r\n{"),
        "network",
        True,
    ),
    "closes before the last chunk": (
        raw(OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"),
        "network",
        True,
    ),
    "sends a broken chunk size": (
        raw(OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n"),
        "invalid_response",
        False,
    ),
    "speaks another protocol": (raw(b"220 mail.example ESMTP\r\n\r\n"), "invalid_response", False),
    "sends a status that is none": (raw(b"HTTP/1.1 abc OK\r\n\r\n"), "invalid_response", False),
    "sends two lengths": (
        raw(OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}"),
        "invalid_response",
        False,
    ),
    "sends a length and chunks": (
        raw(OK + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        "invalid_response",
        False,
    ),
    "sends a header of 100 KiB": (
        raw(OK + b"X: " + b"y" * 100_000 + b"\r\nContent-Length: 2\r\n\r\n{}"),
        "invalid_response",
        False,
    ),
    "sends a body over the limit": (
        raw(OK + b"Content-Length: 1048577\r\n\r\n" + MEBIBYTE + b"x"),
        "invalid_response",
        False,
    ),
    "sends a body that never ends": (endless(OK + b"\r\n", b"x" * 65536), "invalid_response", False),
    "sends chunks that never end": (
        endless(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"10000\r\n" + b"x" * 65536 + b"\r\n"),
        "invalid_response",
        False,
    ),
    "sends a compressed bomb": (
        raw(OK + b"Content-Encoding: gzip\r\n\r\n" + gzipped(b"0" * 30_000_000)),
        "invalid_response",
        False,
    ),
    "sends a bomb in a bomb": (
        raw(OK + b"Content-Encoding: gzip, gzip\r\n\r\n" + gzipped(b"0" * 10_000_000, 2)),
        "invalid_response",
        False,
    ),
    "sends broken compression": (
        raw(OK + b"Content-Encoding: gzip\r\nContent-Length: 9\r\n\r\nnot gzip!"),
        "invalid_response",
        False,
    ),
    "sends half of a compressed body": (
        raw(OK + b"Content-Encoding: gzip\r\n\r\n" + gzipped(b'{"a": 1}' * 9000)[:40]),
        "network",
        True,
    ),
    "compresses as nobody asked": (
        raw(OK + b"Content-Encoding: br\r\nContent-Length: 2\r\n\r\n{}"),
        "invalid_response",
        False,
    ),
    "redirects in a circle": (answer(None, 302, {"Location": "/again"}), "invalid_response", False),
    "redirects to another host": (
        answer(None, 302, {"Location": "http://localhost:1/"}),
        "refused",
        False,
    ),
    "redirects to another port": (
        answer(None, 307, {"Location": "http://127.0.0.1:1/"}),
        "refused",
        False,
    ),
    "redirects to the metadata service": (
        answer(None, 302, {"Location": "http://169.254.169.254/latest/meta-data/"}),
        "refused",
        False,
    ),
    "redirects to another scheme": (answer(None, 302, {"Location": "ftp://127.0.0.1/"}), "refused", False),
    "redirects to a file": (answer(None, 302, {"Location": "file:///etc/passwd"}), "invalid_response", False),
    "redirects to nonsense": (answer(None, 302, {"Location": "http://[::"}), "invalid_response", False),
    "redirects by a backslash": (
        answer(None, 302, {"Location": "\\\\localhost:1\\x"}),
        "invalid_response",
        False,
    ),
    "redirects by a slash and a backslash": (
        answer(None, 302, {"Location": "/\\localhost:1/"}),
        "invalid_response",
        False,
    ),
    "redirects with a backslash in the host": (
        answer(None, 302, {"Location": "http://localhost:1\\@127.0.0.1/"}),
        "invalid_response",
        False,
    ),
    "redirects with our host as the user": (
        answer(None, 302, {"Location": "http://127.0.0.1@localhost:1/"}),
        "refused",
        False,
    ),
    "redirects to a decimal host": (
        answer(None, 302, {"Location": "http://2130706433:1/"}),
        "refused",
        False,
    ),
    "redirects to a script": (
        answer(None, 302, {"Location": "javascript:alert(1)"}),
        "invalid_response",
        False,
    ),
    "redirects with half a line break": (
        raw(b"HTTP/1.1 302 Found\r\nLocation: /x\rX: y\r\n\r\n"),
        "invalid_response",
        False,
    ),
    "redirects with a user": (answer(None, 302, {"Location": "//user@localhost/"}), "refused", False),
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_server_gets_a_code(transport: Transport, name: str) -> None:
    """Whatever a server does, the call ends soon, with a code, and with a message that holds no URL."""
    reply, code, retryable = HOSTILE[name]
    async with Server([reply]) as server:
        with pytest.raises(CallError) as caught:
            await get(transport, server.url("/path?key=hunter2"))
    assert (caught.value.code, caught.value.retryable) == (code, retryable), caught.value.message
    assert "hunter2" not in caught.value.message


@pytest.mark.parametrize(
    "reply",
    [
        late(60, answer({})),
        endless(b"HTTP/1.1 200 OK\r\n", b"X-Slow: y\r\n", 0.05),
        endless(OK + b"Content-Length: 1000\r\n\r\n", b" ", 0.05),
        endless(b"", b"", 0.05),
    ],
    ids=["nothing at all", "a header at a time", "a byte at a time", "an open connection"],
)
@pytest.mark.timeout(30)  # the servers above would go on for minutes
async def test_slowness_ends_with_the_time_allowed(transport: Transport, reply: Reply) -> None:
    """A server that keeps the connection busy without finishing is cut off when the time is over."""
    async with Server([reply]) as server:
        with pytest.raises(CallError) as caught:
            await get(transport, server.url(), 0.4)
    assert caught.value.code == "timed_out"


async def test_a_refused_connection_is_a_network_error(transport: Transport) -> None:
    """Nothing listens: the code is `network`, and another attempt makes sense."""
    with pytest.raises(CallError, match="refused") as caught:
        await get(transport, f"http://127.0.0.1:{free_port()}/")
    assert (caught.value.code, caught.value.retryable) == ("network", True)


async def test_an_unknown_name_is_a_network_error(transport: Transport) -> None:
    """A name that does not exist: the code is `network`, and another attempt makes sense."""
    with pytest.raises(CallError, match="name cannot be resolved") as caught:
        await get(transport, "http://nowhere.invalid/")
    assert (caught.value.code, caught.value.retryable) == ("network", True)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "[::1]", "0.0.0.0", "2130706433", "0x7f000001", "127.1", "[::ffff:127.0.0.1]"],
)
async def test_this_machine_is_not_reached_unless_allowed(host: str) -> None:
    """However it is written, an address inside is refused, and no connection is made."""
    async with Server([answer({})], host="127.0.0.1") as server:
        transport = Transport(AddressGuard())
        with pytest.raises(CallError) as caught:
            await get(transport, f"http://{host}:{server.port}/")
        await transport.aclose()
    assert server.connections == 0
    assert caught.value.code in {"refused", "network"}
    assert caught.value.code == "refused" or host[0] in "02", (
        "odd ways to write an address may not resolve at all"
    )


async def test_only_the_named_port_is_reached() -> None:
    """Allowing `host:port` opens that port and no other one."""
    async with Server([answer({"n": 1})]) as allowed, Server([answer({"n": 2})]) as other:
        transport = Transport(AddressGuard([f"127.0.0.1:{allowed.port}"]))
        assert (await get(transport, allowed.url())).body == b'{"n": 1}'
        with pytest.raises(CallError, match="not a public address"):
            await get(transport, other.url())
        await transport.aclose()
    assert (allowed.connections, other.connections) == (1, 0)


async def test_redirects_within_the_host_are_followed(transport: Transport) -> None:
    """A redirect to the same origin is followed; the method is kept where the status says so."""
    replies = [
        answer(None, 307, {"Location": "/next?x=1"}),
        answer(None, 303, {"Location": "last"}),
        answer({"ok": 1}),
    ]
    async with Server(replies) as server:
        request = HttpRequest("POST", server.url("/first"), (("Idempotency-Key", "k"),), b"body")
        response = await transport.send("action:test", request, 5)
    assert (response.status, response.body) == (200, b'{"ok": 1}')
    assert [(r.method, r.target, r.body) for r in server.requests] == [
        ("POST", "/first", b"body"),
        ("POST", "/next?x=1", b"body"),
        ("GET", "/last", b""),
    ]
    assert [r.header("Idempotency-Key") for r in server.requests] == ["k", "k", "k"]


async def test_a_body_of_exactly_the_limit_is_read(transport: Transport) -> None:
    """The limit itself is still allowed."""
    async with Server([answer(text=MEBIBYTE)]) as server:
        response = await get(transport, server.url())
    assert len(response.body) == MAX_BODY


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(b'{"a": 1}', mtime=0)),
        ("deflate", zlib.compress(b'{"a": 1}')),
        ("", b'{"a": 1}'),
    ],
    ids=["gzip", "deflate", "plain"],
)
async def test_compressed_answers_are_read(transport: Transport, encoding: str, body: bytes) -> None:
    """Answers compressed as asked for, and others, read the same."""
    async with Server(
        [answer(text=body, headers={"Content-Encoding": encoding} if encoding else {})]
    ) as server:
        assert (await get(transport, server.url())).body == b'{"a": 1}'


async def test_connections_are_used_again(transport: Transport) -> None:
    """Calls after each other share a connection, and none is opened for each."""
    async with Server([answer({})]) as server:
        for _ in range(5):
            await get(transport, server.url())
        assert (server.connections, len(server.requests)) == (1, 5)


async def test_owners_do_not_share_connections(transport: Transport) -> None:
    """Each endpoint has a pool of its own, so that a slow one does not take another one's connections."""
    async with Server([answer({})]) as server:
        await transport.send("source:a", HttpRequest("GET", server.url()), 5)
        await transport.send("source:b", HttpRequest("GET", server.url()), 5)
        assert server.connections == 2


async def test_connections_are_limited() -> None:
    """No more connections than allowed are open at once; further calls wait for one."""
    transport = Transport(AddressGuard(["127.0.0.1"]), connections=2)
    async with Server([late(0.05, answer({}))]) as server:
        await asyncio.gather(*(get(transport, server.url()) for _ in range(8)))
        assert (server.connections, len(server.requests)) == (2, 8)
        await transport.aclose()


async def test_cookies_are_not_kept(transport: Transport) -> None:
    """A cookie set for one customer's call is not sent with the next one's."""
    async with Server([answer({}, headers={"Set-Cookie": "session=1; Path=/"})]) as server:
        await get(transport, server.url(host="localhost"))
        await get(transport, server.url(host="localhost"))
    assert [request.header("Cookie") for request in server.requests] == [None, None]


async def test_the_environment_names_no_proxy(transport: Transport, monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables that send other programs through a proxy do not send calls there."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "")
    async with Server([answer({})]) as server:
        assert (await get(transport, server.url())).status == 200


async def test_a_call_that_is_given_up_leaves_no_connection(transport: Transport) -> None:
    """A connection cut off in the middle of an answer is not used for the next call."""
    async with Server(
        [endless(OK + b"Content-Length: 1000\r\n\r\n", b"1", 0.05), answer({"n": 2})]
    ) as server:
        with pytest.raises(CallError):
            await get(transport, server.url(), 1.0)
        assert (await get(transport, server.url())).body == b'{"n": 2}'
        assert server.connections == 2


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:99999/",
        "http://",
        "gopher://127.0.0.1/",
        "http://[::1",
        "http://ex ample/",
        "http://u@127.0.0.1/",
        "http://ü@127.0.0.1/",
        "nothing",
    ],
)
async def test_urls_that_cannot_be_called_are_refused(transport: Transport, url: str) -> None:
    """A URL that is none is refused, without a traceback."""
    with pytest.raises(CallError) as caught:
        await get(transport, url)
    assert (caught.value.code, caught.value.retryable) == ("refused", False)


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        (
            "https://bücher.example/k%3B/käse?q=ö&r=%2B",
            "https://xn--bcher-kva.example/k%3B/k%C3%A4se?q=%C3%B6&r=%2B",
        ),
        ("https://h.example:8443/a b", "https://h.example:8443/a%20b"),
        ("https://h.example/a%20b;c=d", "https://h.example/a%20b;c=d"),
        ("https://h.example/a\r\nX: y", "https://h.example/aX:%20y"),
    ],
)
def test_urls_are_sent_as_ascii(written: str, sent: str) -> None:
    """Hosts and paths in other scripts are encoded; what is encoded stays; no line break gets through."""
    assert ascii_url(written) == sent


async def test_a_private_authority_is_believed_if_named(tmp_path: Path) -> None:
    """With the authority's file the call works over TLS; without it, the certificate is refused."""
    pem = certificate(tmp_path, "good", "IP:127.0.0.1")
    async with Server([answer({"tls": True})], tls=serving(pem)) as server:
        knowing = Transport(AddressGuard(["127.0.0.1"]), ca_file=pem)
        assert (await get(knowing, server.url())).body == b'{"tls": true}'
        await knowing.aclose()
        usual = Transport(AddressGuard(["127.0.0.1"]))
        with pytest.raises(CallError, match="certificate") as caught:
            await get(usual, server.url())
        await usual.aclose()
    assert (caught.value.code, caught.value.retryable, len(server.requests)) == ("network", True, 1)


async def test_a_certificate_of_another_host_is_refused(tmp_path: Path) -> None:
    """A certificate that holds for another name is not accepted."""
    pem = certificate(tmp_path, "other", "DNS:other.example")
    async with Server([answer({})], tls=serving(pem)) as server:
        transport = Transport(AddressGuard(["127.0.0.1"]), ca_file=pem)
        with pytest.raises(CallError, match="certificate"):
            await get(transport, server.url())
        await transport.aclose()
    assert server.requests == []


async def test_a_server_without_tls_fails_the_handshake(transport: Transport) -> None:
    """An https URL at a server that speaks plain HTTP is a network error."""
    async with Server([], greeting=b"220 mail.example ESMTP\r\n") as server:
        with pytest.raises(CallError) as caught:
            await get(transport, f"https://127.0.0.1:{server.port}/")
    assert (caught.value.code, caught.value.retryable) == ("network", True)


async def test_https_is_not_left_by_a_redirect(tmp_path: Path) -> None:
    """A redirect from https to http would send credentials in the clear, and is refused."""
    pem = certificate(tmp_path, "good", "IP:127.0.0.1")
    redirect = answer(None, 302, {"Location": "http://127.0.0.1/"})
    async with Server([redirect], tls=serving(pem)) as server:
        transport = Transport(AddressGuard(["127.0.0.1"]), ca_file=pem)
        with pytest.raises(CallError, match="redirects"):
            await get(transport, server.url())
        await transport.aclose()


OVER_TLS = ["resets without a word", "resets in the middle of the body", "closes before the last chunk"]
OVER_TLS += ["sends a body that never ends", "speaks another protocol", "redirects to another host"]


@pytest.mark.parametrize("name", OVER_TLS)
async def test_a_hostile_server_gets_the_same_code_over_tls(tmp_path: Path, name: str) -> None:
    """Encryption changes nothing about what a misbehaving server gets."""
    reply, code, retryable = HOSTILE[name]
    pem = certificate(tmp_path, "good", "IP:127.0.0.1")
    async with Server([reply], tls=serving(pem)) as server:
        transport = Transport(AddressGuard(["127.0.0.1"]), ca_file=pem)
        with pytest.raises(CallError) as caught:
            await get(transport, server.url())
        await transport.aclose()
    assert (caught.value.code, caught.value.retryable) == (code, retryable), caught.value.message
