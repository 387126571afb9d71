"""Connections: names resolved, addresses checked, and TLS."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path

import certifi
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from sojourn.activities.http.connection_guard import AddressGuard, AddressRefusedError

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

    async def close(self) -> None:
        """Do nothing: nothing is held."""
