"""One round of an operation: find the instances that it concerns, and do with each what is to be done."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import timedelta
from functools import partial
from typing import Any

from temporalio.client import Client, WorkflowExecution
from temporalio.service import RPCError, RPCStatusCode

from sojourn.contract import names
from sojourn.routing.admission import Admission
from sojourn.routing.instance_gateway import CLOSED, Temporal, bounded, version_of
from sojourn.settings import Settings
from sojourn.steering import moves
from sojourn.steering.visibility import instances_of
from sojourn.store import Store
from sojourn.store.operations import MOVE, Item, Obstacle, Operation
from sojourn.temporal.connection import RPC_DEADLINE

AT_ONCE = 32
"""Instances that are worked on side by side."""

BATCH = 50
"""Instances after which progress is written down, and the operation asks whether it is still wanted."""

PAGE = 500

_log = logging.getLogger(__name__)
_SIGNALS = {"pause": names.SIGNAL_PAUSE, "resume": names.SIGNAL_RESUME}
_TIMEOUT = timedelta(seconds=RPC_DEADLINE)
_Work = Callable[[Operation, Item], Awaitable[Obstacle | None]]


class Operator:
    """Does the work of operations. Any number of processes may: each step is harmless when done twice.

    Args:
        store: Where operations and entries are kept.
        client: A client of Temporal.
        settings: Task queue, search attributes, privacy.
    """

    def __init__(self, store: Store, client: Client, settings: Settings) -> None:
        self._store = store
        self._client = client
        self._settings = settings
        self._admission = Admission(
            store.ledger, Temporal(client, settings), private_keys=settings.private_keys
        )

    async def work(self, number: int) -> dict[str, Any]:
        """Do one round of an operation.

        The state of the journey was changed before the operation began, and every entry reads it in the transaction in
        which it is reserved. So once no entry is under way any more, all instances that there will be are there: those
        of the last minutes are in the ledger, the others can be seen in Temporal.

        Returns:
            The operation as plain JSON. Its state is `running` where another round is needed.

        Raises:
            LookupError: There is no such operation.
            Unreachable: Temporal cannot be reached.
            StoreUnavailable: The database cannot be reached.
        """
        operations = self._store.operations
        operation = await self._read(number)
        if operation.state == "running" and not await self._has_to_wait(operation):
            entering = await self._entering(operation)
            new = await self._find(operation)
            if await self._work_off(operation) and new == 0 and entering == 0:
                await operations.end(operation)
            operation = await self._read(number)
        if operation.state == "superseded":
            await operations.forget(number)
        return operation.as_dict()

    async def _has_to_wait(self, operation: Operation) -> bool:
        """Say whether a move has to wait for a pause, a resume or a stop that was begun before it.

        Those concern the versions that there were: an instance that is in a newer one by then would escape them.
        """
        if operation.kind != MOVE:
            return False
        beside = await self._store.operations.list(journey=operation.journey, state="running")
        return any(other.kind != MOVE and other.id < operation.id for other in beside)

    async def _read(self, number: int) -> Operation:
        operation = await self._store.operations.get(number)
        if operation is None:
            raise LookupError(f"there is no operation {number}")
        return operation

    async def _entering(self, operation: Operation) -> int:
        """Return how many entries are under way, behind those whose process has died: these are settled."""
        for entry in await self._store.ledger.abandoned(for_longer_than=0.0):
            if entry.journey == operation.journey:
                await self._admission.settle(entry)
        return await self._store.operations.entering(operation)

    async def _find(self, operation: Operation) -> int:
        """Write down the instances that there are now; returns how many are new."""
        operations = self._store.operations
        new = await operations.found(operation, await operations.entered(operation))
        page: list[Item] = []
        async for item in self._visible(operation):
            page.append(item)
            if len(page) >= PAGE:
                new += await operations.found(operation, page)
                page = []
        return new + await operations.found(operation, page)

    async def _visible(self, operation: Operation) -> AsyncIterator[Item]:
        listed = instances_of(
            self._client, operation.journey, search_attributes=self._settings.search_attributes
        )
        async for execution in listed:
            if operation.concerns(await version_of(execution)):
                yield Item(execution.id, _first_run(execution))

    async def _work_off(self, operation: Operation) -> bool:
        """Do the work with every instance that was found; returns False where the operation was superseded."""
        operations = self._store.operations
        slots = asyncio.Semaphore(AT_ONCE)
        work = await self._work_of(operation)
        while items := await operations.pending(operation.id, BATCH):
            if (await self._read(operation.id)).state != "running":
                return False
            outcomes = await asyncio.gather(
                *(self._apply(operation, item, work, slots) for item in items), return_exceptions=True
            )
            # What was done is written down before a failure ends the round.
            await operations.settle(
                operation.id,
                {
                    item.workflow_id: outcome
                    for item, outcome in zip(items, outcomes, strict=True)
                    if not isinstance(outcome, BaseException)
                },
            )
            for outcome in outcomes:
                if isinstance(outcome, BaseException):
                    raise outcome
        return True

    async def _work_of(self, operation: Operation) -> _Work:
        """Return what is done with each instance."""
        if operation.kind != MOVE:
            return self._stop if operation.kind == "stop" else self._signal
        # To the version that was the newest when somebody asked for it, whatever was published since.
        record = (await self._store.catalog(newest=True)).journeys[operation.journey]
        return partial(self._move, record.versions[operation.through + 1].definition)

    async def _apply(
        self, operation: Operation, item: Item, work: _Work, slots: asyncio.Semaphore
    ) -> Obstacle | None:
        """Do the work with one instance. Returns why it cannot be done, or None; an instance that has ended is done.

        Raises:
            Unreachable: Temporal cannot say; the next attempt does it again.
        """
        async with slots:
            try:
                return await work(operation, item)
            except RPCError as error:
                if error.status == RPCStatusCode.NOT_FOUND:
                    return None
                _log.warning("operation %d: %s: %s", operation.id, item.workflow_id, error.message)
                return Obstacle("temporal", error.message)

    async def _signal(self, operation: Operation, item: Item) -> Obstacle | None:
        # By workflow id alone: the instance may begin a new run at any time, and knows itself whether it is meant.
        handle = self._client.get_workflow_handle(item.workflow_id)
        order: Mapping[str, Any] = {
            "operation": operation.id,
            "version": operation.version,
            "through": operation.through,
        }
        await bounded(handle.signal(_SIGNALS[operation.kind], order, rpc_timeout=_TIMEOUT))
        return None

    async def _stop(self, operation: Operation, item: Item) -> Obstacle | None:
        first = item.run_id
        if first is None:
            found = await self._standing(operation, item)
            if found is None:
                return None
            first = _first_run(found)
        # By its first run: an instance that the same profile has entered since is another one.
        handle = self._client.get_workflow_handle(item.workflow_id, first_execution_run_id=first)
        await bounded(handle.cancel(rpc_timeout=_TIMEOUT))
        return None

    async def _move(self, target: Mapping[str, Any], operation: Operation, item: Item) -> Obstacle | None:
        found = await self._standing(operation, item)
        moved = None if found is None else await moves.move(self._client, self._store, found, target)
        if moved is None or moved.effect == "moved":
            return None
        return Obstacle(moved.code or "no_answer", moved.message or "")

    async def _standing(self, operation: Operation, item: Item) -> WorkflowExecution | None:
        """Return an instance as it is now, unless it has ended or is none of the operation's business."""
        handle = self._client.get_workflow_handle(item.workflow_id)
        found = await bounded(handle.describe(rpc_timeout=_TIMEOUT))
        if found.status in CLOSED or not operation.concerns(await version_of(found)):
            return None
        return found


def _first_run(execution: WorkflowExecution) -> str | None:
    return execution.raw_info.first_run_id or None
