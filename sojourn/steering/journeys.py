"""Steering journeys: their states in the database, and the operations that work through their instances."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError

from sojourn.contract import names
from sojourn.contract.event_result import RoutingUnavailable
from sojourn.contract.journey_states import Act, Kind
from sojourn.routing.event_index import has_ended
from sojourn.routing.instance_gateway import Temporal, Unreachable, bounded
from sojourn.settings import Settings
from sojourn.steering.visibility import instances_of
from sojourn.store import JourneyRecord, Store, journey_states
from sojourn.store.journey_states import Steered
from sojourn.store.operations import RECENT, Operation
from sojourn.temporal.connection import RPC_DEADLINE

_MOST_ASKED = 50
_log = logging.getLogger(__name__)


def _utc_now() -> datetime:
    return datetime.now(UTC)


def is_over(record: JourneyRecord, now: datetime) -> bool:
    """Say whether a journey lets nobody in any more, and is finished as soon as nobody is inside."""
    if record.state == "live":
        return has_ended(record.latest.definition, now)
    return record.state == "closed"


class Lifecycle:
    """Changes the states of journeys.

    Args:
        store: Where journeys are kept.
        client: A client of Temporal.
        settings: Task queue, search attributes.
        clock: Tells the time. For tests.
    """

    def __init__(
        self, store: Store, client: Client, settings: Settings, *, clock: Callable[[], datetime] = _utc_now
    ) -> None:
        self._store = store
        self._client = client
        self._settings = settings
        self._temporal = Temporal(client, settings)
        self._clock = clock

    async def act(self, journey: str, what: Act, version: int | None = None) -> Steered | None:
        """Pause, resume, close, stop or reopen a journey; None where there is none of that name.

        Its state is changed when this returns. What is done with its instances goes on in the background, on workers.

        Args:
            journey: The journey's name.
            what: What to do.
            version: Only with the instances of this version; the state stays. Not for `close` and `reopen`.

        Raises:
            ActRefused: The journey's state does not allow that.
            UnknownVersion: It has no such version.
            StoreUnavailable: The database cannot be reached.
        """
        if version is None:
            steered = await self._store.change(
                lambda connection: journey_states.act(connection, journey, what)
            )
        else:
            kind: Kind = what  # type: ignore[assignment]
            steered = await self._store.change(
                lambda connection: journey_states.act_on_version(connection, journey, kind, version)
            )
        await self._begin(steered)
        return steered

    async def move(self, journey: str, version: int | None = None) -> Steered | None:
        """Move instances to the journey's newest version in the background; None where there is none of that name.

        Those that cannot be moved are told by the operation's failures.

        Args:
            journey: The journey's name.
            version: Only those in this version.

        Raises:
            ActRefused: The journey is a draft, or the version is its newest.
            UnknownVersion: It has no such version.
            StoreUnavailable: The database cannot be reached.
        """
        steered = await self._store.change(
            lambda connection: journey_states.move(connection, journey, version)
        )
        await self._begin(steered)
        return steered

    async def _begin(self, steered: Steered | None) -> None:
        """Start what an act does in the background, where it does anything."""
        if steered is None or steered.operation is None:
            return
        try:
            await self.start(steered.operation)
        except RoutingUnavailable as error:
            # It is in the database, and `ensure` begins it as soon as Temporal is back.
            _log.warning("operation %d waits: %s", steered.operation.id, error)

    async def start(self, operation: Operation) -> None:
        """Start the workflow of an operation, unless it runs.

        Raises:
            RoutingUnavailable: Temporal cannot be reached, or does not take it.
        """
        call = self._client.start_workflow(
            names.WORKFLOW_OPERATION,
            {"operation": operation.id},
            id=names.operation_id(self._settings.task_queue, operation.id),
            task_queue=names.operations_queue(self._settings.task_queue),
            id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            static_summary=f"{operation.kind} {operation.journey}",
            rpc_timeout=timedelta(seconds=RPC_DEADLINE),
        )
        try:
            await bounded(call)
        except WorkflowAlreadyStartedError:
            return
        except (Unreachable, RPCError) as error:
            raise RoutingUnavailable(str(error)) from error

    async def ensure(self) -> None:
        """See to it that every operation that is not over has its workflow. To be called every few seconds.

        Raises:
            RoutingUnavailable: Temporal cannot be reached.
            StoreUnavailable: The database cannot be reached.
        """
        for operation in await self._store.operations.list(state="running", limit=1000):
            await self.start(operation)

    async def finish(self, journey: str | None = None) -> list[str]:
        """Set journeys to finished that let nobody in and have nobody inside.

        Args:
            journey: Look at this one only.

        Returns:
            Those that are finished now, and were not before.

        Raises:
            RoutingUnavailable: Temporal cannot be reached.
            StoreUnavailable: The database cannot be reached.
        """
        catalog = await self._store.catalog()
        finished = []
        for record in catalog.journeys.values():
            if journey not in (None, record.name) or not is_over(record, self._clock()):
                continue
            try:
                if await self._somebody_inside(record):
                    continue
            except (Unreachable, RPCError) as error:
                raise RoutingUnavailable(str(error)) from error
            if await self._finished(record):
                finished.append(record.name)
        return finished

    async def _finished(self, record: JourneyRecord) -> bool:
        version = record.latest.version
        return await self._store.change(
            lambda connection: journey_states.finish(connection, record.name, record.state, version)
        )

    async def _somebody_inside(self, record: JourneyRecord) -> bool:
        """Say whether an instance runs. The ledger knows of entries that visibility does not show yet."""
        searchable = self._settings.search_attributes
        async for _ in instances_of(self._client, record.name, search_attributes=searchable):
            return True
        since = self._clock() - RECENT
        entries = await self._store.operations.open_entries(record.name, since, _MOST_ASKED)
        for entry in entries:
            if entry.reserved:
                return True
            run = await self._temporal.latest(entry.workflow_id)
            if run is not None and run.running:
                return True
            await self._store.operations.close_entry(record.name, entry)
        # Where there are many, the next look goes on.
        return len(entries) == _MOST_ASKED
