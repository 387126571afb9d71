"""The last failed calls of each endpoint: gathered in a worker, written in batches, read by operators."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import OrderedDict, deque
from collections.abc import Iterable
from dataclasses import asdict
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Connection, and_, delete, func, insert, select

from sojourn.contract.call_failure import CallFailure
from sojourn.store.database import Database
from sojourn.store.errors import StoreUnavailable
from sojourn.store.tables import endpoint_errors

KEPT = 100
"""Failures that are kept of each endpoint."""

MAX_ENDPOINTS = 500
"""Most endpoints whose failures wait in memory to be written."""

INTERVAL = 1.0
"""Seconds between two batches of one process."""

CLOSE_SECONDS = 3.0
"""Seconds that the last batch may take when a process ends."""

_TEXTS = {"name": 128, "code": 32, "message": 1000, "journey": 64, "step": 128}
"""Most characters that are kept of each text."""

logger = logging.getLogger("sojourn.store")


class EndpointErrors:
    """The failed attempts that the database keeps.

    Args:
        database: The database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def record(self, failures: Iterable[CallFailure]) -> None:
        """Keep failures, and let go of what is older than the last hundred of their endpoints.

        Raises:
            StoreUnavailable: The database cannot be reached; nothing was kept.
        """
        rows = [_row(failure) for failure in failures]
        if not rows:
            return
        await self._database.write(lambda connection: connection.execute(insert(endpoint_errors), rows))
        # Apart from the rest: if it cannot be done now, the next batch does it.
        with contextlib.suppress(StoreUnavailable):
            await self._database.write(lambda connection: _tidy(connection, rows))

    async def last(self, kind: str, name: str, limit: int = KEPT) -> list[CallFailure]:
        """Return the last failures of an endpoint, the newest first."""
        wanted = (endpoint_errors.c.kind == kind) & (endpoint_errors.c.name == name)
        order = (endpoint_errors.c.at.desc(), endpoint_errors.c.id.desc())
        query = select(endpoint_errors).where(wanted).order_by(*order).limit(limit)
        return await self._database.read(lambda connection: _errors(connection, query))

    async def latest(self) -> dict[tuple[str, str], CallFailure]:
        """Return the last failure of each endpoint that has one, by (kind, name)."""
        newest = select(func.max(endpoint_errors.c.id)).group_by(
            endpoint_errors.c.kind, endpoint_errors.c.name
        )
        query = select(endpoint_errors).where(endpoint_errors.c.id.in_(newest))
        found = await self._database.read(lambda connection: _errors(connection, query))
        return {(error.kind, error.name): error for error in found}


class ErrorRecorder:
    """Gathers failures in a worker and writes them about once a second; a `CallObserver`.

    What it holds is bounded: the last hundred failures of an endpoint, whatever happens. While the database is away
    they wait, and the oldest go. Used as an async context manager, which writes what is left at its end.

    Args:
        errors: Where they are kept.
        interval: Seconds between two batches.
    """

    def __init__(self, errors: EndpointErrors, *, interval: float = INTERVAL) -> None:
        self._errors = errors
        self._interval = interval
        self._waiting: OrderedDict[tuple[str, str], deque[CallFailure]] = OrderedDict()
        self._something, self._closing = asyncio.Event(), asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._away = False

    def failed(self, failure: CallFailure) -> None:
        """Take note of a failure. Never blocks and never raises."""
        key = (failure.kind, failure.name)
        self._waiting.setdefault(key, deque(maxlen=KEPT)).append(failure)
        self._waiting.move_to_end(key)
        if len(self._waiting) > MAX_ENDPOINTS:
            self._waiting.popitem(last=False)
        self._something.set()

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._something.set()
        if self._task is not None:
            # Not cancelled at once: a batch that is being written would be there, and be taken for lost.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._task, CLOSE_SECONDS)

    async def flush(self) -> None:
        """Write now what is waiting."""
        batch, self._waiting = self._waiting, OrderedDict()
        written = False
        try:
            await self._errors.record(failure for kept in batch.values() for failure in kept)
            written = True
            self._away = False
        except StoreUnavailable as error:
            if not self._away:
                logger.warning("failed calls are kept in memory until they can be written: %s", error)
            self._away = True
        except Exception as error:
            # What cannot be written now never will be; a list for operators is not worth more than a line here.
            written = True
            logger.error("failed calls could not be written (%s)", type(error).__name__)
        finally:
            if not written:  # also where the writing was cancelled
                self._put_back(batch)

    async def _run(self) -> None:
        while not self._closing.is_set():
            await self._something.wait()
            self._something.clear()
            # The first failure waits for those that come with it: an endpoint that is away fails many at once.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), self._interval)
            await self.flush()
        await self.flush()

    def _put_back(self, batch: OrderedDict[tuple[str, str], deque[CallFailure]]) -> None:
        """Put what could not be written before what has come since."""
        for key, newer in self._waiting.items():
            batch.setdefault(key, deque(maxlen=KEPT)).extend(newer)
        while len(batch) > MAX_ENDPOINTS:
            batch.popitem(last=False)
        self._waiting = batch
        if batch:
            self._something.set()


def _row(failure: CallFailure) -> dict[str, Any]:
    row = {name: getattr(failure, name) for name in CallFailure.__slots__}
    for name, most in _TEXTS.items():
        if row[name] is not None:
            # PostgreSQL takes no NUL, and neither database half a character.
            text = row[name].replace("\x00", "")[:most]
            row[name] = text.encode("utf-8", "replace").decode("utf-8")
    return row


def _tidy(connection: Connection, rows: Iterable[dict[str, Any]]) -> None:
    """Delete what is older than the last hundred of each endpoint that has something new."""
    table = endpoint_errors
    # In order, so that processes that tidy up at once never wait for each other in a circle.
    for kind, name in sorted({(row["kind"], row["name"]) for row in rows}):
        of_endpoint = and_(table.c.kind == kind, table.c.name == name)
        order = (table.c.at.desc(), table.c.id.desc())
        kept = select(table.c.id).where(of_endpoint).order_by(*order).limit(KEPT)
        connection.execute(delete(table).where(of_endpoint, table.c.id.not_in(kept)))


def _errors(connection: Connection, query: Any) -> list[CallFailure]:
    rows = connection.execute(query)
    return [CallFailure(**{name: getattr(row, name) for name in CallFailure.__slots__}) for row in rows]


def as_dict(error: CallFailure) -> dict[str, Any]:
    """Return a failure as plain values, without the endpoint that it is of."""
    return {name: value for name, value in asdict(error).items() if name not in {"kind", "name"}}
