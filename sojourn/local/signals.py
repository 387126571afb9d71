"""Running a coroutine until it is done or somebody asks the process to stop."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run_until_stopped(work: Coroutine[Any, Any, int]) -> int:
    """Run a coroutine; Ctrl-C, SIGTERM and the loss of the terminal cancel it, so that it can tidy up.

    A second signal cancels it again; `Stack` takes that as "at once".

    Args:
        work: What to do; it returns the exit status.

    Returns:
        That status, or 128 + the number of the signal that stopped it: 130 for Ctrl-C.
    """
    received: list[int] = []

    async def main() -> int:
        task = asyncio.ensure_future(work)
        loop = asyncio.get_running_loop()

        def stop(number: int) -> None:
            received.append(number)
            task.cancel()

        for number in STOP_SIGNALS:
            loop.add_signal_handler(number, stop, number)
        try:
            return await task
        except asyncio.CancelledError:
            if not received:
                raise
            return 128 + received[0]
        finally:
            for number in STOP_SIGNALS:
                loop.remove_signal_handler(number)

    return asyncio.run(main())
