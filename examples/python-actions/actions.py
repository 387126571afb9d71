"""What the journey looks up and does: Python functions that it names like any other source or action."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field

from sojourn import action, source

DATABASE = Path(__file__).parent / ".sojourn" / "vouchers.db"


class Level(StrEnum):
    """How good a customer somebody is."""

    NEW = "new"
    GOLD = "gold"


class Loyalty(BaseModel):
    """What is known of a customer."""

    level: Level
    points: int


class Voucher(BaseModel):
    """A voucher that was issued."""

    code: str
    euros: int


@source.defn(name="shop.loyalty", cache=timedelta(minutes=1))
async def loyalty(customer: str) -> Loyalty:
    """Looks up how good a customer somebody is. In earnest, this would ask a database or a library of yours."""
    points = 40 * len(customer)
    return Loyalty(level=Level.GOLD if points > 130 else Level.NEW, points=points)


@action.defn(name="voucher.issue")
def issue(customer: str, euros: Annotated[int, Field(ge=1, le=50)] = 5) -> Voucher:
    """Issues a voucher, once for each call, however often the call is tried."""
    key = action.context().idempotency_key
    if customer.startswith("test-"):
        raise action.Failed("test customers get no vouchers", "not_a_customer")
    # `def` runs in a thread, where it may wait for a database; `async def` must not.
    DATABASE.parent.mkdir(exist_ok=True)
    with sqlite3.connect(DATABASE, timeout=10) as database:
        database.execute(
            "CREATE TABLE IF NOT EXISTS vouchers (key TEXT PRIMARY KEY, customer TEXT, euros INTEGER)"
        )
        database.execute("INSERT OR IGNORE INTO vouchers VALUES (?, ?, ?)", (key, customer, euros))
        (number,) = database.execute("SELECT rowid FROM vouchers WHERE key = ?", (key,)).fetchone()
    return Voucher(code=f"V-{number:04}", euros=euros)
