"""Making connections: names resolved and addresses checked, and what their failures mean."""

from __future__ import annotations

import ipaddress
import socket
import ssl
from pathlib import Path

import certifi
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from sojourn.activities.errors import NETWORK, CallError, refused
from sojourn.activities.http.connection_guard import AddressGuard, AddressRefusedError, AddrInfo, refusal

CONNECT_TIMEOUT = 5.0
"""Seconds for connection and TLS handshake. Shorter than a usual window, so that an address that does not answer
leaves time for another attempt."""


def tls_context(ca_file: Path | None = None) -> ssl.SSLContext:
    """Return how servers are verified: by the usual public authorities, and by more of the deployment's.

    Args:
        ca_file: PEM certificates of additional authorities.

    Raises:
        OSError: The file cannot be read, or holds no certificate.
    """
    context = ssl.create_default_context(cafile=certifi.where())
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # A server that speaks only HTTP/2 then refuses the handshake instead of answering in frames.
    context.set_alpn_protocols(["http/1.1"])
    if ca_file is not None:
        try:
            context.load_verify_locations(cafile=ca_file)
        except OSError as error:  # an `ssl.SSLError` is one, too
            raise OSError(f"{ca_file} holds no certificates that can be read ({error})") from error
    return context


class GuardedResolver(AbstractResolver):
    """Resolves names, and leaves out the addresses that are not to be called.

    Every address is checked again when its socket is made. Here it is said why there is none: who connects
    sees only that several addresses failed, and not that all of them were refused.

    Args:
        guard: Which addresses may be reached.
    """

    def __init__(self, guard: AddressGuard) -> None:
        self._guard = guard
        self._resolver = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses of a host that may be called.

        Raises:
            AddressRefusedError: There are only others.
            OSError: The name cannot be resolved.
        """
        usable, error = [], None
        for found in await self._resolver.resolve(host, port, family):
            try:
                self._guard.check(host, port, found["host"])
                usable.append(found)
            except AddressRefusedError as blocked:
                error = blocked
        if error is not None and not usable:
            raise error
        return usable

    async def addresses(self, host: str, port: int) -> list[AddrInfo]:
        """Return the addresses of a host, which may be an address itself, as `getaddrinfo` has them.

        Raises:
            AddressRefusedError: None of them is to be called.
            OSError: The name cannot be resolved.
        """
        try:
            literal = ipaddress.ip_address(host)
        except ValueError:
            found = [(entry["family"], entry["host"]) for entry in await self.resolve(host, port)]
        else:
            self._guard.check(host, port, host)
            found = [(socket.AF_INET if literal.version == 4 else socket.AF_INET6, host)]
        return [(family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (at, port)) for family, at in found]

    async def close(self) -> None:
        """Do nothing: nothing is held."""


def connection_error(error: BaseException) -> CallError:
    """Return what the failure to make a connection means. Its own text is not used: it may hold data."""
    blocked = refusal(error)
    if blocked is not None:
        return refused(str(blocked))
    text = next((text for kind, text in _TEXTS if isinstance(error, kind)), "the connection failed")
    return CallError(NETWORK, f"{text} ({type(error).__name__})", retryable=True)


_TEXTS: list[tuple[type[BaseException], str]] = [
    (TimeoutError, f"no connection within {CONNECT_TIMEOUT:g} s"),
    (socket.gaierror, "the host's name cannot be resolved"),
    (ssl.SSLCertVerificationError, "the server's TLS certificate is not valid for it"),
    (ssl.SSLError, "the TLS handshake failed"),
    (ConnectionResetError, "the connection was reset"),
    (OSError, "the connection was refused or could not be made"),
]
