"""The twin of `examples/cart-abandonment`."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from pydantic import Field

from sojourn import Event, journey


class CartUpdated(Event, name="cart.updated", key="customer_id", when="size(event.items) > 0"):
    """A cart was changed; an empty one is none."""

    customer_id: str = Field(alias="customerId")
    cart_id: str = Field(alias="cartId")
    items: list[dict[str, Any]]


class OrderPlaced(Event, name="order.placed", key="customer_id"):
    """A cart was bought."""

    customer_id: str = Field(alias="customerId")
    cart_id: str = Field(alias="cartId")
    total: float = 0


class Unsubscribed(Event, name="profile.unsubscribed", key="customer_id"):
    """A customer wants no more mail."""

    customer_id: str = Field(alias="customerId")


@journey.defn(
    name="cart-abandonment",
    entry=CartUpdated,
    reentry_after=timedelta(days=1),
    timezone="Europe/Paris",
    timeout=timedelta(days=91),
    exit_when=[Unsubscribed],
)
class CartAbandonment:
    """Reminds customers of a cart that they left."""

    @journey.run
    async def run(self, cart: CartUpdated) -> str:
        """Walk through it."""
        with journey.step("await-order"):
            order = await journey.wait_for(
                OrderPlaced,
                journey.on(CartUpdated, restart=True),
                when=lambda order: order.cart_id == cart.cart_id,
                timeout=timedelta(seconds=3),
            )
        if order is not None:
            with journey.step("bought"):
                return "purchased"
        try:
            with journey.step("customer"):
                customer = (await journey.fetch("crm.customer", id=cart.customer_id)).body
        except journey.CallError:
            with journey.step("give-up"):
                return "lookup failed"
        with journey.step("opted-in", kind="condition") as opted_in:
            opted_in.result = "branch 1" if customer["optIn"] else "else"
        if not customer["optIn"]:
            with journey.step("no-consent"):
                return "no consent"
        try:
            with journey.step("remind"):
                await journey.act(
                    "email.send", to=customer["email"], template="cart", data={"items": cart.items}
                )
        except journey.CallError:
            with journey.step("not-sent"):
                return "not sent"
        with journey.step("reminded"):
            return "reminded"
