"""The numbers that the second-purchase demo expects, on a file made by hand."""

from __future__ import annotations

import subprocess
import sys

import pytest

from sojourn.cli.demos import purchases
from sojourn.cli.demos.purchases_expected import (
    INVITED,
    REACHES,
    REFUSED,
    REWARDED,
    STARTS,
    THANKED,
    WAITING,
    Order,
    expect,
    read_orders,
)

# Each customer's lines follow one another, as in the real file, so lines are not in order of date.
FILE = """\
 00001 0001 19970101  1   40.00
 00001 0001 19970301  1   60.00
 00001 0001 19970302  9  500.00
 00002 0002 19970102  1   29.99
 00002 0002 19970105  1   20.00
 00003 0003 19970102  1   30
 00003 0003 19970102  1   20.0
 00003 0003 19970102  1   90.00
 00004 0004 19970103  1  100.00
 00005 0005 19970103  1    0.00
 00005 0005 19970104  1   99.99
"""


def test_hand_made_file() -> None:
    """First and second order decide, 50 and 100 dollars belong to the upper band, later orders do not count."""
    expectation = expect(read_orders(FILE))

    assert expectation.outcome == {
        "00001": INVITED,
        "00002": THANKED,
        "00003": REWARDED,
        "00004": WAITING,
        "00005": REWARDED,
    }
    assert expectation.members == {"00001": 10000}
    assert expectation.coupons == {"00003": 5000, "00005": 9999}
    assert [expectation.effects[line] for line in range(1, 12)] == [
        *(STARTS, REACHES, REFUSED),
        *(STARTS, REACHES),
        *(STARTS, REACHES, REFUSED),
        STARTS,
        *(STARTS, REACHES),
    ]


def test_order_of_date_is_stable() -> None:
    """Orders are posted by date; those of one date as the file has them."""
    assert [order.line for order in read_orders(FILE)] == [1, 4, 6, 7, 8, 9, 10, 11, 5, 2, 3]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("00001 0001 19970101  1", "line 2 is no purchase"),
        ("00001 0001 19970101  1  29.333", "line 2 is no purchase"),
        ("00001 0001 19970101  1  -3.00", "line 2 is no purchase"),
        ("00001 0001 19970101  x  29.33", "line 2 is no purchase"),
        ("00001 0001 1997-01-01  1  29.33", "line 2: '1997-01-01' is no date"),
    ],
)
def test_bad_line_is_named(line: str, reason: str) -> None:
    """A line that is no purchase is an error that names the line, not a number that is off by one."""
    with pytest.raises(ValueError, match=reason):
        read_orders("00001 0001 19970101  1  29.33\n" + line)


def test_real_file() -> None:
    """The file of the example is whole, and its numbers are those of its description."""
    orders = read_orders(purchases.FILE.read_text("ascii"))
    expectation = expect(orders)

    assert len(orders) == 6919
    assert len(expectation.outcome) == 2357
    assert list(expectation.effects.values()).count(REFUSED) == 3410


def test_nothing_of_the_engine_is_used() -> None:
    """The expectation stands on its own: reading and adding up, without the engine's modules."""
    code = (
        "import sys, sojourn.cli.demos.purchases_expected, sojourn.cli.demos.cart_expected\n"
        "print([m for m in sys.modules if m.startswith('sojourn.') and not m.startswith('sojourn.cli')])"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert answer.stdout.strip() == "[]"


def test_batches_keep_order_and_part_second_from_third() -> None:
    """Requests hold all orders in order, and never a customer's second order together with a later one."""
    orders = read_orders(purchases.FILE.read_text("ascii"))
    batches = list(purchases.batches(orders))

    assert [order for batch in batches for order in batch] == orders
    assert max(map(len, batches)) <= purchases.BATCH
    counts: dict[str, int] = {}
    for batch in batches:
        second = set()
        for order in batch:
            counts[order.customer] = counts.get(order.customer, 0) + 1
            assert counts[order.customer] <= 2 or order.customer not in second
            if counts[order.customer] == 2:
                second.add(order.customer)


def test_event_of_an_order() -> None:
    """An order becomes an event whose id is that of its line, whatever run of the demo posts it."""
    order = Order(line=123, customer="00111", date="19970118", cds=2, dollars="29.73", cents=2973)

    assert purchases.event_of(order) == {
        "id": "cdnow-000123",
        "name": "order.placed",
        "time": "1997-01-18T00:00:00Z",
        "data": {"customer": "00111", "date": "1997-01-18", "cds": 2, "dollars": 29.73, "cents": 2973},
    }
