"""The built-in profiles: what is known of each, by its key, written by services and journeys alike."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, Literal

from sojourn.contract import names
from sojourn.contract.profile_keys import MAX_KEY, key_text, unfit_key
from sojourn.store.batching import Coalescer
from sojourn.store.database import Database
from sojourn.store.profiles import writes
from sojourn.store.profiles.checks import SchemaCheck, Violation, unfit
from sojourn.store.profiles.writes import Request, WriteResult

Mode = Literal["put", "patch"]

THERE = writes.THERE
"""In the place of a version that is expected: any, but the profile must be there."""

MAX_OPERATION = 128
"""Most characters of the name of an operation."""


class ProfileRefused(ValueError):
    """A write that the store does not take; nothing of it happened.

    Attributes:
        violations: What is wrong; at least one. Neither they nor the message hold a customer's values.
    """

    def __init__(self, violations: Sequence[Violation]) -> None:
        """Make the error from what is wrong."""
        super().__init__("; ".join(f"{v.path or 'the profile'} {v.message}" for v in violations))
        self.violations = list(violations)


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile as it is kept.

    Attributes:
        key: The profile key.
        attributes: What is known of it, plain JSON.
        version: Grows by one with each write that changed something; from 1.
        created_at: When it was first written, UTC.
        updated_at: When it was last changed, UTC.
    """

    key: str
    attributes: dict[str, Any]
    version: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Write:
    """What is to be written about one profile.

    Attributes:
        key: The profile key: a text, or a number as events have them.
        attributes: All its attributes (`put`), or a merge patch (`patch`).
        expected: The version that it must have, else the write is a `conflict`; 0: it must not be there;
            `THERE`: it must be there.
    """

    key: Any
    attributes: Any
    expected: int | None = None


class Profiles:
    """The profiles of a deployment. A profile that is not there reads as None; journeys see an empty one.

    Every write of a profile sees the one before it, in whatever process that was made: no partial update is
    ever lost. All methods raise `StoreUnavailable` when the database cannot be reached.
    """

    def __init__(self, database: Database, schema: Callable[[], Awaitable[SchemaCheck]]) -> None:
        """Keep what is needed.

        Args:
            database: Where they are kept.
            schema: Returns the check by the schema that is published now.
        """
        self._database = database
        self._schema = schema
        self._reads: Coalescer[str, Profile | None] = Coalescer(
            lambda keys: database.read(partial(writes.read, keys))
        )
        self._updates: Coalescer[Request, WriteResult] = Coalescer(self._perform)

    async def get(self, key: str) -> dict[str, Any] | None:
        """Return the attributes of a profile, or None where it is not there. Calls at once become one query."""
        found = await self._reads.submit(key)
        return None if found is None else found.attributes

    async def read(self, keys: Sequence[str]) -> list[Profile | None]:
        """Return profiles in the order of their keys, None for each that is not there."""
        return await self._database.read(partial(writes.read, keys))

    async def put(self, items: Sequence[Write]) -> list[WriteResult]:
        """Replace all attributes of profiles, or make them. One result for each item, in order.

        An item that is wrong is `refused` and the others are written, all in one transaction. Items with the
        same key take effect in their order.
        """
        return await self._write("put", items)

    async def patch(self, items: Sequence[Write]) -> list[WriteResult]:
        """Change some attributes of profiles, or make them, as merge patches (RFC 7396) say. As `put` else."""
        return await self._write("patch", items)

    async def update(self, key: str, changes: dict[str, Any], operation: str) -> dict[str, Any]:
        """Change some attributes of a profile once, however often it is asked to.

        Args:
            key: The profile key; the profile is made where it is not there.
            changes: A merge patch (RFC 7396): null removes an attribute, objects are merged.
            operation: Names this update among all: asked again, nothing changes. Up to 128 characters.

        Returns:
            All attributes afterwards.

        Raises:
            ProfileRefused: The changes, or the profile after them, are not what a profile may hold.
        """
        if not 0 < len(operation) <= MAX_OPERATION:
            raise ValueError(f"an operation has 1 to {MAX_OPERATION} characters")
        request = _request("patch", Write(key, changes), operation)
        result = request if isinstance(request, WriteResult) else await self._updates.submit(request)
        if result.violations:
            raise ProfileRefused(result.violations)
        return result.attributes or {}

    async def erase(self, keys: Sequence[str]) -> list[bool]:
        """Erase profiles, all that is kept of them here.

        Returns:
            For each key whether there was a profile to erase.
        """
        return [gone for gone, _ in await self._database.write(partial(writes.erase, keys, None))]

    async def erase_one(self, key: str, expected: int | None) -> tuple[bool, int | None]:
        """Erase a profile where it has the version that is expected, see `Write`.

        Returns:
            Whether it was erased, and the version that it had; None where it was not there.
        """
        (result,) = await self._database.write(partial(writes.erase, [key], expected))
        return result

    async def purge(self, before: datetime) -> int:
        """Forget which updates were made before a moment. Returns how many they were."""
        count = 0
        while True:
            # In slices, so that nobody waits long for the write lock of SQLite.
            gone = await self._database.write(partial(writes.purge, before))
            count += gone
            if gone < writes.PURGE_AT_ONCE:
                return count

    async def close(self) -> None:
        """Wait for what is being asked and written."""
        await self._reads.close()
        await self._updates.close()

    async def _write(self, mode: Mode, items: Sequence[Write]) -> list[WriteResult]:
        read = [_request(mode, item, None) for item in items]
        requests = [item for item in read if isinstance(item, Request)]
        results = iter(await self._perform(requests) if requests else ())
        return [item if isinstance(item, WriteResult) else next(results) for item in read]

    async def _perform(self, requests: Sequence[Request]) -> list[WriteResult]:
        check, now = await self._schema(), datetime.now(UTC)
        work = partial(writes.write, requests, check=check, now=now, on_sqlite=self._database.sqlite)
        return await self._database.write(work)


def _request(mode: Mode, item: Write, operation: str | None) -> Request | WriteResult:
    """Return what to do, judged as far as that needs no database, or the refusal."""
    wrong = unfit_key(item.key)
    if wrong is not None:
        text = key_text(item.key)
        return WriteResult(text and text[:MAX_KEY], "refused", None, None, (Violation("/key", wrong),))
    key = key_text(item.key) or ""
    violations = unfit(item.attributes)
    if violations:
        return WriteResult(key, "refused", None, None, tuple(violations))
    return Request(names.profile_part(key), key, mode, item.attributes, item.expected, operation)
