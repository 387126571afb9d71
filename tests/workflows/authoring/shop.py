"""A Python journey, as an author writes it: the first of DESIGN.md, section 6."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sojourn import Event, journey


class CartUpdated(Event, name="cart.updated", key="customer_id"):
    """A cart changed."""

    customer_id: str
    cart_id: str
    items: list[dict[str, Any]]


class OrderPlaced(Event, name="order.placed", key="customer_id"):
    """A cart was bought."""

    customer_id: str
    cart_id: str


@journey.defn(
    name="cart-abandonment",
    entry=CartUpdated,
    reentry_after=timedelta(days=1),
    exit_when=["profile.unsubscribed"],
)
class CartAbandonment:
    """Reminds customers of a cart that they left."""

    @journey.run
    async def run(self, cart: CartUpdated) -> str:
        """Walk through it."""
        order = await journey.wait_for(
            OrderPlaced, when=lambda order: order.cart_id == cart.cart_id, timeout=timedelta(hours=1)
        )
        if order is not None:
            return "purchased"
        customer = await journey.fetch("crm", id=cart.customer_id)
        if not customer.body["ok"]:
            return "no consent"
        with journey.step("remind"):
            await journey.act("send", to=cart.customer_id, data={"items": cart.items})
        return "reminded"
