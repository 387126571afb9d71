"""Repeats a query that a worker refused because it came too early, see `sojourn.temporal.task_time`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from temporalio.client import Interceptor, OutboundInterceptor, QueryWorkflowInput, WorkflowQueryFailedError

from sojourn.contract import names

_PAUSES = (0.02, 0.1, 0.5)
"""Seconds between two tries of a query. What is waited for is on its way to a worker."""

_Answer = TypeVar("_Answer")


async def ask_again(question: Callable[[], Awaitable[_Answer]]) -> _Answer:
    """Ask a query, and ask again if a worker refused it as too early; at most three times.

    Args:
        question: Asks it once.

    Raises:
        WorkflowQueryFailedError: It failed for another reason, or was refused again and again.
    """
    for pause in _PAUSES:
        try:
            return await question()
        except WorkflowQueryFailedError as error:
            if names.QUERY_TOO_EARLY not in error.message:
                raise
        await asyncio.sleep(pause)
    return await question()


class AskAgain(Interceptor):
    """Lets a client do so with each of its queries, see `ask_again`."""

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:  # noqa: A002 - the SDK's name
        """Return what sees the client's calls."""
        # `connect` and the plugin each bring one.
        return next if isinstance(next, _Asking) else _Asking(next)


class _Asking(OutboundInterceptor):
    async def query_workflow(self, input: QueryWorkflowInput) -> Any:  # noqa: A002 - the SDK's name
        return await ask_again(lambda: self.next.query_workflow(input))
