"""The twin of `tests/scenarios/profiles`."""

from __future__ import annotations

from datetime import time

from sojourn import Event, journey


class OrderPlaced(Event, name="order.placed", key="id"):
    """A customer ordered something."""

    id: str


@journey.defn(name="third-order", entry=OrderPlaced, timezone="${default(profile.timezone, 'UTC')}")
class ThirdOrder:
    """Counts orders, and makes the third one gold."""

    @journey.run
    async def run(self, event: OrderPlaced) -> str | None:
        """Walk through it."""
        try:
            with journey.step("count"):
                customer = await journey.profile()
                await journey.update_profile(orders=customer.get("orders", 0) + 1)
            with journey.step("enough", kind="condition") as enough:
                customer = await journey.profile()
                third = customer.get("orders", 0) >= 3
                enough.result = "branch 1" if third else "else"
            if not third:
                return None
            with journey.step("gold"):
                await journey.update_profile(tier="gold")
            with journey.step("morning"):
                await journey.sleep_until(time(9))
            with journey.step("mail"):
                customer = await journey.profile()
                await journey.act("email.send", to=customer.get("email", ""))
        except journey.CallError as error:
            with journey.step("unknown"):
                return f"failed: {error.message}"
        with journey.step("done"):
            return "gold"
