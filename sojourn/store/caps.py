"""Caps that hold over all processes: calls are counted in the database, in slots of time by its own clock."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects import postgresql, sqlite

from sojourn.limits.sliding_window import Slots
from sojourn.store.batching import Coalescer
from sojourn.store.database import Database
from sojourn.store.entries.sql import CLOCK
from sojourn.store.tables import call_caps

if TYPE_CHECKING:
    from sojourn.definitions.kinds.endpoint import Cap

_AT_ONCE = 5_000


class StoredCaps:
    """Counts the calls of capped endpoints in the database.

    One statement for an endpoint is under way at a time in a process; it takes what was asked for meanwhile together.
    While a cap is full, this process asks nobody until the oldest calls stop counting.

    Args:
        database: The database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._coalescers: dict[tuple[str, str], Coalescer[Cap, bool]] = {}
        self._full: dict[tuple[str, str], tuple[Cap, float]] = {}

    async def take(self, kind: str, name: str, cap: Cap) -> bool:
        """Take one of the calls that a cap allows.

        Args:
            kind: `source` or `action`.
            name: The endpoint's name.
            cap: Its cap as it is now.

        Returns:
            Whether the call may be made.

        Raises:
            StoreUnavailable: The database cannot be reached. No call was taken, as far as is known.
        """
        key = (kind, name)
        full = self._full.get(key)
        if full is not None and full[0] == cap and time.monotonic() < full[1]:
            return False
        if key not in self._coalescers:
            self._coalescers[key] = Coalescer(partial(self._work, key), limit=_AT_ONCE)
        return await self._coalescers[key].submit(cap)

    async def close(self) -> None:
        """Wait for what is being counted."""
        for coalescer in list(self._coalescers.values()):
            await coalescer.close()

    async def _work(self, key: tuple[str, str], caps: Sequence[Cap]) -> list[bool]:
        # Whoever asked last knows the newest cap; they differ for as long as a change takes to reach everybody.
        cap = caps[-1]
        granted, full_for = await self._database.write(partial(self._count, key, cap, len(caps)))
        if granted < len(caps):
            self._full[key] = (cap, time.monotonic() + full_for)
        # First come, first served.
        return [number < granted for number in range(len(caps))]

    def _count(
        self, key: tuple[str, str], cap: Cap, wanted: int, connection: Connection
    ) -> tuple[int, float]:
        """Count calls in one transaction; return how many may be made, and for how long none may be after them."""
        kind, name = key
        of_endpoint = (call_caps.c.kind == kind) & (call_caps.c.name == name)
        query = select(call_caps.c.slots).where(of_endpoint).with_for_update()
        stored: Any = connection.scalar(query)
        if stored is None:
            insert: Any = sqlite.insert if self._database.sqlite else postgresql.insert
            values = {"kind": kind, "name": name, "slots": {}}
            connection.execute(insert(call_caps).values(values).on_conflict_do_nothing())
            stored = connection.scalar(query)
        # Read behind the lock: what others have counted is never later than this.
        now = time.time() if self._database.sqlite else float(connection.execute(CLOCK).scalar_one())
        slots = Slots(cap.per, now, stored)
        granted = slots.take(cap.calls, wanted)
        if granted:
            connection.execute(update(call_caps).where(of_endpoint).values(slots=slots.dump()))
        return granted, slots.full_for()
