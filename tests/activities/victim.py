"""A worker process for a test to kill: `python -m tests.activities.victim ADDRESS QUEUE URL AT_ONCE`."""

from __future__ import annotations

import asyncio
import sys

from temporalio.client import Client
from temporalio.worker import Worker

from sojourn.activities import AddressGuard, Calls, StaticEndpoints, Transport
from sojourn.definitions import EndpointDefinition


async def main(address: str, queue: str, url: str, at_once: str) -> None:
    """Perform actions at a URL until killed."""
    endpoint = EndpointDefinition.load({"kind": "action", "name": "act", "url": url})
    client = await Client.connect(address)
    transport = Transport(AddressGuard(["127.0.0.1"]))
    async with Calls(StaticEndpoints({"action:act": endpoint}), transport=transport) as calls:
        worker = Worker(
            client, task_queue=queue, activities=calls.activities, max_concurrent_activities=int(at_once)
        )
        await worker.run()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
