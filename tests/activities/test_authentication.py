"""Authentication against servers that really ask for it."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs

import pytest
from pydantic import TypeAdapter

from sojourn.activities.auth.authentication import Authenticator, preview
from sojourn.activities.auth.secrets import CallSecrets, MaskedSecrets, Secrets
from sojourn.activities.cache import ResultCache
from sojourn.activities.errors import CallError
from sojourn.activities.http.connection_guard import AddressGuard
from sojourn.activities.http.transport import Transport
from sojourn.activities.http.wire import HttpRequest
from sojourn.definitions.durations import STORED
from sojourn.definitions.kinds.endpoint import Auth
from tests.activities.server import Server, answer, late

VALUES = {"USER": "shopkeeper", "PASSWORD": "pass:wörd", "KEY": "k&y+1 /=", "TOKEN": "hunter2token"}
REQUEST = HttpRequest("GET", "https://crm.example/x?a=1", (("Accept", "application/json"),))


def auth(**fields: Any) -> Any:
    """An `auth` as definitions have it."""
    return TypeAdapter(Auth).validate_python(fields, context=STORED)


def secrets(values: dict[str, str] | None = None) -> CallSecrets:
    """The secrets of one call."""
    values = VALUES if values is None else values
    return CallSecrets(Secrets(values, environment=values))


@pytest.fixture
async def authenticator() -> AsyncIterator[Authenticator]:
    """An authenticator that may reach this machine."""
    transport = Transport(AddressGuard(["127.0.0.1"]))
    made = Authenticator(transport)
    yield made
    await made.aclose()
    await transport.aclose()


BASIC = auth(type="basic", username={"secret": "USER"}, password={"secret": "PASSWORD"})
FIXED = [
    (auth(type="none"), REQUEST.url, None),
    (
        BASIC,
        REQUEST.url,
        ("Authorization", "Basic " + base64.b64encode("shopkeeper:pass:wörd".encode()).decode()),
    ),
    (auth(type="bearer", token={"secret": "TOKEN"}), REQUEST.url, ("Authorization", "Bearer hunter2token")),
    (
        auth(type="api_key", header="X-Api-Key", value={"secret": "KEY"}),
        REQUEST.url,
        ("X-Api-Key", "k&y+1 /="),
    ),
    (
        auth(type="api_key", query="appid", value={"secret": "KEY"}),
        REQUEST.url + "&appid=k%26y%2B1%20%2F%3D",
        None,
    ),
]


@pytest.mark.parametrize(("kind", "url", "header"), FIXED, ids=lambda value: getattr(value, "type", ""))
async def test_fixed_credentials(
    authenticator: Authenticator, kind: Any, url: str, header: tuple[str, str] | None
) -> None:
    """Each kind of fixed credentials is where it belongs, and is masked in whatever the call reports."""
    used = secrets()
    request, token = await authenticator.authenticate("source:crm", kind, REQUEST, used)
    assert token is None
    assert request.url == url
    assert request.headers == REQUEST.headers + ((header,) if header else ())
    shown = used.mask.text(f"{request.url} {request.headers}")
    assert not any(value in shown for value in (*VALUES.values(), "k%26y", "hunter2"))


async def test_credentials_replace_a_header_of_the_definition(authenticator: Authenticator) -> None:
    """A header that the definition sets by the same name is not sent beside the credentials."""
    request = HttpRequest("GET", REQUEST.url, (("authorization", "mine"),))
    kind = auth(type="bearer", token={"secret": "TOKEN"})
    ready, _ = await authenticator.authenticate("source:crm", kind, request, secrets())
    assert ready.headers == (("Authorization", "Bearer hunter2token"),)


@pytest.mark.parametrize("kind", [kind for kind, _, _ in FIXED[1:]], ids=lambda kind: kind.type)
def test_a_preview_shows_no_credentials(kind: Any) -> None:
    """A request that is only shown has `***` for each secret."""
    shown = preview(kind, REQUEST, MaskedSecrets())
    assert "***" in shown.url + str(shown.headers) or "%2A%2A%2A" in shown.url


async def test_a_missing_secret_refuses_the_call(authenticator: Authenticator) -> None:
    """The error names the secret, is not retried, and is one for an operator."""
    kind = auth(type="bearer", token={"secret": "TOKEN"})
    with pytest.raises(CallError, match="TOKEN") as caught:
        await authenticator.authenticate("source:crm", kind, REQUEST, secrets({}))
    assert (caught.value.code, caught.value.retryable, caught.value.expected) == ("refused", False, False)


def oauth2(server: Server, **more: Any) -> Any:
    """OAuth 2 client credentials at a server."""
    client = {"client_id": "me", "client_secret": {"secret": "PASSWORD"}}
    return auth(type="oauth2", token_url=server.url("/token"), **client, **more)


async def test_oauth2_client_credentials(authenticator: Authenticator) -> None:
    """The token is asked for as RFC 6749 says, sent as bearer, and fetched once for many callers."""
    async with Server([late(0.05, answer({"access_token": "abc123", "expires_in": 3600}))]) as server:
        kind = oauth2(server, scope="read write", audience="crm")
        used = secrets()
        results = await asyncio.gather(
            *(authenticator.authenticate("source:crm", kind, REQUEST, used) for _ in range(20))
        )
    assert {request.headers[-1] for request, _ in results} == {("Authorization", "Bearer abc123")}
    [request] = server.requests
    assert (request.method, request.target) == ("POST", "/token")
    expected = {"grant_type": ["client_credentials"], "scope": ["read write"], "audience": ["crm"]}
    assert parse_qs(request.body.decode()) == expected
    assert request.header("Content-Type") == "application/x-www-form-urlencoded"
    basic = base64.b64decode(str(request.header("Authorization")).removeprefix("Basic ")).decode()
    assert basic == "me:pass%3Aw%C3%B6rd"
    assert used.mask.text("abc123") == "***"


async def test_oauth2_credentials_in_the_body(authenticator: Authenticator) -> None:
    """Servers that want the client's secret in the form get it there, and nowhere else."""
    async with Server([answer({"access_token": "abc123"})]) as server:
        await authenticator.authenticate("source:crm", oauth2(server, credentials="body"), REQUEST, secrets())
    [request] = server.requests
    assert request.header("Authorization") is None
    fields = parse_qs(request.body.decode())
    assert (fields["client_id"], fields["client_secret"]) == (["me"], ["pass:wörd"])


async def test_oauth2_takes_more_parameters(authenticator: Authenticator) -> None:
    """What a token endpoint asks for besides goes into the form, from the definition or from a secret."""
    more = {"resource": "https://crm.example/", "otp": {"secret": "TOKEN"}}
    async with Server([answer({"access_token": "abc123", "token_type": "bearer"})]) as server:
        await authenticator.authenticate("source:crm", oauth2(server, parameters=more), REQUEST, secrets())
    fields = parse_qs(server.requests[0].body.decode())
    expected = {"grant_type": ["client_credentials"], "resource": ["https://crm.example/"]}
    assert fields == {**expected, "otp": ["hunter2token"]}


ERRORS = [
    (
        {"error": "invalid_client", "error_description": "hunter2"},
        401,
        "invalid_client: the client's id or secret",
    ),
    ({"error": "invalid_scope"}, 400, "invalid_scope: `scope`"),
    ({"error": "unauthorized_client"}, 400, "unauthorized_client: the client may not"),
    ({"error": "unsupported_grant_type"}, 400, "unsupported_grant_type$"),
    ({"error": "invalid_request"}, 400, "HTTP 400, invalid_request$"),
    ({"error": "the word hunter2"}, 400, "HTTP 400$"),
    ({"error": {"hunter2": 1}}, 403, "HTTP 403$"),
    ("hunter2", 401, "HTTP 401$"),
    ({"error": "invalid_client", "access_token": "hunter2"}, 200, "no token, invalid_client"),
    ({"error": "hunter2"}, 200, "no token$"),
]


@pytest.mark.parametrize(("body", "status", "says"), ERRORS)
async def test_oauth2_errors_are_told_by_their_code(
    authenticator: Authenticator, body: Any, status: int, says: str
) -> None:
    """The standard's error codes are told with what they mean; what else a server writes stays there."""
    async with Server([answer(body, status)]) as server:
        with pytest.raises(CallError, match=says) as caught:
            await authenticator.authenticate("source:crm", oauth2(server), REQUEST, secrets())
    assert "hunter2" not in caught.value.message
    assert caught.value.code == (f"http_{status}" if status != 200 else "invalid_response")


@pytest.mark.parametrize(
    ("answered", "still_good", "over"),
    [
        ({"expires_in": 3600}, 3539, 3541),
        ({"expires_in": "100"}, 89, 91),
        ({}, 269, 271),
        ({"expires_in": None}, 269, 271),
        ({"expires_in": 100.9}, 89, 91),
        ({"expires_in": 0}, 0, 0),
        ({"expires_in": -5}, 0, 0),
        ({"expires_in": 10**300}, 365 * 86_400 - 61, 365 * 86_400 - 59),
        ({"expires_in": 3600, "scope": "less", "token_type": "BEARER", "refresh_token": "x"}, 3539, 3541),
    ],
)
async def test_tokens_are_renewed_before_they_expire(
    answered: dict[str, Any], still_good: float, over: float
) -> None:
    """A token is fetched again a tenth of its life before its end, at most a minute."""
    now = [0.0]
    transport = Transport(AddressGuard(["127.0.0.1"]))
    authenticator = Authenticator(transport, ResultCache(lambda: now[0]))
    replies = [
        answer({"access_token": "first-token", **answered}),
        answer({"access_token": "second-token", **answered}),
    ]
    tokens = []
    async with Server(replies) as server:
        for moment in (0.0, still_good, over):
            now[0] = moment
            _, token = await authenticator.authenticate("source:crm", oauth2(server), REQUEST, secrets())
            tokens.append(token)
    await transport.aclose()
    middle = "first-token" if still_good else "second-token"
    assert tokens == ["first-token", middle, "second-token"]


async def test_a_refused_token_is_replaced_once(authenticator: Authenticator) -> None:
    """Many callers whose token was refused fetch one new token together."""
    replies = [answer({"access_token": "old-token"}), late(0.02, answer({"access_token": "new-token"}))]
    async with Server(replies) as server:
        kind = oauth2(server)
        await authenticator.authenticate("source:crm", kind, REQUEST, secrets())
        results = await asyncio.gather(
            *(
                authenticator.authenticate("source:crm", kind, REQUEST, secrets(), refuse="old-token")
                for _ in range(10)
            )
        )
    assert {token for _, token in results} == {"new-token"}
    assert len(server.requests) == 2


async def test_a_rotated_secret_gets_a_token_of_its_own(authenticator: Authenticator) -> None:
    """A token that was got with the old secret is not used with the new one."""
    async with Server(
        [answer({"access_token": "one-token"}), answer({"access_token": "two-token"})]
    ) as server:
        kind = oauth2(server)
        _, first = await authenticator.authenticate(
            "source:crm", kind, REQUEST, secrets({"PASSWORD": "aaaa"})
        )
        _, second = await authenticator.authenticate(
            "source:crm", kind, REQUEST, secrets({"PASSWORD": "bbbb"})
        )
    assert (first, second) == ("one-token", "two-token")


async def test_endpoints_do_not_share_tokens(authenticator: Authenticator) -> None:
    """Each endpoint has a token of its own, so that one that is revoked stops one endpoint."""
    async with Server(
        [answer({"access_token": "one-token"}), answer({"access_token": "two-token"})]
    ) as server:
        kind = oauth2(server)
        _, first = await authenticator.authenticate("source:a", kind, REQUEST, secrets())
        _, second = await authenticator.authenticate("source:b", kind, REQUEST, secrets())
    assert (first, second) == ("one-token", "two-token")


@pytest.mark.parametrize(
    ("reply", "code", "retryable"),
    [
        (answer({"error": "invalid_client", "secret": "pass:wörd"}, 401), "http_401", False),
        (answer({"error": "invalid_request"}, 400), "http_400", False),
        (answer({}, 503, {"Retry-After": "1"}), "http_503", True),
        (answer({"token": "x"}), "invalid_response", False),
        (answer({"access_token": ""}), "invalid_response", False),
        (answer({"access_token": 5}), "invalid_response", False),
        (answer({"access_token": "a\r\nX: y"}), "invalid_response", False),
        (answer({"access_token": "abc1", "expires_in": "soon"}), "invalid_response", False),
        (answer(text=b"<html>"), "invalid_response", False),
        (answer(["access_token"]), "invalid_response", False),
        (answer(text=b"access_token=abc1&token_type=bearer"), "invalid_response", False),
        (answer({"access_token": "abc1", "token_type": "mac"}), "invalid_response", False),
        (answer(text=b'{"access_token": "abc1", "expires_in": NaN}'), "invalid_response", False),
        (answer({"access_token": "abc1", "expires_in": [5]}), "invalid_response", False),
        (answer(text=b'{"access_token": "abc1", "expires_in": 1e999}'), "invalid_response", False),
        (answer(text=b"[" * 100_000), "invalid_response", False),
    ],
)
async def test_token_endpoints_that_fail(
    authenticator: Authenticator, reply: Any, code: str, retryable: bool
) -> None:
    """A token that cannot be had is the call's error, and never tells what the token endpoint said."""
    async with Server([reply]) as server:
        with pytest.raises(CallError, match="token") as caught:
            await authenticator.authenticate("source:crm", oauth2(server), REQUEST, secrets())
    assert (caught.value.code, caught.value.retryable, caught.value.body) == (code, retryable, None)


async def test_token_endpoints_are_guarded_like_others() -> None:
    """A token endpoint at an address inside is refused, unless it is allowed by name."""
    transport = Transport(AddressGuard())
    async with Server([answer({"access_token": "abc1"})]) as server:
        with pytest.raises(CallError, match="not a public address"):
            await Authenticator(transport).authenticate("source:crm", oauth2(server), REQUEST, secrets())
    await transport.aclose()
    assert server.connections == 0


CUSTOM = [
    (
        {"form": {"user": "me", "pass": {"secret": "TOKEN"}}, "token": "data.token"},
        answer({"data": {"token": "tok-1"}}),
        b"user=me&pass=hunter2token",
        ("Authorization", "Bearer tok-1"),
    ),
    (
        {
            "body": {"user": "me", "pass": {"secret": "TOKEN"}},
            "token": "id_token",
            "send": {"header": "X-Session"},
        },
        answer({"id_token": "tok-2"}),
        b'{"user":"me","pass":"hunter2token"}',
        ("X-Session", "tok-2"),
    ),
    (
        {"method": "GET", "headers": {"X-Key": {"secret": "TOKEN"}}, "send": {"query": "token"}},
        answer(text=b" tok 3\n", headers={"Content-Type": "text/plain"}),
        b"",
        None,
    ),
]


@pytest.mark.parametrize(("fields", "reply", "body", "header"), CUSTOM)
async def test_custom_two_step_tokens(
    authenticator: Authenticator,
    fields: dict[str, Any],
    reply: Any,
    body: bytes,
    header: tuple[str, str] | None,
) -> None:
    """A token is got by form, JSON or GET, found where the definition says, and sent as it says."""
    async with Server([reply]) as server:
        kind = auth(type="custom", token_url=server.url("/login"), **fields)
        request, _ = await authenticator.authenticate("source:crm", kind, REQUEST, secrets())
    [sent] = server.requests
    assert (sent.method, sent.body) == (fields.get("method", "POST"), body)
    if header is None:
        assert sent.header("X-Key") == "hunter2token"
        assert request.url == REQUEST.url + "&token=tok%203"
    else:
        assert request.headers[-1] == header


async def test_custom_tokens_are_kept_as_long_as_the_answer_says() -> None:
    """`expires` names where the answer has the lifetime; without it, `cache` holds."""
    now = [0.0]
    transport = Transport(AddressGuard(["127.0.0.1"]))
    authenticator = Authenticator(transport, ResultCache(lambda: now[0]))
    async with Server(
        [answer({"t": "tok-1", "life": {"s": 50}}), answer({"t": "tok-2", "life": {"s": 50}})]
    ) as server:
        kind = auth(
            type="custom", token_url=server.url("/"), form={}, token="t", expires="life.s", cache=1000
        )
        found = []
        for moment in (0, 44, 46):
            now[0] = moment
            found.append((await authenticator.authenticate("source:crm", kind, REQUEST, secrets()))[1])
    await transport.aclose()
    assert found == ["tok-1", "tok-1", "tok-2"]
