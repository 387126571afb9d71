"""What the journey looks up and does. Runs in the worker, outside of the workflow, and may do whatever Python can."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel

from sojourn import action, source

OUTBOX = Path(__file__).parent / ".sojourn" / "outbox.txt"

CUSTOMERS = {
    "ada": ("Ada", "ada@example.com", True),
    "ben": ("Ben", "ben@example.com", True),
    "cleo": ("Cleo", "cleo@example.com", False),
}
"""In earnest this is a database, or a service that you call."""


class Customer(BaseModel):
    """What the shop knows of a customer."""

    name: str
    email: str
    wants_mail: bool


@source.defn(name="shop.customer")
async def customer(id: str) -> Customer:  # noqa: A002 - the name of the parameter in journeys
    """Look a customer up."""
    if id not in CUSTOMERS:
        raise source.Failed("the shop has no such customer", "unknown_customer")
    name, email, wants_mail = CUSTOMERS[id]
    return Customer(name=name, email=email, wants_mail=wants_mail)


@action.defn(name="email.send")
def send_email(to: str, template: str, name: str) -> None:
    """Write to a customer: here a line in `.sojourn/outbox.txt`. `def` runs in a thread, where it may block."""
    OUTBOX.parent.mkdir(exist_ok=True)
    with OUTBOX.open("a", encoding="utf-8") as file:
        file.write(f"{to}: {template} for {name}\n")
