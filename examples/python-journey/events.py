"""What happens in the shop: each class is an event's name, whose it is, and what it must hold."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field

from sojourn import Event


class CoffeeOrdered(Event, name="coffee.ordered", key="customer_id"):
    """A customer bought coffee."""

    customer_id: str
    order_id: str
    lasts: timedelta = Field(gt=timedelta(0))
    """How long this customer will drink it, as the shop reckons; in JSON an ISO 8601 duration such as P30D."""


class Unsubscribed(Event, name="customer.unsubscribed", key="customer_id"):
    """A customer wants no more mail."""

    customer_id: str
