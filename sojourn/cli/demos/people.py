"""The customers of the cart demo, as the demo shop's CRM and mailer know them.

Each has a peculiarity that sends them, or the calls made for them, along another path.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Person:
    """A customer.

    Attributes:
        id: The profile key.
        peculiarity: What is special about them, for people to read.
        known: The CRM has them; it answers 404 if not.
        opt_in: They agreed to mail.
        lookup_seconds: How long the CRM takes to answer.
        lookup_failures: How often the CRM answers 503 before it answers.
        mail_failures: How often the mailer answers 500, without taking the message, before it takes it.
        mail_lost_answers: How often the mailer takes the message and answers 500 all the same.
    """

    id: str
    peculiarity: str
    known: bool = True
    opt_in: bool = True
    lookup_seconds: float = 0.0
    lookup_failures: int = 0
    mail_failures: int = 0
    mail_lost_answers: int = 0

    @property
    def email(self) -> str:
        """Where mail for them goes."""
        return f"{self.id}@customers.example"


PEOPLE: tuple[Person, ...] = (
    Person("ada", "orders at once"),
    Person("ben", "orders, after a malformed order"),
    Person("cleo", "orders; the shop sends each event twice"),
    Person("dora", "changes the cart, orders after the first timer"),
    Person("emil", "leaves the cart"),
    Person("fay", "leaves the cart"),
    Person("gus", "leaves the cart, comes back a moment later"),
    Person("hana", "orders another cart, not this one"),
    Person("ivan", "changes the cart, then leaves it"),
    Person("june", "empties one cart, leaves the next"),
    Person("kim", "the lookup takes 2 seconds", lookup_seconds=2.0),
    Person("lars", "the CRM fails once", lookup_failures=1),
    Person("mona", "the mailer fails twice", mail_failures=2),
    Person("nils", "the mailer's answer is lost", mail_lost_answers=1),
    Person("olga", "never agreed to mail", opt_in=False),
    Person("paul", "never agreed to mail, changes the cart", opt_in=False),
    Person("quin", "unknown to the CRM", known=False),
    Person("rosa", "unknown to the CRM", known=False),
    Person("sven", "unsubscribes"),
    Person("tess", "changes the cart, unsubscribes"),
)
"""The twenty."""

BY_ID = {person.id: person for person in PEOPLE}
