"""Who may call: API keys with scopes, or, while there are none, this machine."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

from starlette.requests import Request

from sojourn.api.dependencies import context_of
from sojourn.api.problems import kinds
from sojourn.api.problems.errors import ProblemError
from sojourn.settings import Settings
from sojourn.store import Store

_IMPLIED = {"read": frozenset({"read", "operate"})}
"""Scopes that are good for an operation, where more than its own is."""


class ExposureError(Exception):
    """The API was to listen where others reach it, with no key to tell them apart."""


def check_exposure(settings: Settings, has_keys: bool) -> None:
    """Refuse to listen beyond this machine without API keys.

    Args:
        settings: Whose `api_host` is looked at.
        has_keys: What `Store.has_keys` says.

    Raises:
        ExposureError: Others could reach the API, and there is no key.
    """
    if has_keys or is_loopback(settings.api_host):
        return
    where = settings.api_host or "every address"
    raise ExposureError(
        f"without API keys the API listens on this machine only, and {where} is more than that: make a key with "
        "`sojourn keys create`, or set SOJOURN_API_HOST=127.0.0.1"
    )


def requires(*scopes: str) -> Callable[[Request], Awaitable[None]]:
    """Return the dependency that lets a request pass if its key has one of the scopes.

    Args:
        scopes: Of `events`, `operate` and `read`. What `read` allows, `operate` allows too.
    """
    good = frozenset().union(*(_IMPLIED.get(scope, frozenset({scope})) for scope in scopes))
    scope = scopes[0]

    async def authorize(request: Request) -> None:
        parts = context_of(request)
        store = parts.database()
        if await store.has_keys():
            await _check_key(request, store, scope, good)
        else:
            _check_local(request)

    return authorize


async def _check_key(request: Request, store: Store, scope: str, good: frozenset[str]) -> None:
    header = request.headers.get("authorization", "")
    kind, _, secret = header.partition(" ")
    secret = secret.strip()
    if not header:
        raise ProblemError(
            kinds.UNAUTHORIZED, "The request carries no API key. Send the header Authorization: Bearer sjk_…"
        )
    if kind.lower() != "bearer" or not secret:
        raise _bad_key(
            f"The header Authorization is not of the form Bearer sjk_…, it begins with {kind[:20]!r}."
        )
    key = await store.verify_key(secret)
    if key is None:
        raise _bad_key("The API key is unknown or was revoked. `sojourn keys list` shows the good ones.")
    if not key.scopes & good:
        raise ProblemError(
            kinds.MISSING_SCOPE,
            f"This operation needs the scope {scope}; the key has {', '.join(sorted(key.scopes))}.",
            headers={
                "WWW-Authenticate": f'Bearer realm="sojourn", error="insufficient_scope", scope="{scope}"'
            },
            scope=scope,
        )


def _bad_key(detail: str) -> ProblemError:
    challenge = 'Bearer realm="sojourn", error="invalid_token"'
    return ProblemError(kinds.UNAUTHORIZED, detail, headers={"WWW-Authenticate": challenge})


def _check_local(request: Request) -> None:
    """Let only this machine in, and no page of another site that runs in a browser of this machine.

    A page of a stranger can make the browser send requests to 127.0.0.1, under its own name after it has
    rebound that name to this address. Its `Host` and `Origin` give it away.
    """
    client = request.client
    if client is None or not is_loopback(client.host):
        raise ProblemError(
            kinds.LOCAL_ONLY,
            "No API key exists yet, so only requests from this machine are answered. Make one with "
            "`sojourn keys create`.",
        )
    for header in ("host", "origin"):
        value = request.headers.get(header)
        if value is not None and not _names_this_machine(value, header):
            raise ProblemError(
                kinds.LOCAL_ONLY,
                f"The header {header.title()} is {value[:80]}. Without API keys only localhost and loopback "
                "addresses are answered. Make a key with `sojourn keys create`.",
            )


@functools.lru_cache(maxsize=1024)
def _names_this_machine(value: str, header: str) -> bool:
    try:
        host = urlsplit(value if header == "origin" else f"//{value}").hostname
    except ValueError:
        return False
    return host is not None and is_loopback(host)


@functools.lru_cache(maxsize=1024)
def is_loopback(host: str) -> bool:
    """Say whether a host name or address can only be this machine."""
    name = host.strip("[]").rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        address = ip_address(name)
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped.is_loopback
    return address.is_loopback
