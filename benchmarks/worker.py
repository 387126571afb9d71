"""A worker process for the benchmark: `python -m benchmarks.worker sojourn|plain ADDRESS QUEUE TARGET_PORT`."""

from __future__ import annotations

import asyncio
import signal
import sys

from temporalio.client import Client
from temporalio.worker import Worker

from benchmarks import plain
from benchmarks.journeys import project


async def main(kind: str, address: str, queue: str, port: int) -> None:
    """Run until terminated."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    client = await Client.connect(address)
    sender = plain.Sender(f"http://127.0.0.1:{port}/send")
    if kind == "plain":
        worker = Worker(
            client, task_queue=queue, workflows=list(plain.WORKFLOWS.values()), activities=[sender.send]
        )
    else:
        from sojourn.activities import AddressGuard, Calls, StaticEndpoints, Transport
        from sojourn.plugin import JourneyPlugin

        transport = Transport(AddressGuard(["127.0.0.1"]))
        calls = Calls(StaticEndpoints(project(port).endpoints), transport=transport)
        worker = Worker(client, task_queue=queue, plugins=[JourneyPlugin(calls=calls)])
    async with worker:
        print("ready", flush=True)
        await stop.wait()
    await sender.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])))
