"""`sojourn demo second-purchase`: 6,919 real purchases of 2,357 customers."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sojourn.cli.demos.finding import answer_of, list_instances, outcomes, still_running
from sojourn.cli.demos.posting import post_events
from sojourn.cli.demos.purchases_check import judge
from sojourn.cli.demos.purchases_expected import (
    REACHES,
    REFUSED,
    STARTS,
    WAITING,
    Expectation,
    Order,
    expect,
    read_orders,
)
from sojourn.cli.demos.screen import Screen
from sojourn.cli.demos.stage import PROJECTS, Stage
from sojourn.cli.demos.verdict import Verdict
from sojourn.cli.output import CliError

JOURNEY = "second-purchase"
GROUND = "the file demands"
FILE = PROJECTS / JOURNEY / "data" / "CDNOW_sample.txt"

BATCH = 250
"""Most events in one request."""
POLL_SECONDS = 0.2
PATIENCE = 60.0
"""Seconds that a later order of a customer is held back until their instance has ended."""
STILL_SECONDS = 15.0
"""Seconds without any change after which nothing more is waited for."""


async def run(stage: Stage, screen: Screen, *, limit: int | None = None) -> Verdict:
    """Publish the example, post the purchases, and compare.

    Args:
        stage: Where.
        screen: Where it is shown.
        limit: Only so many orders, the earliest; None: all.

    Raises:
        CliError: The API or the shop did not answer, or refused what they must not refuse.
    """
    try:
        orders = read_orders(FILE.read_text("ascii"))[:limit]
    except (OSError, ValueError) as error:
        raise CliError(f"{FILE}: {error}") from error
    expectation = expect(orders)
    for version in await stage.publish():
        screen.note(f"published {version['journey']}, version {version['version']}")
    poster = Poster(stage, expectation)
    began = time.monotonic()
    with screen.bar("posting orders", len(orders)) as done:
        for batch in batches(orders):
            await poster.post(batch)
            done(len(poster.effects))
    posted = time.monotonic() - began
    started = sum(effect == STARTS for effect in poster.effects.values())
    screen.note(
        f"{len(orders):,} events posted in {posted:.1f} s, {len(orders) / posted:,.0f} a second; "
        f"{started:,} instances started"
    )
    await _settle(stage, expectation)
    screen.note("the last calls have been made; reading what became of the instances")
    found = await _found(stage)
    verdict = judge(expectation, poster.effects, found, await stage.shop("/log"))
    if poster.again:
        verdict.remarks.append(f"{poster.again:,} events were sent again, and recognised by their ids.")
    return verdict


def event_of(order: Order) -> dict[str, Any]:
    """Return an order as the event that the API takes. Its id is that of the line, in every run."""
    date = f"{order.date[:4]}-{order.date[4:6]}-{order.date[6:]}"
    return {
        "id": f"cdnow-{order.line:06d}",
        "name": "order.placed",
        "time": f"{date}T00:00:00Z",
        "data": {
            "customer": order.customer,
            "date": date,
            "cds": order.cds,
            "dollars": float(order.dollars),
            "cents": order.cents,
        },
    }


def batches(orders: Iterable[Order]) -> Iterator[list[Order]]:
    """Cut orders into requests, in their order.

    In the shop, days lie between the orders of a customer, and an instance ends moments after the second one. Here
    only moments lie between them. So a request ends before an order that finds its customer's second one in the same
    request: the next request can then wait until the instance has ended.
    """
    counts: Counter[str] = Counter()
    batch: list[Order] = []
    second: set[str] = set()
    for order in orders:
        counts[order.customer] += 1
        if len(batch) == BATCH or (counts[order.customer] > 2 and order.customer in second):
            yield batch
            batch, second = [], set()
        if counts[order.customer] == 2:
            second.add(order.customer)
        batch.append(order)
    if batch:
        yield batch


class Poster:
    """Posts orders and keeps what the API says that each of them did.

    Attributes:
        effects: By line: `STARTS`, `REACHES`, `REFUSED`, or what the API said if that is none of them.
        again: How many were sent again because Temporal was too slow, and known by then.
    """

    def __init__(self, stage: Stage, expectation: Expectation) -> None:
        """Begin with nothing posted."""
        self.effects: dict[int, str] = {}
        self.again = 0
        self._stage = stage
        self._expectation = expectation
        self._leaving: set[str] = set()

    async def post(self, orders: Sequence[Order]) -> None:
        """Post some orders in one request, once the instances that had their second order have ended."""
        await self._let_end({order.customer for order in orders} & self._leaving)
        results, again = await post_events(self._stage, [event_of(order) for order in orders])
        for order, result in zip(orders, results, strict=True):
            effect = self._effect(order, result, again)
            self.effects[order.line] = effect
            if effect == REACHES:
                self._leaving.add(order.customer)

    async def _let_end(self, customers: set[str]) -> None:
        deadline = time.monotonic() + PATIENCE
        while customers and time.monotonic() < deadline:
            instances = [f"{JOURNEY}:{customer}" for customer in customers]
            running = await still_running(self._stage, instances)
            ended = {customer for customer in customers if f"{JOURNEY}:{customer}" not in running}
            self._leaving -= ended
            customers -= ended
            await asyncio.sleep(POLL_SECONDS if customers else 0)

    def _effect(self, order: Order, result: dict[str, Any], again: bool) -> str:
        answer = answer_of(result)
        kinds = [instance["effect"] for instance in result["instances"]]
        if answer == "accepted" and kinds in (["started"], ["signalled"]):
            return STARTS if kinds == ["started"] else REACHES
        if answer == "duplicate" and again:
            # It was done at the first attempt, whose answer was lost: what it did is seen in the instances.
            self.again += 1
            return self._expectation.effects[order.line]
        return REFUSED if answer == "reentry_refused" else f"{answer} {', '.join(kinds)}".strip()


async def _settle(stage: Stage, expectation: Expectation) -> None:
    """Return when no more calls come: all that are expected were made, or nothing has changed for a while."""
    wanted = {"members": len(expectation.members), "coupons": len(expectation.coupons)}
    last, changed = None, time.monotonic()
    while time.monotonic() - changed < STILL_SECONDS:
        counts = await stage.shop("/counts")
        if counts != last:
            last, changed = counts, time.monotonic()
        made = {channel: counts["effects"].get(channel, 0) for channel in wanted}
        # A call too many, or a retry that is still due, comes within moments.
        if made == wanted and time.monotonic() - changed > 3.0:
            return
        await asyncio.sleep(0.3)


async def _found(stage: Stage) -> dict[str, str]:
    """Return the outcome of each customer's instance."""
    instances = await list_instances(stage, JOURNEY)
    found: dict[str, str] = {}
    for instance, outcome in zip(instances, await outcomes(stage, instances), strict=True):
        customer = str(instance["workflow_id"]).partition(":")[2]
        shown = WAITING if outcome == "running" else outcome
        found[customer] = f"{found[customer]} and {shown}" if customer in found else shown
    return found
