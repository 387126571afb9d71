"""A real profile store for workflow tests, which can be made to fail and to hang, and counts what is asked."""

from __future__ import annotations

import asyncio
from typing import Any

from sojourn.store import Store
from sojourn.store.profiles.profiles import Write


class Kept:
    """The profiles of a store, as a worker gets them.

    Attributes:
        reads: How often profiles were read, attempts that failed included.
        operations: The names of the updates that were asked for.
        broken: What every reading and writing raises, while there is something.
        gate: Closed, readings wait for it.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self.reads = 0
        self.operations: list[str] = []
        self.broken: Exception | None = None
        self.gate = asyncio.Event()
        self.gate.set()
        self.asked = asyncio.Event()

    async def put(self, key: str, **attributes: Any) -> None:
        """Write a profile, as a service does."""
        (result,) = await self._store.profiles.put([Write(key, attributes)])
        assert not result.violations

    async def erase(self, key: str) -> None:
        """Erase a profile, as an operator does."""
        await self._store.profiles.erase([key])

    async def now(self, key: str) -> dict[str, Any] | None:
        """Return a profile as it is, without being counted."""
        return await self._store.profiles.get(key)

    async def get(self, key: str) -> dict[str, Any] | None:
        """As the protocol has it."""
        self.reads += 1
        self.asked.set()
        await self.gate.wait()
        if self.broken is not None:
            raise self.broken
        return await self._store.profiles.get(key)

    async def update(self, key: str, changes: dict[str, Any], operation: str) -> dict[str, Any]:
        """As the protocol has it."""
        self.operations.append(operation)
        if self.broken is not None:
            raise self.broken
        return await self._store.profiles.update(key, changes, operation)
