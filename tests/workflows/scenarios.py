"""Runs of every example, one for each of its paths, of what no example has, and of a journey in Python.

They are recorded as histories, and replayed by later code.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from temporalio.client import WorkflowHandle
from temporalio.testing import WorkflowEnvironment

from sojourn.definitions import Project, load_texts
from sojourn.store import Store
from sojourn.workflows.authoring.define import settings_of
from tests.workflows.authoring.shop import CartAbandonment
from tests.workflows.profiles import Kept
from tests.workflows.support import (
    Runner,
    Shop,
    compiled,
    finish,
    project,
    running,
    signal,
    state_of,
    until_waiting,
)

EXAMPLES = Path(__file__).parents[2] / "examples"
FEATURES, CODE = "features", "code"
"""What stands for an example: the journey below, and the one in `tests.workflows.authoring.shop`."""

_FEATURES = """
journey: features
entry: {event: entered}
timezone: "${default(profile.zone, 'Asia/Kolkata')}"
exit_when: [{event: other, when: "default(profile.visits, 0) > 9"}]
steps:
  count: {update_profile: {visits: "${default(profile.visits, 0) + 1}"}}
  morning: {wait: {until_time: "09:00", on: [mon, thu]}}
  open: {time_condition: {hours: "08:00-18:00"}, next: slow, else: closed}
  slow: {action: slowly, with: {to: x, data: "${profile.visits}"}}
  listen:
    wait_for:
      - {event: answered, when: event.amount > profile.visits, next: thanks}
      - {event: other, restart: true}
    timeout: {after: 2d, next: silent}
  thanks: {end: thanks}
  silent: {end: silent}
  closed: {end: closed}
---
THROTTLEDthrottle: {calls: 200, per: 1s}
"""
Script = Callable[[WorkflowHandle[Any, Any]], Awaitable[None]]


async def nothing(handle: WorkflowHandle[Any, Any]) -> None:
    """Send nothing: let time pass."""


@dataclass(frozen=True)
class Scenario:
    """A run of an example.

    Attributes:
        name: Names the recorded history.
        example: The example's folder.
        journey: The journey.
        entry: Data of the entry event.
        script: Sends what comes after it, while the clock stands still.
        outcome: How the run ends: the outcome and its text.
    """

    name: str
    example: str
    journey: str
    entry: dict[str, Any]
    outcome: tuple[str, str | None]
    script: Script = field(default=nothing)


def answers(call: dict[str, Any]) -> tuple[int, Any]:
    """Play the other side: a customer's id says what becomes of a call."""
    if call["method"] == "GET":
        if "missing" in call["path"]:
            return 404, {"error": "no such customer"}
        return 200, {"email": "ann@example.com", "optIn": "refuses" not in call["path"], "ok": True}
    if "broken" in str(call["body"]):
        return 422, {"error": "no such template"}
    return 201, {"messageId": "m1", "id": "1"}


def example(name: str, shop: Shop) -> Project:
    """Return an example's project, its endpoints aimed at a local server that wants no credentials."""
    if name in (FEATURES, CODE):
        return project(
            _FEATURES.replace("THROTTLED", shop.endpoints().split("---\n")[1].replace("send", "slowly", 1)),
            shop,
        )
    files = {
        str(path.relative_to(EXAMPLES / name)): path.read_text("utf-8")
        for path in sorted((EXAMPLES / name).rglob("*.yaml"))
        if "tests" not in path.relative_to(EXAMPLES / name).parts  # scenarios, which are no definitions
    }
    for path, text in files.items():
        aimed = re.sub(r"http://127\.0\.0\.1:\d+/", f"http://127.0.0.1:{shop.port}/", text)
        files[path] = re.sub(r"^auth: .*$", "", aimed, flags=re.MULTILINE)
    loaded = load_texts(files)
    assert loaded.ok, "\n".join(map(str, loaded.problems))
    return loaded


def _cart(customer: str) -> dict[str, Any]:
    return {"customerId": customer, "cartId": "c1", "items": [{"sku": "a", "n": 2}]}


def _order(cents: int) -> dict[str, Any]:
    return {"customer": "c1", "date": "1997-01-01", "cds": 2, "dollars": cents / 100, "cents": cents}


async def _buys(handle: WorkflowHandle[Any, Any]) -> None:
    await until_waiting(handle, "await-order")
    await signal(handle, "order.placed", {"customerId": "c", "cartId": "another"}, "o1")
    await signal(handle, "cart.updated", _cart("c"), "u1")
    await handle.query("state")
    await signal(handle, "order.placed", {"customerId": "c", "cartId": "c1"}, "o2")


async def _unsubscribes(handle: WorkflowHandle[Any, Any]) -> None:
    await until_waiting(handle, "await-order")
    await signal(handle, "profile.unsubscribed", {"customerId": "c"}, "p1")


async def _updates_often(handle: WorkflowHandle[Any, Any]) -> None:
    await until_waiting(handle, "await-order")
    for number in range(25):
        await signal(handle, "cart.updated", _cart("c"), f"u{number}")
        await handle.query("state")


def _buys_again(cents: int) -> Script:
    async def script(handle: WorkflowHandle[Any, Any]) -> None:
        await until_waiting(handle, "second-order")
        await signal(handle, "order.placed", _order(cents), "o2")

    return script


def _abandoned(
    name: str, customer: str, outcome: tuple[str, str | None], script: Script = nothing
) -> Scenario:
    return Scenario(f"cart-{name}", "cart-abandonment", "cart-abandonment", _cart(customer), outcome, script)


def _purchased(name: str, outcome: tuple[str, str | None], script: Script = nothing) -> Scenario:
    return Scenario(f"second-{name}", "second-purchase", "second-purchase", _order(2500), outcome, script)


async def _answers_late(handle: WorkflowHandle[Any, Any]) -> None:
    await until_waiting(handle, "morning")
    await signal(handle, "answered", {"amount": 5}, "a1")
    await handle.signal("pause")
    await state_of(handle)
    await handle.signal("resume")


async def _exits_by_profile(handle: WorkflowHandle[Any, Any]) -> None:
    await until_waiting(handle, "morning")
    await signal(handle, "other", {}, "b1")
    await state_of(handle)
    await handle.signal("exit", "an operator")


async def _orders(handle: WorkflowHandle[Any, Any]) -> None:
    await signal(handle, "order.placed", {"customer_id": "ada", "cart_id": "another"}, "o1")
    await signal(handle, "order.placed", {"customer_id": "ada", "cart_id": "c1"}, "o2")


def _in_code(name: str, customer: str, outcome: tuple[str, str | None], script: Script = nothing) -> Scenario:
    cart = {"customer_id": customer, "cart_id": "c1", "items": []}
    return Scenario(f"code-{name}", CODE, "cart-abandonment", cart, outcome, script)


SCENARIOS = [
    _abandoned("purchased", "c", ("completed", "purchased"), _buys),
    _abandoned("reminded", "c", ("completed", "reminded")),
    _abandoned("no-consent", "refuses", ("completed", "no consent")),
    _abandoned("lookup-failed", "missing", ("completed", "lookup failed")),
    _abandoned("exited", "c", ("exited", "profile.unsubscribed"), _unsubscribes),
    _abandoned("continued", "c", ("completed", "reminded"), _updates_often),
    _purchased("invited", ("completed", "invited"), _buys_again(9000)),
    _purchased("coupon", ("completed", "coupon given"), _buys_again(3000)),
    _purchased("thanked", ("completed", "under 50 dollars"), _buys_again(500)),
    _purchased("lapsed", ("completed", "no second order")),
    Scenario("features-silent", FEATURES, "features", {}, ("completed", "silent"), _answers_late),
    Scenario("features-exited", FEATURES, "features", {}, ("exited", "an operator"), _exits_by_profile),
    _in_code("reminded", "ada", ("completed", "reminded")),
    _in_code("purchased", "ada", ("completed", "purchased"), _orders),
]


@asynccontextmanager
async def stage(temporal: WorkflowEnvironment, loaded: Project, cached: int = 1000) -> AsyncIterator[Runner]:
    """Run a worker for a scenario, with profiles and with the journey in Python."""
    with tempfile.TemporaryDirectory() as folder:
        store = await Store.open(f"sqlite:///{folder}/sojourn.db")
        await store.migrate()
        async with running(
            temporal.client, loaded, cached=cached, profiles=Kept(store), journeys=[CartAbandonment]
        ) as runner:
            yield runner
        await store.close()


async def play(
    scenario: Scenario, temporal: WorkflowEnvironment, runner: Runner, loaded: Project
) -> WorkflowHandle[Any, Any]:
    """Run a scenario and check its outcome; returns the handle of the instance that ended."""
    with temporal.with_time_skipping_disabled():
        definition = (
            {**settings_of(CartAbandonment).definition(), "version": 1}
            if scenario.example == CODE
            else compiled(loaded, scenario.journey)
        )
        handle = await runner.start(definition, scenario.entry)
        await scenario.script(handle)
    result = await finish(temporal, handle)
    assert (result["outcome"], result["text"]) == scenario.outcome
    return handle
