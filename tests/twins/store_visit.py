"""The twin of `tests/scenarios/store-visit`."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sojourn import Event, journey


class StoreArrived(Event, name="store.arrived", key="id"):
    """Somebody came near a store."""

    id: str = ""
    location: str = ""


@journey.defn(name="store-visit", entry=StoreArrived)
class StoreVisit:
    """Somebody who left a cart comes near a store, and the store has what was in it."""

    @journey.run
    async def run(self, event: StoreArrived) -> str:
        """Walk through it."""
        try:
            sku = await self.left(event)
            offered = sku is not None and await self.in_stock(event, sku)
        except journey.CallError:
            with journey.step("unknown"):
                return "unknown"
        if offered:
            with journey.step("offer"):
                await journey.act("push.send", to=event.id, template="in-store", sku=sku)
            with journey.step("offered"):
                return "offered"
        with journey.step("engage"):
            await journey.act("push.send", to=event.id, template="engagement")
        with journey.step("engaged"):
            return "engaged"

    async def left(self, event: StoreArrived) -> str | None:
        """Return what was put into the cart last, and not bought within a week."""
        with journey.step("history"):
            history = await journey.fetch("crm.history", id=event.id)
        with journey.step("recent", kind="set") as recent:
            events: list[dict[str, Any]] = [one for one in history.body["events"] if this_week(one["at"])]
            recent.result = "set"
        with journey.step("left", kind="condition") as left:
            added = [one["sku"] for one in events if one["interaction"] == "addToCart"]
            bought = any(one["interaction"] == "completePurchase" for one in events)
            found = event.location.lower() == "arlington" and added and not bought
            left.result = "branch 1" if found else "else"
        return added[0] if found else None

    async def in_stock(self, event: StoreArrived, sku: str) -> bool:
        """Say whether the store has it."""
        with journey.step("stock"):
            stock = await journey.fetch("inventory", location=event.location, sku=sku)
        with journey.step("there", kind="condition") as there:
            is_there: bool = stock.body["quantity"] > 0
            there.result = "branch 1" if is_there else "else"
        return is_there


def this_week(at: str) -> bool:
    """Say whether a moment is within the last seven days."""
    return timedelta() <= journey.now() - datetime.fromisoformat(at) <= timedelta(days=7)
