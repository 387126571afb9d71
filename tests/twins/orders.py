"""The twins of `tests/scenarios/orders`."""

from __future__ import annotations

from datetime import timedelta

from pydantic import BaseModel, Field

from sojourn import Event, journey


class OrderPlaced(Event, name="order.placed", key="customer"):
    """A customer ordered something."""

    customer: str
    order: str
    total: float = 0


class OrderShipped(Event, name="order.shipped", key="customer"):
    """An order is on its way."""

    customer: str = ""
    order: str = ""


class OrderCancelled(Event, name="order.cancelled", key="customer"):
    """An order is not wanted any more, or all of a customer's."""

    customer: str = ""
    order: str | None = None


class Called(Event, name="customer.called", key="customer"):
    """A customer called."""

    customer: str = ""


class Booking(BaseModel):
    """A booking of a trip."""

    number: float = 0
    country: str = ""


class TripBooked(Event, name="trip.booked", key="customer"):
    """A customer booked a trip, of several bookings."""

    customer: str = ""
    bookings: list[Booking] = Field(default_factory=list)


@journey.defn(name="order", entry=OrderPlaced, per="order", exit_when=[OrderCancelled])
class Order:
    """Follows an order."""

    @journey.run
    async def run(self, event: OrderPlaced) -> str:
        """Walk through it."""
        with journey.step("shipping"):
            found = await journey.wait_for(OrderShipped, Called, timeout=timedelta(days=3))
        order = journey.state().per
        if isinstance(found, OrderShipped):
            with journey.step("shipped"):
                return f"{order} shipped"
        if found is not None:
            with journey.step("called"):
                return f"called about {order}"
        with journey.step("late"):
            return f"{order} is late"


@journey.defn(name="trip", entry=TripBooked, per="event.bookings.map(booking, booking.number)", reentry=False)
class Trip:
    """Says good-bye for each booking."""

    @journey.run
    async def run(self, event: TripBooked) -> str:
        """Walk through it."""
        with journey.step("mine", kind="set") as mine:
            number = journey.state().per
            country = next(booking.country for booking in event.bookings if booking.number == number)
            mine.result = "set"
        with journey.step("where", kind="condition") as where:
            where.result = "branch 1" if country == "FR" else "else"
        if country == "FR":
            with journey.step("france"):
                return "bon voyage"
        with journey.step("elsewhere"):
            return "have a good trip"
