"""The transport against servers that speak HTTP/2, over real sockets and TLS."""

from __future__ import annotations

import asyncio
import gzip
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from h2.errors import ErrorCodes
from h2.settings import SettingCodes

from sojourn.activities import http2
from sojourn.activities.errors import CallError
from sojourn.activities.http.body import MAX_BODY
from sojourn.activities.http.connection_guard import AddressGuard
from sojourn.activities.http.transport import Transport
from sojourn.activities.http.wire import HttpRequest, HttpResponse
from tests.activities import server as http1
from tests.activities.certificates import certificate, serving
from tests.activities.http2_server import Http2Server, Reply, Stream, answer, late

Serve = Callable[..., Http2Server]


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for this machine."""
    return certificate(tmp_path_factory.mktemp("tls"), "good", "IP:127.0.0.1,DNS:localhost")


@pytest.fixture
def serve(pem: Path) -> Serve:
    """Make a server that chooses HTTP/2."""
    return lambda *replies, **more: Http2Server(serving(pem, "h2"), replies, **more)


@pytest.fixture
async def transport(pem: Path) -> AsyncIterator[Transport]:
    """A transport that may reach this machine."""
    made = Transport(AddressGuard(["127.0.0.1", "localhost"]), ca_file=pem)
    yield made
    await made.aclose()


async def get(transport: Transport, url: str, seconds: float = 10.0) -> HttpResponse:
    """Send a request without headers or body."""
    return await transport.send("source:test", HttpRequest("GET", url), seconds)


async def test_a_request_arrives_as_it_was_built(transport: Transport, serve: Serve) -> None:
    """Method, target, headers and body are those of the request, percent-encoding untouched."""
    async with serve(answer({"ok": 1}, headers={"X-Id": "7", "content-type": "application/json"})) as server:
        url = server.url("/a%2Fb/%7Ec;d?q=%20%27x&r=~")
        headers = (("Idempotency-Key", "k-1"), ("X-Name", "Ann"))
        response = await transport.send("action:a", HttpRequest("PATCH", url, headers, b'{"a":1}'), 10)
    assert (response.status, response.body, response.headers["x-id"]) == (200, b'{"ok": 1}', "7")
    [request] = server.requests
    assert (request.method, request.target, request.body) == (
        "PATCH",
        "/a%2Fb/%7Ec;d?q=%20%27x&r=~",
        b'{"a":1}',
    )
    sent = dict(request.headers)
    assert (sent["idempotency-key"], sent["x-name"], sent["content-length"]) == ("k-1", "Ann", "7")
    assert (sent["user-agent"], sent["accept-encoding"]) == ("sojourn", "gzip")
    assert "connection" not in sent


async def test_many_calls_share_one_connection(transport: Transport, serve: Serve) -> None:
    """Calls at the same time and calls after each other need no second connection."""
    async with serve(late(0.01, answer({}))) as server:
        await asyncio.gather(*(get(transport, server.url()) for _ in range(50)))
        await get(transport, server.url())
        assert (len(server.connections), len(server.requests)) == (1, 51)


async def test_owners_do_not_share_connections(transport: Transport, serve: Serve) -> None:
    """Each endpoint has connections of its own, as with HTTP/1.1."""
    async with serve(answer({})) as server:
        for owner in ("source:a", "source:b"):
            await transport.send(owner, HttpRequest("GET", server.url()), 10)
        assert len(server.connections) == 2


async def test_a_server_without_http2_gets_http1(transport: Transport, pem: Path) -> None:
    """A server that chooses HTTP/1.1, or nothing, is asked once, and served by HTTP/1.1 from then on."""
    for protocols in ((), ("http/1.1",)):
        async with http1.Server([http1.answer({"n": 1})], tls=serving(pem, *protocols)) as server:
            for _ in range(3):
                assert (await get(transport, server.url())).body == b'{"n": 1}'
            assert server.connections == 2  # one to ask, one for the calls
            assert len(server.requests) == 3


async def test_more_connections_where_a_server_takes_few_calls(transport: Transport, serve: Serve) -> None:
    """What a server allows at once for each connection is kept to, and further calls get another one."""
    running = [0, 0]

    async def count(stream: Stream) -> None:
        running[0] += 1
        running[1] = max(running[1], running[0])
        await asyncio.sleep(0.05)
        running[0] -= 1
        await answer({})(stream)

    async with serve(count, settings={SettingCodes.MAX_CONCURRENT_STREAMS: 3}) as server:
        await asyncio.gather(*(get(transport, server.url()) for _ in range(9)))
        assert 3 <= len(server.connections) <= 9
        assert len(server.requests) == 9


async def test_calls_at_once_are_limited(pem: Path, serve: Serve) -> None:
    """No more calls than an endpoint may have connections are in flight; further ones wait."""
    running, most = 0, 0

    async def count(stream: Stream) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.02)
        running -= 1
        await answer({})(stream)

    transport = Transport(AddressGuard(["127.0.0.1"]), ca_file=pem, connections=2)
    async with serve(count) as server:
        await asyncio.gather(*(get(transport, server.url()) for _ in range(8)))
        await transport.aclose()
    assert most == 2


async def test_a_server_that_takes_no_calls_is_a_network_error(transport: Transport, serve: Serve) -> None:
    """A connection that allows no stream is not waited on."""
    async with serve(answer({}), settings={SettingCodes.MAX_CONCURRENT_STREAMS: 0}) as server:
        with pytest.raises(CallError, match="did not take") as caught:
            await get(transport, server.url())
    assert (caught.value.code, caught.value.retryable) == ("network", True)


async def test_large_bodies_wait_for_room(transport: Transport, serve: Serve) -> None:
    """A body larger than any window goes out as the server makes room, and as large an answer comes in."""
    body = bytes(range(256)) * 2048
    async with serve(answer(text=b"x" * MAX_BODY)) as server:
        response = await transport.send("action:a", HttpRequest("POST", server.url(), (), body), 10)
    assert server.requests[0].body == body
    assert len(response.body) == MAX_BODY


async def hang(_: Stream) -> None:
    """Never answer."""
    await asyncio.sleep(60)


def head_then(action: Callable[[Stream], Any]) -> Reply:
    """Send a head and the beginning of a body, then something."""

    async def reply(stream: Stream) -> None:
        stream.head()
        await stream.data(b'{"a"')
        action(stream)
        await asyncio.sleep(60)

    return reply


def endless(head: dict[str, str], chunk: bytes) -> Reply:
    """Send the same chunk for ever."""

    async def reply(stream: Stream) -> None:
        stream.head(headers=head)
        while True:
            await stream.data(chunk)
            await asyncio.sleep(0)

    return reply


def only(action: Callable[[Stream], Any]) -> Reply:
    """Do something instead of answering."""

    async def reply(stream: Stream) -> None:
        action(stream)

    return reply


HOSTILE: dict[str, tuple[Reply, str, bool]] = {
    "aborts the connection": (only(lambda s: s.connection.transport.abort()), "network", True),
    "closes the connection": (only(lambda s: s.connection.transport.close()), "network", True),
    "resets the call": (only(lambda s: s.reset(ErrorCodes.INTERNAL_ERROR)), "network", True),
    "resets in the middle of the body": (head_then(lambda s: s.reset(ErrorCodes.CANCEL)), "network", True),
    "aborts in the middle of the body": (
        head_then(lambda s: s.connection.transport.abort()),
        "network",
        True,
    ),
    "writes what is no frame": (
        only(lambda s: s.connection.transport.write(b"HTTP/1.1 200 OK\r\n" * 900)),
        "network",
        True,
    ),
    "sends a frame too large": (only(lambda s: s.connection.transport.write(b"\xff" * 64)), "network", True),
    "sends no status": (answer({}, headers={"x": "y"}, status=""), "invalid_response", False),  # type: ignore[arg-type]
    "sends a status that is none": (answer({}, status="abc"), "invalid_response", False),  # type: ignore[arg-type]
    "sends a body over the limit": (answer(text=b"x" * (MAX_BODY + 1)), "invalid_response", False),
    "sends a body that never ends": (endless({}, b"x" * 16000), "invalid_response", False),
    "sends a compressed bomb": (
        answer(text=gzip.compress(b"0" * 30_000_000), headers={"content-encoding": "gzip"}),
        "invalid_response",
        False,
    ),
    "sends broken compression": (
        answer(text=b"not gzip!", headers={"content-encoding": "gzip"}),
        "invalid_response",
        False,
    ),
    "sends half of a compressed body": (
        answer(text=gzip.compress(b'{"a": 1}' * 9000)[:40], headers={"content-encoding": "gzip"}),
        "network",
        True,
    ),
    "compresses as nobody asked": (
        answer(text=b"{}", headers={"content-encoding": "br"}),
        "invalid_response",
        False,
    ),
    "says a length that is not so": (answer(text=b"{}", headers={"content-length": "5"}), "network", True),
    "sends headers without end": (answer(text=b"{}", headers={"x": "y" * 200_000}), "network", True),
    "breaks a header's line": (answer(text=b"{}", headers={"x": "a\r\nb: c"}), "network", True),
    "redirects in a circle": (answer(None, 302, {"location": "/again"}), "invalid_response", False),
    "redirects to another host": (answer(None, 302, {"location": "https://localhost:1/"}), "refused", False),
    "redirects to http": (answer(None, 302, {"location": "http://127.0.0.1/"}), "refused", False),
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_server_gets_a_code(transport: Transport, serve: Serve, name: str) -> None:
    """Whatever a server does, the call ends soon, with a code, and the next call is served."""
    reply, code, retryable = HOSTILE[name]
    several = [reply] * (7 if "circle" in name else 1)
    async with serve(*several, answer({"ok": 1})) as server:
        with pytest.raises(CallError) as caught:
            await get(transport, server.url("/path?key=hunter2"))
        assert (caught.value.code, caught.value.retryable) == (code, retryable), caught.value.message
        assert "hunter2" not in caught.value.message
        if "circle" not in name:
            assert (await get(transport, server.url())).body == b'{"ok": 1}'


async def test_redirects_within_the_host_are_followed(transport: Transport, serve: Serve) -> None:
    """A redirect to the same origin is followed on the same connection; its body is not read."""

    async def elsewhere(stream: Stream) -> None:
        stream.head(307, headers={"location": "/next"})
        await stream.data(b"x" * 100)

    async with serve(elsewhere, answer({"ok": 1})) as server:
        response = await transport.send(
            "action:a", HttpRequest("POST", server.url("/first"), (), b"body"), 10
        )
        assert (response.status, len(server.connections)) == (200, 1)
    assert [(r.method, r.target, r.body) for r in server.requests] == [
        ("POST", "/first", b"body"),
        ("POST", "/next", b"body"),
    ]


@pytest.mark.parametrize("reply", [hang, head_then(lambda _: None)], ids=["nothing", "half an answer"])
async def test_a_call_that_is_given_up_is_cancelled(transport: Transport, serve: Serve, reply: Reply) -> None:
    """The server is told, so that it need not go on, and nothing of the call stays on the connection."""
    streams: list[Stream] = []

    async def note(stream: Stream) -> None:
        streams.append(stream)
        await reply(stream)

    async with serve(answer({}), note, answer({"ok": 1})) as server:
        await get(transport, server.url())
        with pytest.raises(CallError) as caught:
            await get(transport, server.url(), 0.4)
        assert caught.value.code == "timed_out"
        await asyncio.wait_for(streams[0].cancelled.wait(), 10)
        assert (await get(transport, server.url())).body == b'{"ok": 1}'


async def test_a_connection_that_fell_silent_is_left(transport: Transport, serve: Serve) -> None:
    """If nothing at all came while a call waited, the connection may be dead: the next call gets another one."""
    async with serve(answer({}), hang, answer({"ok": 1})) as server:
        await get(transport, server.url())
        with pytest.raises(CallError):
            await get(transport, server.url(), 0.3)
        await get(transport, server.url())
        assert len(server.connections) == 2


async def test_calls_given_up_do_not_use_up_the_connection(transport: Transport, serve: Serve) -> None:
    """What still arrives for calls that are over is given back to the window that all calls share."""
    async with serve(*[answer(text=b"x" * (MAX_BODY + 300_000))] * 12, answer({"ok": 1})) as server:
        for _ in range(12):
            with pytest.raises(CallError, match="larger"):
                await get(transport, server.url())
        assert (await get(transport, server.url())).body == b'{"ok": 1}'
        assert len(server.connections) == 1


async def test_what_the_server_refused_is_sent_again(transport: Transport, serve: Serve) -> None:
    """REFUSED_STREAM means that nothing was done: the request goes out once more, within the attempt."""
    refuse = only(lambda stream: stream.reset(ErrorCodes.REFUSED_STREAM))
    async with serve(refuse, answer({"ok": 1})) as server:
        response = await transport.send("action:a", HttpRequest("POST", server.url(), (), b"x"), 10)
        assert response.body == b'{"ok": 1}'
        assert [request.body for request in server.requests] == [b"x", b"x"]
    async with serve(refuse) as server:
        with pytest.raises(CallError, match="did not take") as caught:
            await get(transport, server.url())
        assert (caught.value.code, caught.value.retryable, len(server.requests)) == ("network", True, 2)


async def test_a_server_that_leaves_finishes_what_it_began(transport: Transport, serve: Serve) -> None:
    """After GOAWAY, calls that the server has begun get their answers; later ones go to another connection."""
    begun = asyncio.Event()
    finish = asyncio.Event()

    async def first(stream: Stream) -> None:
        begun.set()
        await finish.wait()
        await answer({"n": 1})(stream)

    async def second(stream: Stream) -> None:
        stream.connection.go_away(stream.number - 2)
        finish.set()

    async with serve(first, second, answer({"n": 3})) as server:
        one = asyncio.create_task(get(transport, server.url("/1")))
        await begun.wait()
        two = asyncio.create_task(get(transport, server.url("/2")))
        assert (await one).body == b'{"n": 1}'
        assert (await two).body == b'{"n": 3}'
        assert [request.target for request in server.requests] == ["/1", "/2", "/2"]
        assert len(server.connections) == 2


async def test_calls_that_were_begun_are_not_sent_again_in_secret(transport: Transport, serve: Serve) -> None:
    """A connection that breaks leaves open what was done: that is an attempt of its own, for Temporal to make."""

    async def leave(stream: Stream) -> None:
        stream.connection.go_away(stream.number, ErrorCodes.INTERNAL_ERROR)
        stream.connection.transport.close()

    async with serve(leave, answer({})) as server:
        with pytest.raises(CallError) as caught:
            await get(transport, server.url())
        assert (caught.value.code, caught.value.retryable, len(server.requests)) == ("network", True, 1)


async def test_an_answer_may_come_before_the_body_is_sent(transport: Transport, serve: Serve) -> None:
    """A server that answers early, and reads no further, is heard; the rest of the body is not sent."""

    async def early(stream: Stream) -> None:
        stream.head(413, end=True)

    async with serve(early, at_once=True) as server:
        response = await transport.send("action:a", HttpRequest("POST", server.url(), (), b"x" * 900_000), 10)
        assert response.status == 413


async def test_a_server_that_says_nothing_is_no_connection(
    transport: Transport, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that chooses HTTP/2 and then is silent has not made a connection: that is a network error."""
    monkeypatch.setattr("sojourn.activities.http2_pool.CONNECT_TIMEOUT", 0.3)
    async with serve(answer({}), silent=True) as server:
        with pytest.raises(CallError, match="no connection") as caught:
            await get(transport, server.url())
    assert (caught.value.code, caught.value.retryable) == ("network", True)


async def test_connections_do_not_stay_open_for_ever(
    transport: Transport, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection without calls is closed after some time."""
    monkeypatch.setattr(http2, "KEEPALIVE", 0.05)
    async with serve(answer({})) as server:
        await get(transport, server.url())
        while not server.connections[0].transport.is_closing():
            await asyncio.sleep(0.01)
        await get(transport, server.url())
        assert len(server.connections) == 2


async def test_addresses_are_guarded(pem: Path, serve: Serve) -> None:
    """An address inside is refused before a connection is made, by number and by name."""
    transport = Transport(AddressGuard(), ca_file=pem)
    async with serve(answer({})) as server:
        for host in ("127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]"):
            with pytest.raises(CallError, match="not a public address") as caught:
                await get(transport, f"https://{host}:{server.port}/")
            assert caught.value.code == "refused"
        await transport.aclose()
        assert server.connections == []


async def test_a_certificate_of_another_host_is_refused(tmp_path: Path) -> None:
    """Certificates are checked as with HTTP/1.1."""
    other = certificate(tmp_path, "other", "DNS:other.example")
    transport = Transport(AddressGuard(["127.0.0.1"]), ca_file=other)
    async with Http2Server(serving(other, "h2"), [answer({})]) as server:
        with pytest.raises(CallError, match="certificate") as caught:
            await get(transport, server.url())
        await transport.aclose()
        assert (caught.value.code, server.requests) == ("network", [])


async def test_calls_in_flight_fail_when_the_transport_is_closed(transport: Transport, serve: Serve) -> None:
    """Closing breaks off what is in flight, with a code, and leaves nothing behind."""
    async with serve(hang) as server:
        call = asyncio.create_task(get(transport, server.url()))
        while not server.requests:
            await asyncio.sleep(0.01)
        await transport.aclose()
        with pytest.raises(CallError) as caught:
            await call
        assert caught.value.code == "network"


async def test_a_refused_connection_fails_all_that_wait_for_it(transport: Transport) -> None:
    """Calls that wait for the same connection all learn at once that there is none."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"https://127.0.0.1:{taken.getsockname()[1]}/"
        results = await asyncio.gather(*(get(transport, url) for _ in range(20)), return_exceptions=True)
    assert {getattr(result, "code", None) for result in results} == {"network"}
