"""Schemes of authentication: fixed credentials that are added, or a token that is fetched and added."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sojourn.activities.auth.secrets import CallSecrets, SecretStore
from sojourn.activities.http.request import add_query, checked_headers
from sojourn.activities.http.wire import HttpRequest, HttpResponse
from sojourn.definitions.base import SecretRef


@dataclass(frozen=True, slots=True)
class Fixed:
    """A type whose credentials need no fetching.

    Attributes:
        add: Takes the endpoint's `auth`, the request and the secrets of the call, and returns the request with
            credentials. Raises `CallError` if a secret is missing or cannot be sent.
    """

    add: Callable[[Any, HttpRequest, CallSecrets], HttpRequest]


@dataclass(frozen=True, slots=True)
class Fetched:
    """A type whose token is fetched, kept, and fetched again if an endpoint refuses it.

    Attributes:
        request: Takes `auth` and the secrets of the call, and returns the request for a token. Raises `CallError` if
            a secret is missing or cannot be sent.
        read: Takes `auth` and the answer, and returns the token and the seconds for which it holds. Raises
            `CallError` if the answer is an error or cannot be read.
        send: Takes `auth`, a request and the token, and returns the request with the token.
    """

    request: Callable[[Any, CallSecrets], HttpRequest]
    read: Callable[[Any, HttpResponse], tuple[Any, float]]
    send: Callable[[Any, HttpRequest, str], HttpRequest]


def with_header(request: HttpRequest, name: str, value: str) -> HttpRequest:
    """Return a request with a header, in the place of any of the same name."""
    others = tuple(pair for pair in request.headers if pair[0].lower() != name.lower())
    return replace(request, headers=others + checked_headers([(name, value)]))


def with_query(request: HttpRequest, name: str, value: str) -> HttpRequest:
    """Return a request with one more query parameter."""
    return replace(request, url=add_query(request.url, [(name, value)]))


def with_bearer(_: Any, request: HttpRequest, token: str) -> HttpRequest:
    """Return a request with a bearer token."""
    return with_header(request, "Authorization", f"Bearer {token}")


def texts(values: Mapping[str, str | SecretRef], secrets: SecretStore) -> dict[str, str]:
    """Return texts of a definition by name, with the secrets that they name.

    Raises:
        CallError: A secret is missing.
    """
    return {name: text(value, secrets) for name, value in values.items()}


def text(value: str | SecretRef, secrets: SecretStore) -> str:
    """Return a text of a definition, or the secret that it names.

    Raises:
        CallError: The secret is missing.
    """
    return secrets.get(value.secret) if isinstance(value, SecretRef) else value
