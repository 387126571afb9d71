from __future__ import annotations

import socket

import pytest

from sojourn.activities.http.connection_guard import AddressGuard, AddressRefusedError, is_public

NOT_PUBLIC = [
    ("127.0.0.1", "loopback"),
    ("127.255.255.254", "loopback"),
    ("0.0.0.0", "this host"),
    ("0.1.2.3", "this network"),
    ("10.0.0.1", "private"),
    ("172.16.0.1", "private"),
    ("172.31.255.255", "private"),
    ("192.168.1.1", "private"),
    ("100.64.0.1", "carrier-grade NAT"),
    ("169.254.169.254", "cloud metadata"),
    ("169.254.170.2", "container credentials"),
    ("168.63.129.16", "Azure's host"),
    ("192.0.0.192", "Oracle's metadata"),
    ("192.0.2.1", "documentation"),
    ("198.18.0.1", "benchmarks"),
    ("192.88.99.1", "6to4 relay"),
    ("224.0.0.1", "multicast"),
    ("240.0.0.1", "reserved"),
    ("255.255.255.255", "broadcast"),
    ("::", "unspecified"),
    ("::1", "loopback"),
    ("::ffff:127.0.0.1", "IPv4-mapped loopback"),
    ("::ffff:169.254.169.254", "IPv4-mapped metadata"),
    ("::127.0.0.1", "IPv4-compatible loopback"),
    ("64:ff9b::7f00:1", "NAT64 of loopback"),
    ("64:ff9b::a9fe:a9fe", "NAT64 of metadata"),
    ("64:ff9b:1::a00:1", "local NAT64"),
    ("2002:7f00:1::", "6to4 of loopback"),
    ("2001:0:7f00:1::", "Teredo"),
    ("::ffff:0:127.0.0.1", "IPv4-translated loopback"),
    ("64:ff9b::10.0.0.1", "NAT64 of a private address"),
    ("2002:0a00:0001::", "6to4 of a private address"),
    ("::ffff:10.0.0.1", "IPv4-mapped private"),
    ("0x7f.1", "hexadecimal"),
    ("2130706433", "decimal"),
    ("0177.0.0.1", "octal"),
    ("127.1", "short"),
    ("100::1", "discard only"),
    ("5f00::1", "segment routing"),
    ("2001:10::1", "ORCHID"),
    ("2001:2::1", "benchmarks"),
    ("fc00::1", "unique local"),
    ("fd00:ec2::254", "cloud metadata"),
    ("fe80::1", "link-local"),
    ("fe80::1%eth0", "link-local with a zone"),
    ("2606:4700::1%eth0", "public with a zone"),
    ("fec0::1", "site-local"),
    ("ff02::1", "multicast"),
    ("2001:db8::1", "documentation"),
    ("not an address", "nonsense"),
    ("", "nothing"),
]


@pytest.mark.parametrize(("address", "why"), NOT_PUBLIC)
def test_addresses_inside_are_not_public(address: str, why: str) -> None:
    """Addresses of private, local, special and transition ranges are not public."""
    assert not is_public(address), why


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "::ffff:1.1.1.1"])
def test_addresses_of_the_internet_are_public(address: str) -> None:
    """Ordinary addresses of the Internet are public, also in their IPv4-mapped form."""
    assert is_public(address)


@pytest.mark.parametrize(
    ("allowed", "host", "port", "expected"),
    [
        ("crm.internal", "crm.internal", 8080, True),
        ("CRM.Internal.", "crm.internal", 80, True),
        ("crm.internal:8080", "crm.internal", 8080, True),
        ("crm.internal:8080", "crm.internal", 80, False),
        ("crm.internal", "mail.crm.internal", 80, False),
        ("crm.internal", "evilcrm.internal", 80, False),
        (" a.example , b.example:1 ", "b.example", 1, True),
        ("[::1]:8080", "::1", 8080, True),
        ("[::1]:8080", "::1", 80, False),
        ("::1", "::1", 80, True),
        ("", "localhost", 80, False),
    ],
)
def test_hosts_are_allowed_by_name(allowed: str, host: str, port: int, expected: bool) -> None:
    """A host at a private address is reached only if its name, and the port if given, is on the list."""
    guard = AddressGuard.from_text(allowed)
    assert guard.allows(host, port) is expected
    if expected:
        guard.check(host, port, "10.0.0.1")
    else:
        with pytest.raises(AddressRefusedError, match=r"10\.0\.0\.1.*SOJOURN_ALLOW_HOSTS"):
            guard.check(host, port, "10.0.0.1")


@pytest.mark.parametrize(
    "text", ["http://crm.internal", "crm.internal/x", "crm:port", "crm:0", "a@b", ":80", "[::1"]
)
def test_a_list_that_names_no_host_is_refused(text: str) -> None:
    """A mistake in the list is an error at start-up, not a host that is silently not allowed."""
    with pytest.raises(ValueError, match="SOJOURN_ALLOW_HOSTS"):
        AddressGuard.from_text(text)


def test_the_address_is_checked_when_the_socket_is_made() -> None:
    """The check sees what the name resolved to, so an answer of a name server that changes gains nothing."""
    make = AddressGuard().socket_factory("public.example", 80)
    info = (socket.AF_INET, socket.SOCK_STREAM, 0, "", ("169.254.169.254", 80))
    with pytest.raises(AddressRefusedError, match="169"):
        make(info)
    with make((socket.AF_INET, socket.SOCK_STREAM, 0, "", ("1.1.1.1", 80))) as made:
        assert made.family == socket.AF_INET
