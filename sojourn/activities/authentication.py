"""Proving to an endpoint who is calling: credentials that are fixed, and tokens that are fetched and kept."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, urlencode

from sojourn.activities.cache import ResultCache
from sojourn.activities.errors import INVALID_RESPONSE, CallError, http_code, refused
from sojourn.activities.requests import add_query, checked_headers
from sojourn.activities.responses import is_retryable, parse_json, retry_after
from sojourn.activities.secrets import MASK, CallSecrets, SecretStore
from sojourn.activities.transport import Transport
from sojourn.activities.wire import HttpRequest, HttpResponse, json_bytes
from sojourn.definitions.endpoints import (
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

DEFAULT_LIFETIME = 300.0
"""Seconds for which an OAuth token is kept when its answer does not say how long it holds."""


@dataclass(frozen=True)
class TokenRequest:
    """How a token is got, and where it is found in the answer.

    Attributes:
        key: Identifies endpoint, request and credentials: a rotated secret does not get the old one's token.
        request: The request.
        token: Path of names to the token; None: the whole answer is the token.
        expires: Path of names to its lifetime in seconds.
        lifetime: Seconds, where the answer does not say.
    """

    key: str
    request: HttpRequest
    token: str | None
    expires: str | None
    lifetime: float


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
        if not 200 <= response.status < 300:
            # The body stays here: it may repeat the credentials.
            retryable = is_retryable(response.status)
            raise CallError(
                http_code(response.status),
                f"the token endpoint answers HTTP {response.status}",
                status=response.status,
                retryable=retryable,
                retry_after=retry_after(response.headers.get("retry-after")) if retryable else None,
            )
        return _read_token(response, wanted)


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
    if isinstance(auth, OAuth2Auth):
        request = _oauth2_request(auth, secrets)
        found = ("access_token", "expires_in", DEFAULT_LIFETIME)
    else:
        request = _custom_request(auth, secrets)
        found = (auth.token, auth.expires, auth.cache)  # type: ignore[assignment]
    text = repr((owner, request, found))
    key = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
    return TokenRequest(key, request, *found)


def _oauth2_request(auth: OAuth2Auth, secrets: CallSecrets) -> HttpRequest:
    """RFC 6749, section 4.4; client credentials as section 2.3.1 has them."""
    client, secret = _text(auth.client_id, secrets), secrets.get(auth.client_secret.secret)
    fields = {"grant_type": "client_credentials"}
    if auth.scope:
        fields["scope"] = auth.scope
    if auth.audience:
        fields["audience"] = auth.audience
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    if auth.credentials == "header":
        pair = f"{quote(client, safe='')}:{quote(secret, safe='')}"
        headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
    else:
        fields |= {"client_id": client, "client_secret": secret}
    return HttpRequest("POST", auth.token_url, checked_headers(headers.items()), urlencode(fields).encode())


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


def _read_token(response: HttpResponse, wanted: TokenRequest) -> tuple[str, float]:
    """Find the token in an answer, and for how many seconds it is kept.

    Raises:
        CallError: It is not there.
    """
    if wanted.token is None:
        token, seconds = response.body.decode("utf-8", "replace").strip(), wanted.lifetime
    else:
        try:
            answer = parse_json(response)
        except CallError:
            raise _no_token("the token endpoint's answer is no JSON", response) from None
        token, seconds = _at(answer, wanted.token), wanted.lifetime
        stated = _at(answer, wanted.expires) if wanted.expires else None
        try:
            seconds = float(stated) if stated is not None else seconds
        except (TypeError, ValueError):
            raise _no_token("the lifetime of the token is not a number", response) from None
    if not isinstance(token, str) or not token or not token.isascii() or not token.isprintable():
        raise _no_token("there is no usable token in the answer of the token endpoint", response)
    # Renewed a little before its end, for the calls that are on their way then.
    return token, seconds - min(60.0, seconds / 10)


def _no_token(message: str, response: HttpResponse) -> CallError:
    return CallError(INVALID_RESPONSE, message, status=response.status)


def _at(value: Any, path: str) -> Any:
    """Return what is found along names separated by dots, or None."""
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value
