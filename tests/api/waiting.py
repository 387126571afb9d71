"""A workflow whose activities nobody takes."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from temporalio import workflow


@workflow.defn(name="tests.Queueing")
class Queueing:
    """Puts activities into a queue, and waits for them."""

    @workflow.run
    async def run(self, queue: str, count: int) -> None:
        """Schedule as many activities."""
        activities = [
            workflow.start_activity(
                "tests.nothing", task_queue=queue, schedule_to_close_timeout=timedelta(days=9)
            )
            for _ in range(count)
        ]
        await asyncio.gather(*activities)
