"""Who is in which version of a journey, and moving instances to the newest one."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from temporalio.client import Client, WorkflowExecution, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from sojourn import names
from sojourn.routing.finding import running
from sojourn.routing.instances import _page, _token
from sojourn.routing.model import RoutingUnavailable
from sojourn.routing.temporal import VERSION, Unreachable, bounded
from sojourn.store import JourneyRecord, Store
from sojourn.store.entries import Move
from sojourn.temporal import RPC_DEADLINE

AT_ONCE = 16
"""Instances that are asked at the same time."""

PATIENCE = 10.0
"""Seconds that a worker has to answer for one instance."""

_TIMEOUT = timedelta(seconds=RPC_DEADLINE)


@dataclass(frozen=True, slots=True)
class Moved:
    """What became of one instance.

    Attributes:
        workflow_id: The instance.
        effect: `moved`, `movable` (it was only asked), or `refused`.
        version: The version in which it was.
        code: Why it was refused, see `sojourn.workflows.moving.Obstacle`; `no_answer` where no worker answered, `code`
            where its journey is Python.
        message: The same for people.
    """

    workflow_id: str
    effect: str
    version: int | None
    code: str | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True)
class MovedPage:
    """What became of some instances, and how to go on with the next ones.

    Attributes:
        instances: Those that are not in the newest version, or were not.
        next_page: What to give as `page`; None at the end.
    """

    instances: list[Moved]
    next_page: str | None


async def count_versions(
    client: Client, record: JourneyRecord, *, search_attributes: bool
) -> dict[int | None, int]:
    """Return how many instances run each version; under None those of which it is not known.

    Args:
        client: A client of Temporal.
        record: The journey.
        search_attributes: Instances have search attributes; without them each is looked at.

    Raises:
        RoutingUnavailable: Temporal cannot be reached.
    """
    query = running(record.name, search_attributes=search_attributes)
    counts: dict[int | None, int] = {}
    try:
        if search_attributes:
            total = (await bounded(client.count_workflows(query, rpc_timeout=_TIMEOUT))).count
            for version in sorted(record.versions, reverse=True):
                if total <= sum(counts.values()):
                    break
                which = f"{query} AND {names.SEARCH_VERSION} = {version}"
                counts[version] = (await bounded(client.count_workflows(which, rpc_timeout=_TIMEOUT))).count
            rest = total - sum(counts.values())
            return counts | ({None: rest} if rest > 0 else {})
        found = client.list_workflows(query, rpc_timeout=_TIMEOUT)
        while True:
            await bounded(found.fetch_next_page())
            for execution in found.current_page or ():
                known = await _version(execution)
                counts[known] = counts.get(known, 0) + 1
            if not found.next_page_token:
                return counts
    except Unreachable as error:
        raise RoutingUnavailable(str(error)) from error


async def move_instances(
    client: Client,
    store: Store,
    record: JourneyRecord,
    *,
    search_attributes: bool,
    version: int | None = None,
    dry_run: bool = False,
    limit: int = 100,
    page: str | None = None,
) -> MovedPage:
    """Move instances of earlier versions to the newest one, as far as each stands at a wait that both have.

    Doing so again is harmless: what was moved is passed over, and an entry that was not written down is.

    Args:
        client: A client of Temporal.
        store: Where entries are kept.
        record: The journey.
        search_attributes: Instances have search attributes.
        version: Only those in this version.
        dry_run: Only ask whether they could be.
        limit: Most instances to look at.
        page: `next_page` of the page before.

    Raises:
        ValueError: The page is none.
        RoutingUnavailable: Temporal or the database cannot be reached.
    """
    query = running(record.name, search_attributes=search_attributes)
    found = client.list_workflows(
        query, page_size=limit, next_page_token=_token(page, query), rpc_timeout=_TIMEOUT
    )
    slots = asyncio.Semaphore(AT_ONCE)

    async def one(execution: WorkflowExecution) -> Moved | None:
        async with slots:
            known = await _version(execution)
            newest = record.latest.version
            if known == newest or (version is not None and known not in (version, None)):
                return None
            return await move_instance(client, store, record, execution, dry_run=dry_run)

    try:
        await bounded(found.fetch_next_page())
        token = found.next_page_token
        results = await asyncio.gather(*(one(execution) for execution in found.current_page or ()))
    except Unreachable as error:
        raise RoutingUnavailable(str(error)) from error
    return MovedPage([result for result in results if result], _page(token, query) if token else None)


async def move_instance(
    client: Client,
    store: Store,
    record: JourneyRecord,
    execution: WorkflowExecution,
    *,
    dry_run: bool = False,
) -> Moved | None:
    """Move one instance to the newest version of its journey; None where it is there already, or has ended.

    Raises:
        Unreachable: Temporal cannot be reached.
    """
    newest = record.latest
    known = await _version(execution)
    if execution.workflow_type != names.WORKFLOW_JOURNEY or "workflow" in newest.definition:
        message = (
            "a journey in Python is moved by deploying its code: workflow.patched keeps those inside working"
        )
        return Moved(execution.id, "refused", known, "code", message)
    handle = client.get_workflow_handle(execution.id)
    given = {"definition": newest.definition}
    try:
        async with asyncio.timeout(PATIENCE):
            if dry_run:
                answer = await handle.query(names.QUERY_MOVABLE, given)
                obstacle = answer["obstacle"]
            else:
                answer, obstacle = await handle.execute_update(names.UPDATE_MOVE, given), None
    except WorkflowUpdateFailedError as error:
        detail = _detail(error)
        answer = obstacle = detail
    except TimeoutError:
        return Moved(execution.id, "refused", known, "no_answer", "no worker answered in time")
    except RPCError as error:
        if error.status == RPCStatusCode.NOT_FOUND:
            return None
        return Moved(execution.id, "refused", known, "no_answer", error.message)
    settled = obstacle is None or obstacle["code"] == "already"
    if settled and not dry_run:
        # Events are delivered by the version that the ledger knows. It follows, so that a repetition mends it.
        part = names.profile_part(answer["profile"])
        await store.ledger.write(Move(record.name, part, execution.id, newest.version))
    if obstacle is None:
        return Moved(execution.id, "movable" if dry_run else "moved", answer["version"])
    if obstacle["code"] in ("already", "ended"):
        return None
    return Moved(execution.id, "refused", answer.get("version", known), obstacle["code"], obstacle["message"])


def _detail(error: WorkflowUpdateFailedError) -> dict[str, Any]:
    cause = error.cause
    if isinstance(cause, ApplicationError) and cause.details and isinstance(cause.details[0], dict):
        return dict(cause.details[0])
    return {"code": "no_answer", "message": str(cause)}


async def _version(execution: WorkflowExecution) -> int | None:
    found = execution.typed_search_attributes.get(VERSION)
    known = found if found is not None else await execution.memo_value(names.MEMO_VERSION, None)
    return known if isinstance(known, int) else None
