"""What the API works with: the database, Temporal, the router. Either may be away for a while."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

from starlette.requests import Request
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from sojourn.api.problems import kinds
from sojourn.api.problems.errors import ProblemError
from sojourn.routing import Router, RoutingUnavailable
from sojourn.settings import Settings
from sojourn.steering.journeys import Lifecycle
from sojourn.store import Store, StoreUnavailable
from sojourn.temporal.connection import connect, is_unavailable

logger = logging.getLogger("sojourn.api")

CHECK_TIMEOUT = 2.0
"""Seconds that a readiness check waits for each answer."""

MAINTENANCE_DELAY = 60.0
"""Seconds from the start to the first clean-up."""

MAINTENANCE_INTERVAL = 3600.0
"""Seconds between two clean-ups of what is remembered of handled events and of updates of profiles."""

ENSURE_INTERVAL = 5.0
"""Seconds between two looks for operations that have no workflow."""

RETRY_INTERVAL = 2.0
"""Seconds between two attempts to reach a database that was away when the API started."""


class Parts:
    """The parts of one API process.

    Attributes:
        settings: What the deployment set.
        client: A client of Temporal. It connects at its first call and again after each loss.
        router: What routes events.
        lifecycle: What steers journeys.
    """

    def __init__(self, settings: Settings, store: Store, client: Client) -> None:
        self.settings = settings
        self.client = client
        self.router = Router(store, client, settings)
        self.lifecycle = Lifecycle(store, client, settings)
        self._store = store
        self._migrated = False

    def database(self) -> Store:
        """Return the store.

        Raises:
            ProblemError: The database has been away since the API started.
        """
        if not self._migrated:
            raise ProblemError(
                kinds.UNAVAILABLE, "The database cannot be reached. Send the same request again."
            )
        return self._store

    async def migrate(self) -> None:
        """Bring the database up to date.

        Raises:
            StoreUnavailable: It cannot be reached.
            StoreError: It was made by a newer version.
        """
        await self._store.migrate()
        self._migrated = True

    async def keep(self) -> None:
        """Do what is to be done beside requests, until cancelled: late migration, hourly clean-up."""
        while not self._migrated:
            await asyncio.sleep(RETRY_INTERVAL)
            try:
                await self.migrate()
                logger.info("the database is there now")
            except StoreUnavailable:
                continue
            except Exception:
                logger.exception("the database cannot be used")
        # Not at once, but also where processes live for less than an hour.
        await asyncio.sleep(MAINTENANCE_DELAY)
        while True:
            try:
                # An update is remembered as long as an event: no attempt of it comes later.
                oldest = datetime.now(UTC) - timedelta(days=self.settings.dedup_window_days)
                await self._store.profiles.purge(oldest)
                await self.router.maintain()
                await self.lifecycle.finish()
            except (RoutingUnavailable, StoreUnavailable) as error:
                logger.warning("the hourly clean-up is left for the next hour: %s", error)
            except Exception:
                logger.exception("the hourly clean-up failed")
            await asyncio.sleep(MAINTENANCE_INTERVAL)

    async def ensure(self) -> None:
        """See to it, until cancelled, that operations whose start was lost are started after all."""
        while True:
            await asyncio.sleep(ENSURE_INTERVAL)
            try:
                if self._migrated:
                    await self.lifecycle.ensure()
            except (RoutingUnavailable, StoreUnavailable) as error:
                logger.debug("operations cannot be looked after: %s", error)
            except Exception:
                logger.exception("operations cannot be looked after")

    async def check_database(self) -> str:
        """Return `ok`, or why the database cannot be used."""
        try:
            async with asyncio.timeout(CHECK_TIMEOUT):
                await self.database().ping()
        except (ProblemError, StoreUnavailable, TimeoutError):
            return "cannot be reached"
        return "ok"

    async def check_temporal(self) -> str:
        """Return `ok`, or why Temporal cannot be used."""
        namespace = self.client.namespace
        try:
            async with asyncio.timeout(CHECK_TIMEOUT):
                await self.client.workflow_service.describe_namespace(
                    DescribeNamespaceRequest(namespace=namespace)
                )
        except RPCError as error:
            if error.status == RPCStatusCode.NOT_FOUND:
                return f"has no namespace {namespace}"
            if error.status in (RPCStatusCode.PERMISSION_DENIED, RPCStatusCode.UNAUTHENTICATED):
                return "refuses the credentials"
            return "cannot be reached"
        except (RuntimeError, TimeoutError) as error:
            if not is_unavailable(error):
                raise
            return "cannot be reached"
        return "ok"


def context_of(request: Request) -> Parts:
    """Return the parts of the process that serves a request."""
    parts: Parts = request.app.state.parts
    return parts


@contextlib.asynccontextmanager
async def open_parts(
    settings: Settings, store: Store | None = None, client: Client | None = None
) -> AsyncIterator[Parts]:
    """Open what the API works with, and close at the end what was opened here.

    Args:
        settings: What the deployment set.
        store: Used instead of opening one; brought up to date all the same.
        client: Used instead of connecting one.

    Raises:
        StoreError: The database's URL is none, or it was made by a newer version. One that only cannot be
            reached is waited for in the background.
    """
    opened = None
    if store is None:
        store = opened = await Store.open(settings.database, catalog_refresh=settings.catalog_refresh)
    keepers: list[asyncio.Task[None]] = []
    try:
        parts = Parts(settings, store, client or await connect(lazy=True))
        try:
            await parts.migrate()
        except StoreUnavailable as error:
            logger.warning("%s; the API answers 503 until it can", error)
        keepers = [asyncio.create_task(parts.keep()), asyncio.create_task(parts.ensure())]
        yield parts
    finally:
        for keeper in keepers:
            keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await keeper
        if opened is not None:
            await opened.close()
