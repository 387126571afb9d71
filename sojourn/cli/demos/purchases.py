"""`sojourn demo second-purchase`: 6,919 real purchases of 2,357 customers."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

from sojourn.cli.console import CliError
from sojourn.cli.demos.finding import answer_of, list_instances, outcomes
from sojourn.cli.demos.posting import post_events
from sojourn.cli.demos.purchases_check import judge
from sojourn.cli.demos.purchases_expected import (
    NOTHING,
    REACHES,
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

JOURNEY = "second-purchase"
GROUND = "the file demands"
FILE = PROJECTS / JOURNEY / "data" / "CDNOW_sample.txt"

BATCH = 250
"""Events in one request."""
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
        for start in range(0, len(orders), BATCH):
            await poster.post(orders[start : start + BATCH])
            done(min(start + BATCH, len(orders)))
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
    verdict.remarks += poster.remarks()
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


class Poster:
    """Posts orders and keeps what the API says that each of them did.

    Attributes:
        effects: By line: `STARTS`, `REACHES`, `NOTHING`, or what the API said if that is none of them.
        refused: How many orders had no effect, by reason.
        late: How many reached an instance that had its second order already, and was about to end.
        again: How many were sent again because Temporal was too slow, and known by then.
    """

    def __init__(self, stage: Stage, expectation: Expectation) -> None:
        """Begin with nothing posted."""
        self.effects: dict[int, str] = {}
        self.refused: Counter[str] = Counter()
        self.late = 0
        self.again = 0
        self._stage = stage
        self._expectation = expectation
        self._reached: set[str] = set()

    async def post(self, orders: Sequence[Order]) -> None:
        """Post some orders in one request."""
        results, again = await post_events(self._stage, [event_of(order) for order in orders])
        for order, result in zip(orders, results, strict=True):
            self.effects[order.line] = self._effect(order, result, again)

    def _effect(self, order: Order, result: dict[str, Any], again: bool) -> str:
        answer = answer_of(result)
        if answer == "accepted":
            return self._accepted(order, result["instances"])
        if answer == "duplicate" and again:
            # It was done at the first attempt, whose answer was lost: what it did is seen in the instances.
            self.again += 1
            return self._expectation.effects[order.line]
        self.refused[answer] += 1
        return NOTHING if answer in ("reentry_refused", "already_inside") else answer

    def _accepted(self, order: Order, instances: list[dict[str, Any]]) -> str:
        kinds = [instance["effect"] for instance in instances]
        if kinds == ["started"]:
            return STARTS
        if kinds == ["signalled"] and order.customer not in self._reached:
            self._reached.add(order.customer)
            return REACHES
        if kinds == ["signalled"]:
            self.late += 1
            return NOTHING
        return f"accepted with {kinds}"

    def remarks(self) -> list[str]:
        """Return what is good to know of the answers."""
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in self.refused.most_common())
        remarks = [
            f"Of the later orders, {reasons or 'none was refused'}; {self.late:,} came while their customer's "
            "instance was just ending, and changed nothing."
        ]
        if self.again:
            remarks.append(f"{self.again:,} events were sent again, and recognised by their ids.")
        return remarks


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
