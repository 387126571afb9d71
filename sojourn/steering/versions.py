"""Who is in which version of a journey, and who could be moved to the newest one."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from temporalio.client import Client, WorkflowExecution

from sojourn.contract import names
from sojourn.contract.event_result import RoutingUnavailable
from sojourn.routing.instance_gateway import Unreachable, bounded, version_of
from sojourn.steering.instances import _page, _token
from sojourn.steering.moves import Moved, ask
from sojourn.steering.visibility import running
from sojourn.store import JourneyRecord
from sojourn.temporal.connection import RPC_DEADLINE

AT_ONCE = 16
"""Instances that are asked at the same time."""

_TIMEOUT = timedelta(seconds=RPC_DEADLINE)


@dataclass(frozen=True, slots=True)
class AskedPage:
    """Which of some instances could be moved, and how to go on with the next ones.

    Attributes:
        instances: Those that are not in the newest version.
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
                known = await version_of(execution)
                counts[known] = counts.get(known, 0) + 1
            if not found.next_page_token:
                return counts
    except Unreachable as error:
        raise RoutingUnavailable(str(error)) from error


async def movable_instances(
    client: Client,
    record: JourneyRecord,
    *,
    search_attributes: bool,
    version: int | None = None,
    limit: int = 100,
    page: str | None = None,
) -> AskedPage:
    """Ask instances of earlier versions whether they could be moved to the newest one. Changes nothing.

    Args:
        client: A client of Temporal.
        record: The journey.
        search_attributes: Instances have search attributes.
        version: Only those in this version.
        limit: Most instances to look at.
        page: `next_page` of the page before.

    Raises:
        FilterError: The page is not one that was returned with the same filters.
        RoutingUnavailable: Temporal cannot be reached.
    """
    query = running(record.name, search_attributes=search_attributes)
    found = client.list_workflows(
        query, page_size=limit, next_page_token=_token(page, query), rpc_timeout=_TIMEOUT
    )
    slots = asyncio.Semaphore(AT_ONCE)

    async def one(execution: WorkflowExecution) -> Moved | None:
        async with slots:
            known = await version_of(execution)
            newest = record.latest.version
            if known == newest or (version is not None and known not in (version, None)):
                return None
            return await ask(client, execution, record.latest.definition)

    try:
        await bounded(found.fetch_next_page())
        token = found.next_page_token
        results = await asyncio.gather(*(one(execution) for execution in found.current_page or ()))
    except Unreachable as error:
        raise RoutingUnavailable(str(error)) from error
    return AskedPage([result for result in results if result], _page(token, query) if token else None)
