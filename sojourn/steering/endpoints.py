"""What an operator sees of endpoints: how they are called, their limits, and how many calls wait for their turn."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client
from temporalio.service import RPCError

from sojourn.contract import names
from sojourn.contract.call_failure import CallFailure
from sojourn.definitions.durations import write_duration
from sojourn.store import Catalog
from sojourn.store.call_failures import as_dict

BACKLOG_DEADLINE = 2.0
"""Seconds that counting the waiting calls of all endpoints may take. What is not known then is not shown."""

AT_ONCE = 20
"""Queues that are asked about at the same time."""

LIMITS = ("cap", "throttle")


def summary(catalog: Catalog, key: tuple[str, str], error: CallFailure | None) -> dict[str, Any]:
    """Return an endpoint as a list shows it, without the number of waiting calls.

    Args:
        catalog: What is published.
        key: Kind and name of an endpoint in it.
        error: Its last failure, where there is one.
    """
    definition = catalog.endpoints[key]
    return {
        "kind": key[0],
        "name": key[1],
        "description": definition.get("description"),
        "method": definition.get("method"),
        "host": _host(definition.get("url")),
        "python": definition.get("python"),
        **{limit: _in_force(catalog, key, limit) for limit in LIMITS},
        "waiting": None,
        "last_error": None if error is None else as_dict(error),
    }


def details(catalog: Catalog, key: tuple[str, str]) -> dict[str, Any]:
    """Return what a list leaves out: how the endpoint is defined, which secrets it names, who calls it."""
    from sojourn.definitions import EndpointDefinition  # heavy, and only operators need it

    definition, set_by_operator = catalog.published_endpoints[key], catalog.limits.get(key)
    return {
        "definition": definition,
        "secrets": sorted(EndpointDefinition.load(definition).secret_names()),
        "published": {limit: written(definition.get(limit)) for limit in LIMITS},
        "changed_at": set_by_operator and set_by_operator.changed_at,
        "journeys": sorted(
            name for name, record in catalog.journeys.items() if _calls(record.latest.definition, key)
        ),
    }


def written(limit: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return a limit with its durations as people write them."""
    if limit is None:
        return None
    durations = {name: write_duration(limit[name]) for name in ("per", "expire") if name in limit}
    return {"calls": limit["calls"], **durations}


def overridden(kind: str, name: str, limits: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return what a publisher is told of limits that an operator set for a published endpoint."""
    shown = " and ".join(
        f"{limit} of {value['calls']:,} in {write_duration(value['per'])}" for limit, value in limits.items()
    )
    message = (
        f"the {kind} {name} keeps the {shown} that an operator set, whatever its definition says; "
        f"`sojourn endpoints reset {name}` puts it back"
    )
    return {"kind": kind, "name": name, "limits": list(limits), "message": message}


async def waiting_calls(client: Client, task_queue: str, endpoint: str) -> int | None:
    """Return how many calls wait for their turn at a throttled action; None where that is not known.

    Args:
        client: Any client of the namespace.
        task_queue: The task queue of journeys.
        endpoint: The action's name.
    """
    request = DescribeTaskQueueRequest(
        namespace=client.namespace,
        task_queue=TaskQueue(name=names.throttled_queue(task_queue, endpoint)),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
        report_stats=True,
    )
    try:
        async with asyncio.timeout(BACKLOG_DEADLINE):
            found = await client.workflow_service.describe_task_queue(
                request, timeout=timedelta(seconds=BACKLOG_DEADLINE)
            )
    except (RPCError, RuntimeError, TimeoutError):
        # Not reachable, not allowed, or too old for it: that is no reason to show nothing of the endpoint.
        return None
    return found.stats.approximate_backlog_count if found.HasField("stats") else None


async def count_waiting(client: Client, task_queue: str, endpoints: list[dict[str, Any]]) -> None:
    """Fill in `waiting` of summaries that have a throttle, as far as it can be had within the deadline."""
    free = asyncio.Semaphore(AT_ONCE)

    async def count(endpoint: dict[str, Any]) -> None:
        async with free:
            endpoint["waiting"] = await waiting_calls(client, task_queue, endpoint["name"])

    try:
        async with asyncio.timeout(BACKLOG_DEADLINE):
            await asyncio.gather(*(count(endpoint) for endpoint in endpoints if endpoint["throttle"]))
    except TimeoutError:
        pass


def _in_force(catalog: Catalog, key: tuple[str, str], limit: str) -> dict[str, Any] | None:
    shown = written(catalog.endpoints[key].get(limit))
    if shown is None:
        return None
    set_by_operator = catalog.limits.get(key)
    by_operator = set_by_operator is not None and limit in set_by_operator.values()
    return {**shown, "set_by": "operator" if by_operator else "definition"}


def _host(url: Any) -> str | None:
    """Return host and port of a URL, without a user that it may name."""
    if not isinstance(url, str):
        return None
    return urlsplit(url).netloc.rpartition("@")[2] or None


def _calls(journey: Mapping[str, Any], key: tuple[str, str]) -> bool:
    entry = (journey.get("endpoints") or {}).get(key[1]) or {}
    return bool(entry.get("kind") == key[0])
