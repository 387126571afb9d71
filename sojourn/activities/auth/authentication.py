"""Authentication: proves to an endpoint who is calling, and keeps the tokens that it fetches for that."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib import import_module

from sojourn.activities.auth.scheme import Fetched, Fixed
from sojourn.activities.auth.secrets import MASK, CallSecrets, SecretStore
from sojourn.activities.cache import ResultCache
from sojourn.activities.errors import INVALID_RESPONSE, CallError
from sojourn.activities.http.transport import Transport
from sojourn.activities.http.wire import HttpRequest
from sojourn.definitions import auth as types
from sojourn.definitions.auth import Auth

TOKEN_TIMEOUT = 30.0
"""Seconds that a token request may take. Each call that waits for it is bounded by its own window as well."""

SCHEMES: Mapping[str, Fixed | Fetched] = {
    key: import_module(f"sojourn.activities.auth.{key}").SCHEME for key in types.TYPES
}
"""What each type of authentication does, by the value of `type`."""


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
            The request, and the token that it carries if it is a fetched one.

        Raises:
            CallError: A secret is missing, or no token could be had.
        """
        scheme = SCHEMES[auth.type]
        if isinstance(scheme, Fixed):
            return scheme.add(auth, request, secrets), None
        wanted = scheme.request(auth, secrets)
        # A rotated secret must not get the token of the old one, so the credentials are part of the key.
        text = repr((owner, auth, wanted))
        key = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
        if refuse is not None:
            self._tokens.forget(key, refuse)
        token = await self._tokens.get(key, lambda: self._fetch(owner, scheme, auth, wanted))
        secrets.mask.add(token)
        return scheme.send(auth, request, token), token

    async def aclose(self) -> None:
        """Forget every token."""
        await self._tokens.aclose()

    async def _fetch(
        self, owner: str, scheme: Fetched, auth: Auth, request: HttpRequest
    ) -> tuple[str, float]:
        """Fetch a token; return it and the seconds for which it is kept."""
        response = await self._transport.send(f"{owner} token", request, TOKEN_TIMEOUT)
        token, seconds = scheme.read(auth, response)
        if not isinstance(token, str) or not token or not token.isascii() or not token.isprintable():
            message = "there is no usable token in the answer of the token endpoint"
            raise CallError(INVALID_RESPONSE, message, status=response.status)
        # Renewed a little before its end, for the calls that are on their way then.
        return token, seconds - min(60.0, seconds / 10)


def preview(auth: Auth, request: HttpRequest, secrets: SecretStore) -> HttpRequest:
    """Return the request as `Authenticator` would send it, with `***` for a token that would be fetched.

    Args:
        auth: What the endpoint asks for.
        request: The request.
        secrets: The secrets, or what stands for them.

    Raises:
        CallError: A secret is missing, or cannot be sent.
    """
    scheme = SCHEMES[auth.type]
    if isinstance(scheme, Fetched):
        return scheme.send(auth, request, MASK)
    return scheme.add(auth, request, CallSecrets(secrets))
