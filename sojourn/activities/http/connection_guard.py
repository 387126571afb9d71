"""Which addresses may be called: the guard against requests into the deployment's own network.

Definitions and events decide where requests go, so a URL may point, by mistake or by malice, at a database,
a cloud's metadata service or the worker itself. The check is made on the address that is about to be
connected to, after name resolution: a check before it loses to a name server that answers differently the
second time.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterable
from typing import Any

AddrInfo = tuple[int, int, int, str, tuple[Any, ...]]
"""One result of `socket.getaddrinfo`."""

# What `ipaddress` calls global, in some versions of Python at least, and what is none the less not to be
# called:
_REFUSED = tuple(
    ipaddress.ip_network(text)
    for text in (
        # IPv4 addresses in IPv6 clothes: NAT64 (RFC 6052, RFC 8215), 6to4 and its relays, Teredo,
        # IPv4-compatible.
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "2002::/16",
        "192.88.99.0/24",
        "2001::/32",
        "::/96",
        "fec0::/10",  # site-local, once
        "192.0.0.0/24",  # protocol assignments; a cloud's metadata service is among them
        "168.63.129.16/32",  # another cloud's host, at an address that looks public
    )
)


class AddressRefusedError(OSError):
    """The address is in a range that this deployment does not call. The message names host and address."""


def is_public(address: str) -> bool:
    """Say whether an IP address is one of the public Internet, which everybody may call.

    Args:
        address: An IPv4 or IPv6 address as text; a zone (`%eth0`) makes it not public.
    """
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.scope_id is not None:
            return False
        if parsed.ipv4_mapped is not None:
            return is_public(str(parsed.ipv4_mapped))
    if not parsed.is_global or parsed.is_multicast or parsed.is_reserved or parsed.is_unspecified:
        return False
    return not any(parsed.version == network.version and parsed in network for network in _REFUSED)


class AddressGuard:
    """Decides which hosts may be reached at addresses that are not public.

    Args:
        allow_hosts: Names as they stand in the URLs of endpoints, `host` (any port) or `host:port`;
            an IPv6 address is written in brackets.

    Raises:
        ValueError: A name is not of these forms; the message says which.
    """

    def __init__(self, allow_hosts: Iterable[str] = ()) -> None:
        self._allowed = frozenset(_parse_allowed(text) for text in allow_hosts if text.strip())

    @classmethod
    def from_text(cls, text: str) -> AddressGuard:
        """Return the guard for a comma-separated list of names."""
        return cls(text.split(","))

    def allows(self, host: str, port: int) -> bool:
        """Say whether the deployment allows this host by name, wherever its name leads."""
        host = _plain(host)
        return (host, None) in self._allowed or (host, port) in self._allowed

    def check(self, host: str, port: int, address: str) -> None:
        """Check an address that is about to be connected to.

        Args:
            host: The host as the URL names it.
            port: The port.
            address: The IP address.

        Raises:
            AddressRefusedError: It is not public, and the host is not allowed by name.
        """
        if not self.allows(host, port) and not is_public(address):
            raise AddressRefusedError(
                f"{host} is at {address}, which is not a public address: "
                f"name {host}:{port} in SOJOURN_ALLOW_HOSTS if journeys may call it"
            )

    def socket_factory(self, host: str, port: int) -> Callable[[AddrInfo], socket.socket]:
        """Return what makes the sockets of a client that talks to one host: it checks every address first."""

        def open_socket(info: AddrInfo) -> socket.socket:
            family, kind, protocol, _, address = info
            self.check(host, port, str(address[0]))
            return socket.socket(family=family, type=kind, proto=protocol)

        return open_socket


def refusal(error: BaseException | None) -> AddressRefusedError | None:
    """Return the refusal that is the reason of an error, if one is: HTTP libraries wrap it several times."""
    for _ in range(10):
        if error is None or isinstance(error, AddressRefusedError):
            return error
        error = error.__cause__ or error.__context__
    return None


def _plain(host: str) -> str:
    """Return a host in the form in which names are compared."""
    return host.strip("[]").rstrip(".").lower()


def _parse_allowed(text: str) -> tuple[str, int | None]:
    """Split `host`, `host:port`, `[v6]` or `[v6]:port`."""
    text = text.strip()
    host, port = text, ""
    if text.startswith("["):
        host, closed, rest = text[1:].partition("]")
        host = host if closed else ""
        port = rest.removeprefix(":")
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    if not host or "/" in host or "@" in host or (port and not (port.isdecimal() and 0 < int(port) < 65536)):
        raise ValueError(
            f"{text!r} in SOJOURN_ALLOW_HOSTS is not a host: write `host` or `host:port`, without a scheme"
        )
    return _plain(host), int(port) if port else None
