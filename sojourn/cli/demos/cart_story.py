"""What happens to the twenty customers of the cart demo, as the events that the shop posts.

Nothing here says what Sojourn ought to make of it: that is worked out in `cart_expected`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sojourn.cli.demos.people import PEOPLE

AGAIN = 1.5
"""Seconds after the start at which carts are changed: before the timer of 3 seconds ends."""

LATE_ORDER = 3.6
"""Seconds after the start at which dora orders: after the first timer, before the one that started again."""


@dataclass(frozen=True, slots=True)
class Planned:
    """An event to post.

    Attributes:
        at: Seconds after the first events were answered; None: after every instance has ended.
        id: The event's id.
        name: Which event.
        data: Its data; `customerId` is the person.
    """

    at: float | None
    id: str
    name: str
    data: dict[str, Any]

    @property
    def person(self) -> str:
        """Whom the event is about."""
        return str(self.data["customerId"])

    def envelope(self) -> dict[str, Any]:
        """Return the event as the API takes it."""
        return {"id": self.id, "name": self.name, "data": self.data}


ITEM = {"sku": "TEA-1", "name": "Assam, 250 g", "price": 7.5, "quantity": 2}


def story() -> list[Planned]:
    """Return all events, in the order in which they are posted."""
    planned = [
        *_opening(),
        _order("ada", 0.2),
        _malformed_order("ben", 0.3),
        _order("ben", 0.4),
        _cart("cleo", 0.2),
        _order("cleo", 0.5),
        _order("cleo", 0.7),
        _order("hana", 0.6, cart="some-other-cart"),
        _unsubscribed("sven", 0.8),
        *(_cart(person, AGAIN, version=2) for person in ("dora", "ivan", "paul", "tess")),
        _unsubscribed("tess", AGAIN + 0.4),
        _order("dora", LATE_ORDER),
        # When all is over:
        _cart("gus", None, version=2),
        _cart("ada", None),
        _order("emil", None),
    ]
    # A stable sort: what is posted at the same moment stays in the order written above.
    return sorted(planned, key=lambda event: float("inf") if event.at is None else event.at)


def _opening() -> list[Planned]:
    """Every customer fills a cart. June's first one is empty."""
    empty = Planned(0.0, "june-cart-0", "cart.updated", _cart_data("june", []))
    return [empty, *(_cart(person.id, 0.0) for person in PEOPLE)]


def _cart_data(person: str, items: list[dict[str, Any]]) -> dict[str, Any]:
    return {"customerId": person, "cartId": f"cart-of-{person}", "items": items}


def _cart(person: str, at: float | None, version: int = 1) -> Planned:
    return Planned(at, f"{person}-cart-{version}", "cart.updated", _cart_data(person, [ITEM] * version))


def _order(person: str, at: float | None, cart: str | None = None) -> Planned:
    data = {"customerId": person, "cartId": cart or f"cart-of-{person}", "total": 15.0}
    return Planned(at, f"{person}-order", "order.placed", data)


def _malformed_order(person: str, at: float) -> Planned:
    """An order that names no cart, which its schema requires."""
    return Planned(at, f"{person}-order-0", "order.placed", {"customerId": person, "total": 15.0})


def _unsubscribed(person: str, at: float) -> Planned:
    return Planned(at, f"{person}-unsubscribed", "profile.unsubscribed", {"customerId": person})
