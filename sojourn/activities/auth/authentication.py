"""Proving to an endpoint who is calling: credentials that are fixed, and tokens that are fetched and kept."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from urllib.parse import urlencode

from sojourn.activities.auth import oauth2
from sojourn.activities.auth.lifetimes import lifetime
from sojourn.activities.auth.secrets import MASK, CallSecrets, SecretStore
from sojourn.activities.cache import ResultCache
from sojourn.activities.errors import INVALID_RESPONSE, CallError, refused
from sojourn.activities.http.request import add_query, checked_headers
from sojourn.activities.http.response import parse_json
from sojourn.activities.http.transport import Transport
from sojourn.activities.http.wire import HttpRequest, HttpResponse, json_bytes
from sojourn.definitions.kinds.endpoint import (
    ApiKeyAuth,
    Auth,
    BasicAuth,
    BearerAuth,
    CustomAuth,
    NoAuth,
    OAuth2Auth,
    SecretRef,
)

TOKEN_TIMEOUT = 30.0
"""Seconds that a token request may take. Each call that waits for it is bounded by its own window as well."""


@dataclass(frozen=True)
class TokenRequest:
    """How a token is got, and where it is found in the answer.

    Attributes:
        key: Identifies endpoint, request and credentials: a rotated secret does not get the old one's token.
        request: The request.
        read: Finds the token in the answer, and the seconds for which it holds.
    """

    key: str
    request: HttpRequest
    read: Callable[[HttpResponse], tuple[Any, float]]


class Authenticator:
    """Adds credentials to requests, and keeps tokens: one for an endpoint and process.

    Args:
        transport: Sends token requests.
        cache: Keeps tokens.
    """

    def __init__(self, transport: Transport, cache: ResultCache | None = None) -> None:
        self._transport = transport
        self._tokens = cache or ResultCache()

    async def authenticate(
        self, owner: str, auth: Auth, request: HttpRequest, secrets: CallSecrets, *, refuse: str | None = None
    ) -> tuple[HttpRequest, str | None]:
        """Return the request with credentials.

        Args:
            owner: The endpoint, `source:<name>` or `action:<name>`.
            auth: What the endpoint asks for.
            request: The request.
            secrets: The secrets of this call; a token becomes one of them.
            refuse: A token that the endpoint has just refused, so that another one is fetched.

        Returns:
            The request, and the token that it carries, where it is a fetched one.

        Raises:
            CallError: A secret is missing, or no token could be had.
        """
        if not isinstance(auth, (OAuth2Auth, CustomAuth)):
            return _fixed(auth, request, secrets), None
        wanted = _token_request(owner, auth, secrets)
        if refuse is not None:
            self._tokens.forget(wanted.key, refuse)
        token = await self._tokens.get(wanted.key, lambda: self._fetch(owner, wanted))
        secrets.mask.add(token)
        return _with_token(auth, request, token), token

    async def aclose(self) -> None:
        """Forget every token."""
        await self._tokens.aclose()

    async def _fetch(self, owner: str, wanted: TokenRequest) -> tuple[str, float]:
        """Fetch a token; return it and the seconds for which it is kept."""
        response = await self._transport.send(f"{owner} token", wanted.request, TOKEN_TIMEOUT)
        token, seconds = wanted.read(response)
        if not isinstance(token, str) or not token or not token.isascii() or not token.isprintable():
            raise _no_token("there is no usable token in the answer of the token endpoint", response)
        # Renewed a little before its end, for the calls that are on their way then.
        return token, seconds - min(60.0, seconds / 10)


def preview(auth: Auth, request: HttpRequest, secrets: SecretStore) -> HttpRequest:
    """Return the request as `Authenticator` would send it, with `***` for a token that would be fetched."""
    if isinstance(auth, (OAuth2Auth, CustomAuth)):
        return _with_token(auth, request, MASK)
    return _fixed(auth, request, CallSecrets(secrets))


def _fixed(auth: Auth, request: HttpRequest, secrets: CallSecrets) -> HttpRequest:
    """Add credentials that need no fetching."""
    match auth:
        case NoAuth():
            return request
        case BasicAuth():
            user, password = _text(auth.username, secrets), secrets.get(auth.password.secret)
            if ":" in user:
                raise refused("a user name of basic authentication cannot hold a colon", expected=False)
            if MASK in {user, password}:
                return _with_header(request, "Authorization", f"Basic {MASK}")
            encoded = secrets.mask.add(base64.b64encode(f"{user}:{password}".encode()).decode())
            return _with_header(request, "Authorization", f"Basic {encoded}")
        case BearerAuth():
            return _with_header(request, "Authorization", f"Bearer {secrets.get(auth.token.secret)}")
        case ApiKeyAuth():
            value = secrets.get(auth.value.secret)
            if auth.header:
                return _with_header(request, auth.header, value)
            return replace(request, url=add_query(request.url, [(str(auth.query), value)]))
    raise refused(
        "the endpoint's authentication is of a kind that this version does not know", expected=False
    )


def _with_token(auth: OAuth2Auth | CustomAuth, request: HttpRequest, token: str) -> HttpRequest:
    if isinstance(auth, CustomAuth) and auth.send.header:
        return _with_header(request, auth.send.header, token)
    if isinstance(auth, CustomAuth) and auth.send.query:
        return replace(request, url=add_query(request.url, [(auth.send.query, token)]))
    return _with_header(request, "Authorization", f"Bearer {token}")


def _with_header(request: HttpRequest, name: str, value: str) -> HttpRequest:
    """Set a header in the place of any of the same name."""
    others = tuple(pair for pair in request.headers if pair[0].lower() != name.lower())
    return replace(request, headers=others + checked_headers([(name, value)]))


def _text(value: str | SecretRef, secrets: SecretStore) -> str:
    return secrets.get(value.secret) if isinstance(value, SecretRef) else value


def _texts(values: Mapping[str, str | SecretRef] | None, secrets: SecretStore) -> dict[str, str]:
    return {name: _text(value, secrets) for name, value in (values or {}).items()}


def _token_request(owner: str, auth: OAuth2Auth | CustomAuth, secrets: CallSecrets) -> TokenRequest:
    read: Callable[[HttpResponse], tuple[Any, float]]
    if isinstance(auth, OAuth2Auth):
        request, read = oauth2.token_request(auth, secrets), oauth2.read_token
    else:
        request, read = _custom_request(auth, secrets), partial(_read_custom, auth)
    text = repr((owner, auth, request))
    key = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
    return TokenRequest(key, request, read)


def _custom_request(auth: CustomAuth, secrets: CallSecrets) -> HttpRequest:
    headers = _texts(auth.headers, secrets)
    body = None
    if auth.form is not None:
        headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
        body = urlencode(_texts(auth.form, secrets)).encode()
    elif auth.body is not None:
        headers.setdefault("Content-Type", "application/json")
        body = json_bytes(_texts(auth.body, secrets))
    return HttpRequest(auth.method, auth.token_url, checked_headers(headers.items()), body)


def _read_custom(auth: CustomAuth, response: HttpResponse) -> tuple[Any, float]:
    """Find the token where the definition says, and the seconds for which it holds.

    Raises:
        CallError: The answer is an error, or none that can be read.
    """
    if not 200 <= response.status < 300:
        raise oauth2.token_refused(response)
    if auth.token is None:
        return response.body.decode("utf-8", "replace").strip(), auth.cache
    try:
        answer = parse_json(response)
    except CallError:
        raise _no_token("the token endpoint's answer is no JSON", response) from None
    stated = _at(answer, auth.expires) if auth.expires else None
    try:
        seconds = lifetime(stated) if stated is not None else auth.cache
    except ValueError:
        raise _no_token("the lifetime of the token is neither a number nor a moment", response) from None
    return _at(answer, auth.token), seconds


def _no_token(message: str, response: HttpResponse) -> CallError:
    return CallError(INVALID_RESPONSE, message, status=response.status)


def _at(value: Any, path: str) -> Any:
    """Return what is found along names separated by dots, or None."""
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value
