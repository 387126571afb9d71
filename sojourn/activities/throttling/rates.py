"""The rate that Temporal's server keeps for a task queue."""

from __future__ import annotations

import math

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import RateLimit, TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest, UpdateTaskQueueConfigRequest
from temporalio.client import Client

_ACTIVITIES = TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY
_REASON = "throttle of an action, set by Sojourn's workers"


async def read_rate(client: Client, queue: str) -> float | None:
    """Return how many activities of a task queue the server hands out in a second; None where no limit is set.

    Raises:
        RPCError: The server does not answer, or does not let this client ask.
    """
    request = DescribeTaskQueueRequest(
        namespace=client.namespace,
        task_queue=TaskQueue(name=queue),
        task_queue_type=_ACTIVITIES,
        report_config=True,
    )
    answer = await client.workflow_service.describe_task_queue(request)
    limit = answer.config.queue_rate_limit
    if not answer.HasField("config") or not limit.HasField("rate_limit"):
        return None
    return float(limit.rate_limit.requests_per_second)


async def write_rate(client: Client, queue: str, rate: float | None) -> None:
    """Set how many activities of a task queue the server hands out in a second; None takes the limit away.

    Raises:
        RPCError: The server does not answer, does not know task queue configuration (before 1.29), or does not let
            this client set it.
    """
    limit = None if rate is None else RateLimit(requests_per_second=rate)
    request = UpdateTaskQueueConfigRequest(
        namespace=client.namespace,
        identity=client.identity,
        task_queue=queue,
        task_queue_type=_ACTIVITIES,
        update_queue_rate_limit=UpdateTaskQueueConfigRequest.RateLimitUpdate(
            rate_limit=limit, reason=_REASON
        ),
    )
    await client.workflow_service.update_task_queue_config(request)


def same_rate(first: float | None, second: float | None) -> bool:
    """Say whether two rates are the same to the server, which keeps them in single precision."""
    if first is None or second is None:
        return first is second
    return math.isclose(first, second, rel_tol=1e-6)
