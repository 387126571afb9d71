"""The demo shop, over HTTP, as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator

import httpx
import pytest

from sojourn.cli.demos.people import BY_ID
from sojourn.cli.demos.shop_ledger import Ledger
from tests.conftest import free_port

MAIL = {"X-Api-Key": "mail-key"}


@pytest.fixture(scope="module")
def shop() -> Iterator[httpx.Client]:
    """A client of a shop that asks for credentials."""
    port = free_port()
    env = {**os.environ, "CRM_TOKEN": "crm-token", "MAIL_KEY": "mail-key"}
    process = subprocess.Popen([sys.executable, "-m", "sojourn.cli.demos.shop", "--port", str(port)], env=env)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=10) as client:
            deadline = time.monotonic() + 30
            while True:
                try:
                    client.get("/counts")
                    break
                except httpx.ConnectError:
                    assert time.monotonic() < deadline, "the shop does not come up"
                    time.sleep(0.05)
            yield client
    finally:
        process.terminate()
        process.wait()


def _look_up(shop: httpx.Client, customer: str, token: str = "crm-token") -> httpx.Response:
    return shop.get(f"/customers/{customer}", headers={"Authorization": f"Bearer {token}"})


def _send(shop: httpx.Client, to: str, key: str, **headers: str) -> httpx.Response:
    body = {"to": to, "template": "cart", "data": {"items": []}, "channel": "email"}
    return shop.post("/v1/messages", json=body, headers={**MAIL, "Idempotency-Key": key, **headers})


def _taken(shop: httpx.Client, to: str) -> int:
    return sum(effect["body"]["to"] == to for effect in shop.get("/log").json()["effects"])


def test_lookups(shop: httpx.Client) -> None:
    """The CRM knows some customers, fails for one at first, and takes its time for another."""
    assert _look_up(shop, "ada").json() == {"id": "ada", "email": "ada@customers.example", "optIn": True}
    assert _look_up(shop, "olga").json()["optIn"] is False
    assert _look_up(shop, "quin").status_code == 404
    assert _look_up(shop, "nobody-at-all").status_code == 404
    assert [_look_up(shop, "lars").status_code for _ in range(3)] == [503, 200, 200]
    began = time.monotonic()
    assert _look_up(shop, "kim").status_code == 200
    assert time.monotonic() - began >= 2.0


def test_credentials(shop: httpx.Client) -> None:
    """Without the right credentials nothing is answered, done or logged."""
    before = shop.get("/counts").json()

    assert _look_up(shop, "ada", token="wrong").status_code == 401
    assert _send(shop, "ada@customers.example", "k-401", **{"X-Api-Key": "wrong"}).status_code == 401
    assert shop.get("/counts").json() == before


def test_failures_before_and_after_the_effect(shop: httpx.Client) -> None:
    """One message is _taken at the third attempt; another at the first, though its answer says it was not."""
    mona, nils = "mona@customers.example", "nils@customers.example"

    assert [_send(shop, mona, "k-mona").status_code for _ in range(2)] == [500, 500]
    assert _taken(shop, mona) == 0
    assert _send(shop, mona, "k-mona").status_code == 200
    assert _taken(shop, mona) == 1

    assert _send(shop, nils, "k-nils").status_code == 500
    assert _taken(shop, nils) == 1
    assert _send(shop, nils, "k-nils").status_code == 200
    assert _taken(shop, nils) == 1


def test_a_key_counts_once(shop: httpx.Client) -> None:
    """The same key has one effect and the same answer each time; another key has another one."""
    emil = "emil@customers.example"
    first, again, other = (_send(shop, emil, key) for key in ("k-1", "k-1", "k-2"))

    assert first.json() == again.json() != other.json()
    assert _taken(shop, emil) == 2
    calls = [call for call in shop.get("/log").json()["calls"] if call["body"]["to"] == emil]
    assert [(call["key"], call["repeat"]) for call in calls] == [
        ("k-1", False),
        ("k-1", True),
        ("k-2", False),
    ]


def test_body_that_is_no_json(shop: httpx.Client) -> None:
    """A body that is not JSON is refused."""
    assert shop.post("/v1/messages", content=b"{", headers=MAIL).status_code == 400


def test_faults() -> None:
    """The defects are there: one effect is forgotten, or had twice, and only one."""
    for fault, count in (("none", 3), ("drop", 2), ("double", 4)):
        ledger = Ledger(BY_ID, fault=fault)  # type: ignore[arg-type]
        statuses = [ledger.act("coupons", f"k-{n}", {}).status for n in range(3)]

        assert statuses == [200, 200, 200]
        assert len(ledger.effects) == count


def test_flaky() -> None:
    """Every n-th effect fails once, in turns before and after it; each is had once all the same."""
    ledger = Ledger(BY_ID, flaky=2)
    first = [ledger.act("coupons", f"k-{n}", {}).status for n in range(1, 9)]

    assert first == [200, 500, 200, 500, 200, 500, 200, 500]
    assert [effect["key"] for effect in ledger.effects] == ["k-1", "k-3", "k-4", "k-5", "k-7", "k-8"]
    assert [ledger.act("coupons", f"k-{n}", {}).status for n in (2, 4, 6, 8)] == [200] * 4
    assert len({effect["key"] for effect in ledger.effects}) == len(ledger.effects) == 8
