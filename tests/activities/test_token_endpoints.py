"""Token endpoints that misbehave: down, hanging, redirecting, huge; lifetimes that are wrong, and clocks that jump."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from sojourn.activities import AddressGuard, CallError, Calls, Secrets, StaticEndpoints, Transport
from sojourn.activities.auth.authentication import Authenticator
from sojourn.activities.cache import ResultCache
from sojourn.definitions import EndpointDefinition
from tests.activities.server import Reply, Server, answer, endless, late, raw, reset
from tests.activities.test_authentication import REQUEST, auth, secrets
from tests.conftest import free_port

VALUES = {"PASSWORD": "hunter2secret"}
CLIENT = {"client_id": "me", "client_secret": {"secret": "PASSWORD"}}


def kinds(url: str) -> list[dict[str, Any]]:
    """Both kinds of authentication that fetch a token, at a URL."""
    return [
        {"type": "oauth2", "token_url": url, **CLIENT},
        {
            "type": "custom",
            "token_url": url,
            "form": {"pin": {"secret": "PASSWORD"}},
            "token": "access_token",
        },
    ]


def calls_to(server: Server, kind: dict[str, Any]) -> Calls:
    """Return what calls an action at a server, with tokens of a kind."""
    definition = {"kind": "action", "name": "act", "url": server.url("/x"), "auth": kind}
    return Calls(
        StaticEndpoints({"action:act": EndpointDefinition.load(definition)}),
        secrets=Secrets(VALUES, environment=VALUES),
        transport=Transport(AddressGuard(["127.0.0.1"])),
    )


async def failing(calls: Calls, window: float = 10) -> CallError:
    """Make a call that is to fail."""
    with pytest.raises(CallError) as caught:
        await calls.call("action", "act", {}, window=window)
    assert "hunter2" not in str(caught.value)
    return caught.value


MISBEHAVING: dict[str, tuple[Reply, str, bool]] = {
    "reset": (reset(), "network", True),
    "cut off": (raw(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"), "network", True),
    "overloaded": (answer({}, status=503), "http_503", True),
    "elsewhere": (
        answer({}, status=307, headers={"Location": "https://evil.example.com/"}),
        "refused",
        False,
    ),
    "huge": (endless(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 65_536), "invalid_response", False),
}


@pytest.mark.parametrize("number", [0, 1], ids=["oauth2", "custom"])
@pytest.mark.parametrize("name", MISBEHAVING)
async def test_a_token_endpoint_that_misbehaves_is_the_calls_error(name: str, number: int) -> None:
    """The endpoint itself is not called, and the next call may have more luck."""
    reply, code, retryable = MISBEHAVING[name]
    good = answer({"access_token": "tok-1"})
    async with (
        Server([answer({"ok": 1})]) as server,
        Server([reply, good]) as tokens,
        calls_to(server, kinds(tokens.url("/token"))[number]) as calls,
    ):
        error = await failing(calls)
        assert (error.code, error.retryable, error.body) == (code, retryable, None)
        assert server.requests == []
        assert (await calls.call("action", "act", {}, window=10))["status"] == 200
    assert server.requests[0].header("Authorization") == "Bearer tok-1"


@pytest.mark.parametrize("number", [0, 1], ids=["oauth2", "custom"])
async def test_a_token_endpoint_that_is_down(number: int) -> None:
    """Nobody listens: `network`, so that another attempt is made."""
    url = f"http://127.0.0.1:{free_port()}/token"
    async with Server([answer({"ok": 1})]) as server, calls_to(server, kinds(url)[number]) as calls:
        error = await failing(calls)
    assert (error.code, error.retryable, server.requests) == ("network", True, [])


@pytest.mark.parametrize("number", [0, 1], ids=["oauth2", "custom"])
async def test_a_token_endpoint_that_hangs_is_waited_for_no_longer_than_the_window(number: int) -> None:
    """By each call for itself; they ask once, and who comes later with more time gets the token."""
    async with (
        Server([answer({"ok": 1})]) as server,
        Server([late(2.0, answer({"access_token": "tok-1"}))]) as tokens,
        calls_to(server, kinds(tokens.url("/token"))[number]) as calls,
    ):
        errors = await asyncio.gather(*(failing(calls, 0.2) for _ in range(5)))
        assert {error.code for error in errors} == {"timed_out"}
        assert (await calls.call("action", "act", {}, window=20))["status"] == 200
        assert len(tokens.requests) == 1
    assert len(server.requests) == 1


NOW = 1_795_000_000.25
"""What the clock says: the same in every process, since the names of tests are made of it."""
LIFETIMES: list[tuple[Any, float]] = [
    (100, 90),
    ("100", 90),
    (" 100.5 ", 90.45),
    (0, 0),
    (-5, 0),
    (10**300, 365 * 86_400 - 60),
    (int(NOW) + 100, 90),
    ((int(NOW) + 100) * 1000, 90),
    (datetime.fromtimestamp(NOW + 100, UTC).isoformat(), 90),
    (int(NOW) - 100, 0),
    (datetime.fromtimestamp(NOW - 100, UTC).isoformat(), 0),
]


@pytest.mark.parametrize(("stated", "good_for"), LIFETIMES, ids=[str(stated)[:24] for stated, _ in LIFETIMES])
async def test_lifetimes_as_servers_write_them(
    stated: Any, good_for: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seconds, or the moment at which the token ends, in seconds or milliseconds since 1970 or as text."""
    monkeypatch.setattr("sojourn.activities.auth.lifetimes.time", SimpleNamespace(time=lambda: NOW))
    clock = [0.0]
    transport = Transport(AddressGuard(["127.0.0.1"]))
    authenticator = Authenticator(transport, ResultCache(lambda: clock[0]))
    replies = [answer({"t": f"tok-{number}", "end": stated}) for number in (1, 2)]
    async with Server(replies) as server:
        kind = auth(type="custom", token_url=server.url("/"), form={}, token="t", expires="end", cache=1000)
        found = []
        for moment in (0.0, good_for - 2, good_for + 2):
            clock[0] = max(0.0, moment)
            found.append((await authenticator.authenticate("source:crm", kind, REQUEST, secrets()))[1])
    await transport.aclose()
    assert found == (["tok-1", "tok-1", "tok-2"] if good_for else ["tok-1", "tok-2", "tok-2"])


@pytest.mark.parametrize(
    "stated",
    ["soon", "", True, [5], {"s": 5}, "NaN", "Infinity", "2026-13-40T00:00:00Z", "2026-11-24T00:00:00"],
)
async def test_lifetimes_that_say_nothing_are_the_calls_error(stated: Any) -> None:
    """Nothing is guessed: the message says what is wrong, and not what the server wrote."""
    transport = Transport(AddressGuard(["127.0.0.1"]))
    authenticator = Authenticator(transport)
    try:
        async with Server([answer({"t": "tok-1", "end": stated})]) as server:
            kind = auth(
                type="custom", token_url=server.url("/"), form={}, token="t", expires="end", cache=1000
            )
            with pytest.raises(CallError, match="the lifetime of the token is neither") as caught:
                await authenticator.authenticate("source:crm", kind, REQUEST, secrets())
    finally:
        await authenticator.aclose()
        await transport.aclose()
    assert caught.value.code == "invalid_response"


async def test_a_clock_that_jumps_leaves_tokens_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lives are counted by a clock that nobody sets: a day forwards or back renews no token and keeps none longer."""
    async with (
        Server([answer({"ok": 1})]) as server,
        Server([answer({"access_token": "tok-1", "expires_in": 3600})]) as tokens,
        calls_to(server, kinds(tokens.url("/token"))[0]) as calls,
    ):
        await calls.call("action", "act", {}, window=10)
        for jump in (timedelta(days=1), timedelta(days=-1)):
            moved = time.time() + jump.total_seconds()
            with monkeypatch.context() as patch:
                patch.setattr(time, "time", lambda moved=moved: moved)
                await calls.call("action", "act", {}, window=10)
        assert len(tokens.requests) == 1
    assert len(server.requests) == 3
