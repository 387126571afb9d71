"""Runs of every example, one for each of its paths: recorded as histories, and replayed by later code."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from temporalio.client import WorkflowHandle
from temporalio.testing import WorkflowEnvironment

from sojourn.definitions import Project, load_texts
from tests.workflows.support import Runner, Shop, compiled, finish, signal, until_waiting

EXAMPLES = Path(__file__).parents[2] / "examples"
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
        return 200, {"email": "ann@example.com", "optIn": "refuses" not in call["path"]}
    if "broken" in str(call["body"]):
        return 422, {"error": "no such template"}
    return 201, {"messageId": "m1", "id": "1"}


def example(name: str, shop: Shop) -> Project:
    """Return an example's project, its endpoints aimed at a local server that wants no credentials."""
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
]


async def play(
    scenario: Scenario, temporal: WorkflowEnvironment, runner: Runner, loaded: Project
) -> WorkflowHandle[Any, Any]:
    """Run a scenario and check its outcome; returns the handle of the instance that ended."""
    with temporal.with_time_skipping_disabled():
        handle = await runner.start(compiled(loaded, scenario.journey), scenario.entry)
        await scenario.script(handle)
    result = await finish(temporal, handle)
    assert (result["outcome"], result["text"]) == scenario.outcome
    return handle
