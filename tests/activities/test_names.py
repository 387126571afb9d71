"""What names resolve to, and what becomes of calls to them: DNS answers of all kinds."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from sojourn.activities.errors import CallError
from sojourn.activities.http.connect import GuardedResolver
from sojourn.activities.http.connection_guard import AddressGuard
from sojourn.activities.http.transport import Transport
from sojourn.activities.http.wire import HttpRequest
from tests.activities.server import Server, answer

ANSWERS = {
    "one inside": [["10.0.0.1"]],
    "several inside": [["10.0.0.1", "192.168.0.1", "169.254.169.254"]],
    "both families": [["10.0.0.1", "fd00::1"]],
    "only IPv6, link-local": [["fe80::1"]],
    "IPv4 in the clothes of IPv6": [["::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::"]],
    "this host": [["0.0.0.0", "::"]],
}


@pytest.fixture
def resolving(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Play a name server: each look-up gets the next answer, further ones the last. Returns what it is to say."""
    answers: list[list[str]] = []
    asked = [0]

    async def resolve(_: Any, host: str, port: int = 0, family: int = 0) -> list[dict[str, Any]]:
        found = answers[min(asked[0], len(answers) - 1)]
        asked[0] += 1
        return [
            {
                "hostname": host,
                "host": address,
                "port": port,
                "family": socket.AF_INET6 if ":" in address else socket.AF_INET,
                "proto": 0,
                "flags": 0,
            }
            for address in found
        ]

    monkeypatch.setattr("aiohttp.resolver.ThreadedResolver.resolve", resolve)
    return answers


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("name", ANSWERS)
async def test_names_that_lead_inside_are_refused(resolving: list[list[str]], name: str, scheme: str) -> None:
    """However many addresses a name has, if all are inside the call is `refused`, and not tried again."""
    resolving += ANSWERS[name]
    transport = Transport(AddressGuard())
    with pytest.raises(CallError, match="not a public address") as caught:
        await transport.send("source:a", HttpRequest("GET", f"{scheme}://shop.example/"), 10)
    await transport.aclose()
    assert (caught.value.code, caught.value.retryable) == ("refused", False)


async def test_of_mixed_answers_only_what_is_public_is_tried(resolving: list[list[str]]) -> None:
    """An address inside that stands beside a public one is left out."""
    resolving += [["127.0.0.1", "93.184.216.34", "::1"]]
    found = await GuardedResolver(AddressGuard()).resolve("shop.example", 443)
    assert [(address["host"], address["port"]) for address in found] == [("93.184.216.34", 443)]


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_an_answer_that_changes_gains_nothing(resolving: list[list[str]], scheme: str) -> None:
    """A name that was public at the first look-up and leads inside at the next is refused there, too."""
    async with Server([answer({})]) as server:
        resolving += [["192.0.2.1"], ["127.0.0.1"]]
        transport = Transport(AddressGuard())
        for _ in range(3):
            with pytest.raises(CallError) as caught:
                await transport.send(
                    "source:a", HttpRequest("GET", f"{scheme}://shop.example:{server.port}/"), 5
                )
            assert caught.value.code == "refused"
        await transport.aclose()
        assert server.connections == 0


async def test_the_address_that_was_checked_is_the_one_that_is_called(resolving: list[list[str]]) -> None:
    """A name that is allowed is called where it led when it was checked; it is not looked up once more."""
    async with Server([answer({"ok": 1})]) as server:
        resolving += [["127.0.0.1"], ["10.255.255.1"]]
        transport = Transport(AddressGuard([f"shop.example:{server.port}"]))
        request = HttpRequest("GET", f"http://shop.example:{server.port}/")
        assert (await transport.send("source:a", request, 5)).status == 200
        await transport.aclose()
    assert server.requests[0].header("Host") == f"shop.example:{server.port}"
