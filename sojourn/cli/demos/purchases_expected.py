"""What must come of the purchases of the CDNOW sample, worked out straight from the file.

The journey in words: a customer's first order starts it, the second one is awaited, and what both are worth
together decides: from 100 dollars an invitation to the loyalty programme, from 50 dollars a coupon, below that
nothing. A customer who has been in it does not enter again. Plain reading and adding up; nothing of the engine
is used here.

`python -m sojourn.cli.demos.purchases_expected FILE` prints the numbers.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

INVITED, REWARDED, THANKED, WAITING = "invited", "coupon given", "under 50 dollars", "still waiting"
STARTS, REACHES, REFUSED = "first order: starts", "second order: reaches", "later order: reentry_refused"


@dataclass(frozen=True, slots=True)
class Order:
    """One line of the file.

    Attributes:
        line: Its number, from 1.
        customer: The customer's id in the full data.
        date: `YYYYMMDD`.
        cds: Number of CDs.
        dollars: As written.
        cents: The same in whole cents.
    """

    line: int
    customer: str
    date: str
    cds: int
    dollars: str
    cents: int


@dataclass(slots=True)
class Expectation:
    """What must come of some orders.

    Attributes:
        outcome: For each customer, how their instance ends, or `WAITING`.
        members: Customers who must be invited, with the cents that the call must name.
        coupons: Customers who must get a coupon, with the cents that the call must name.
        effects: For each order, by line, what it must do.
    """

    outcome: dict[str, str] = field(default_factory=dict)
    members: dict[str, int] = field(default_factory=dict)
    coupons: dict[str, int] = field(default_factory=dict)
    effects: dict[int, str] = field(default_factory=dict)


def read_orders(text: str) -> list[Order]:
    """Return the orders of a file in order of date; those of one date stay in the order of the file.

    Raises:
        ValueError: A line is not as it must be; the message names it.
    """
    orders = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        fields = line.split()
        try:
            customer, _, date, cds, dollars = fields
            order = Order(number, customer, date, int(cds), dollars, _cents(dollars))
        except ValueError as error:
            raise ValueError(f"line {number} is no purchase: {line.strip()!r}") from error
        if len(date) != 8 or not date.isdecimal():
            raise ValueError(f"line {number}: {date!r} is no date of the form YYYYMMDD")
        orders.append(order)
    return sorted(orders, key=lambda order: order.date)


def expect(orders: Iterable[Order]) -> Expectation:
    """Return what must come of orders, given in the order in which they are posted."""
    expectation = Expectation()
    by_customer: dict[str, list[Order]] = {}
    for order in orders:
        history = by_customer.setdefault(order.customer, [])
        expectation.effects[order.line] = (STARTS, REACHES, REFUSED)[min(len(history), 2)]
        history.append(order)
    for customer, history in by_customer.items():
        if len(history) == 1:
            expectation.outcome[customer] = WAITING
            continue
        cents = history[0].cents + history[1].cents
        if cents >= 100_00:
            expectation.outcome[customer] = INVITED
            expectation.members[customer] = cents
        elif cents >= 50_00:
            expectation.outcome[customer] = REWARDED
            expectation.coupons[customer] = cents
        else:
            expectation.outcome[customer] = THANKED
    return expectation


def _cents(dollars: str) -> int:
    """Read dollars with at most two decimals, without ever making them a float."""
    whole, _, fraction = dollars.partition(".")
    if not whole.isdecimal() or len(fraction) > 2 or (fraction and not fraction.isdecimal()):
        raise ValueError(f"{dollars!r} are no dollars")
    return int(whole) * 100 + int(fraction.ljust(2, "0"))


def main(arguments: Sequence[str]) -> None:
    """Print what must come of a file."""
    orders = read_orders(Path(arguments[0]).read_text("ascii"))
    expectation = expect(orders)
    print(f"{len(orders):,} orders of {len(expectation.outcome):,} customers")
    for outcome, count in Counter(expectation.outcome.values()).most_common():
        print(f"{count:6,}  {outcome}")


if __name__ == "__main__":
    main(sys.argv[1:])
