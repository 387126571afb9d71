"""The twin of `tests/scenarios/abandoned-cart`."""

from __future__ import annotations

from datetime import timedelta

from sojourn import Event, journey


class CartAdded(Event, name="cart.added", key="id"):
    """Something was put into a cart."""

    id: str = ""
    cart: str = ""
    channel: str = ""


class Purchased(Event, name="cart.purchased", key="id"):
    """A cart was bought."""

    id: str = ""
    cart: str = ""


@journey.defn(name="abandoned", entry=CartAdded, exit_when=[(Purchased, "event.cart == entry.cart")])
class Abandoned:
    """Reminds by the channel that the customer prefers."""

    @journey.run
    async def run(self, event: CartAdded) -> str:
        """Walk through it."""
        with journey.step("pause"):
            await journey.sleep(timedelta(minutes=90))
        with journey.step("channel", kind="condition") as channel:
            by_push = event.channel == "push"
            channel.result = "branch 1" if by_push else "else"
        reached = by_push and await self.send("push", "push.send", event)
        reached = reached or await self.send("email", "email.send", event)
        with journey.step("reminded" if reached else "unreached"):
            error = journey.state().last_error
            return "reminded" if reached or not error else f"not reached: {error['code']} at {error['step']}"

    async def send(self, step: str, action: str, event: CartAdded) -> bool:
        """Send a reminder; says whether that went well."""
        try:
            with journey.step(step):
                await journey.act(action, to=event.id)
        except journey.CallError:
            return False
        return True
