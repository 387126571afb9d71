"""The twins of `tests/scenarios/log`."""

from __future__ import annotations

from sojourn import Event, journey


class OrderPlaced(Event, name="order.placed", key="id"):
    """Somebody bought something."""

    id: str
    total: float


@journey.defn(name="large-orders", entry=OrderPlaced)
class LargeOrders:
    """Notes large orders in the worker's log."""

    @journey.run
    async def run(self, order: OrderPlaced) -> str:
        """Walk through it."""
        with journey.step("large", kind="condition") as large:
            large.result = "branch 1" if order.total > 1000 else "else"
        if order.total <= 1000:
            with journey.step("small"):
                return "small"
        with journey.step("note"):
            await journey.log(f"order of {order.total}", level="warning")
        with journey.step("bye"):
            return "noted"
