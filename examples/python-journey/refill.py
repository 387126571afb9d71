"""The journey: reminds customers of coffee when theirs has run out, and leaves in peace who still has some."""

from __future__ import annotations

from datetime import timedelta

from events import CoffeeOrdered, Unsubscribed
from shop import Customer, customer, send_email

from sojourn import journey

REMINDERS = ("refill", "refill-with-voucher")


@journey.defn(
    name="coffee-refill",
    entry=CoffeeOrdered,
    reentry_after=timedelta(0),
    exit_when=[Unsubscribed],
    timeout=timedelta(days=90),
)
class CoffeeRefill:
    """Reminds customers of coffee when theirs has run out."""

    @journey.run
    async def run(self, order: CoffeeOrdered) -> str:
        """From a first bag to the day on which it is clear whether another one follows the last."""
        bags = 1
        while (following := await self.next_order("drinks", order.lasts)) is not None:
            order, bags = following, bags + 1
        try:
            with journey.step("customer"):
                found = Customer.model_validate((await journey.fetch(customer, id=order.customer_id)).body)
        except journey.CallError as error:
            return f"not reminded: {error.code}"
        if not found.wants_mail:
            return "wants no mail"
        for number, template in enumerate(REMINDERS, 1):
            with journey.step(f"remind-{number}"):
                await journey.act(send_email, to=found.email, template=template, name=found.name)
            # Who takes a month for a bag gets two weeks to answer, and who takes a week three days and a half.
            if await self.next_order(f"answer-{number}", order.lasts / 2) is not None:
                return f"came back after {number} of {len(REMINDERS)} reminders"
        return f"lost after {bags} {'bag' if bags == 1 else 'bags'}"

    async def next_order(self, step: str, within: timedelta) -> CoffeeOrdered | None:
        """Wait for the next order of this customer; nothing where none came in time."""
        with journey.step(step):
            return await journey.wait_for(CoffeeOrdered, timeout=within)
