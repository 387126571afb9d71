"""What the cart demo expects of events, on stories made by hand."""

from __future__ import annotations

from typing import Any

import pytest

from sojourn.cli.demos.cart_expected import Posted, expected_answers, expected_outcomes
from sojourn.cli.demos.people import Person

ITEM = {"sku": "TEA-1"}


def event(
    name: str, at: float, *, event_id: str = "", over: bool = False, took: float = 0.05, **data: Any
) -> Posted:
    """An event of customer `x`, posted at a moment."""
    return Posted(event_id or f"{name}@{at}", name, {"customerId": "x", **data}, at, at + took, over)


def cart(at: float, *, items: int = 1, **more: Any) -> Posted:
    """A cart of `x` with so many items."""
    return event("cart.updated", at, cartId="c", items=[ITEM] * items, **more)


def order(at: float, *, cart_id: str = "c", **more: Any) -> Posted:
    """An order by `x`."""
    return event("order.placed", at, cartId=cart_id, **more)


def unsubscribed(at: float, **more: Any) -> Posted:
    """`x` unsubscribes."""
    return event("profile.unsubscribed", at, **more)


CONSENTING = Person("x", "")


@pytest.mark.parametrize(
    ("events", "outcomes"),
    [
        ([cart(0)], {"reminded"}),
        ([cart(0), order(1)], {"purchased"}),
        ([cart(0), order(1, cart_id="another")], {"reminded"}),
        ([cart(0), unsubscribed(1)], {"exited"}),
        ([cart(0), unsubscribed(1), order(2)], {"exited"}),
        ([cart(0), order(1), unsubscribed(2)], {"purchased"}),
        ([cart(0), cart(2), order(4)], {"purchased"}),
        ([cart(0), cart(2), cart(4), order(6)], {"purchased"}),
        ([cart(0), order(9, over=True)], {"reminded"}),
        ([cart(0), order(9)], {"reminded"}),
        ([cart(0, items=0), order(1)], None),
        ([order(0)], None),
    ],
)
def test_outcomes(events: list[Posted], outcomes: set[str] | None) -> None:
    """Each story has the outcome that the words of the journey give it."""
    found = expected_outcomes(events, [CONSENTING])

    assert ({"x": set(outcomes)} if outcomes else {}) == {
        who: set(one.outcomes) for who, one in found.items()
    }


@pytest.mark.parametrize(
    ("person", "outcome"),
    [
        (Person("x", "", opt_in=False), "no consent"),
        (Person("x", "", known=False), "lookup failed"),
        (Person("x", "", mail_lost_answers=1), "reminded"),
    ],
)
def test_outcome_by_person(person: Person, outcome: str) -> None:
    """Who leaves the cart is reminded, unless the shop does not know them or may not write to them."""
    assert expected_outcomes([cart(0)], [person])["x"].outcomes == {outcome}


@pytest.mark.parametrize(
    ("events", "outcomes"),
    [
        ([cart(0), order(2.9, took=0.5)], {"purchased", "reminded"}),
        ([cart(0, took=2.0), order(4)], {"purchased", "reminded"}),
        ([cart(0), cart(2.9, took=0.5), order(3.6)], {"purchased", "reminded"}),
        ([cart(0), unsubscribed(2.9, took=0.5)], {"exited", "reminded"}),
    ],
)
def test_close_to_the_end_of_the_wait(events: list[Posted], outcomes: set[str]) -> None:
    """Where nobody can tell what was first, the event or the end of the wait, both outcomes are permitted."""
    assert expected_outcomes(events, [CONSENTING])["x"].outcomes == outcomes


def test_items_are_those_of_the_entry() -> None:
    """The message shows the cart with which the customer entered."""
    assert expected_outcomes([cart(0, items=2), cart(1, items=5)], [CONSENTING])["x"].items == 2


def test_answers() -> None:
    """Every reason for which the story has an event refused is expected where it belongs."""
    events = [
        cart(0, items=0),
        event("order.placed", 0.1),
        cart(0.2, event_id="entry"),
        cart(0.3, event_id="entry"),
        cart(0.4),
        order(0.5, event_id="bought"),
        order(0.6, event_id="bought"),
        cart(9, over=True),
        order(9, over=True),
        cart(9, over=True, event_id="entry"),
    ]

    assert expected_answers(events) == [
        "rule_false",
        "invalid",
        "accepted",
        "duplicate",
        "accepted",
        "accepted",
        "duplicate",
        "reentry_refused",
        "no_journey",
        "duplicate",
    ]
