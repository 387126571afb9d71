"""The journey, moved from moment to moment: a Temporal server on which months take no time."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent
ADA = {"name": "Ada", "email": "ada@example.com", "wants_mail": True}


def order(number, lasts="P30D"):
    """The data of an order."""
    return {"customer_id": "ada", "order_id": f"o-{number}", "lasts": lasts}


@pytest.fixture
def shop(journeys):
    """The project, whose customer Ada has just bought a bag for thirty days."""
    shop = journeys(PROJECT)
    shop.answer("shop.customer", body=ADA)
    shop.send("coffee.ordered", order(1))
    return shop


def test_whoever_orders_in_time_is_not_reminded(shop):
    """Three months of orders in time, and no mail."""
    for number in (2, 3, 4):
        shop.advance(days=25)
        shop.instance("ada").assert_waits_at("drinks")
        shop.send("coffee.ordered", order(number))
    # The instance lives ninety days; the next order begins another one.
    shop.finish()
    shop.instance("ada").assert_outcome("timed_out")
    assert shop.calls == []


def test_two_reminders_and_no_more(shop):
    """A month, two weeks, and two weeks again."""
    shop.advance(days=30)
    shop.instance("ada").assert_waits_at("answer-1")
    shop.advance(days=15)
    shop.instance("ada").assert_waits_at("answer-2")
    shop.finish()
    shop.instance("ada").assert_outcome("completed", "lost after 1 bag")
    templates = [call.parameters["template"] for call in shop.calls_of("email.send")]
    assert templates == ["refill", "refill-with-voucher"]


@pytest.mark.parametrize(("days", "reminders"), [(31, 1), (44, 1), (46, 2), (59, 2)])
def test_an_order_answers_a_reminder(shop, days, reminders):
    """Whoever comes back gets no further mail."""
    shop.advance(days=days)
    shop.send("coffee.ordered", order(2))
    shop.instance("ada").assert_outcome("completed", f"came back after {reminders} of 2 reminders")
    assert len(shop.calls_of("email.send")) == reminders


def test_a_small_bag_is_asked_after_sooner(journeys):
    """A week's bag: all is over in two weeks."""
    shop = journeys(PROJECT)
    shop.answer("shop.customer", body=ADA)
    shop.send("coffee.ordered", order(1, lasts="P7D"))
    begun = shop.now
    shop.finish()
    assert shop.now - begun == timedelta(days=14)


def test_a_customer_whom_the_shop_does_not_know(journeys):
    """A look-up that fails ends the journey, and does not break it."""
    shop = journeys(PROJECT)
    shop.answer("shop.customer", status=404)
    shop.send("coffee.ordered", order(1))
    shop.finish()
    shop.instance("ada").assert_outcome("completed", "not reminded: http_404")
