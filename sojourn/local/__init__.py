"""The processes of one machine: Temporal's dev server, workers and the API, started and ended together.

`sojourn dev` and `sojourn demo` are built on `Stack`:

    async with Stack(folder, ports=Ports.free()) as stack:
        await stack.run(work(stack.api_url))
"""

from __future__ import annotations

from sojourn.local.child import Child, ProcessError
from sojourn.local.guard import Guard
from sojourn.local.ports import PortChoice, Ports, free_port, port_is_free
from sojourn.local.signals import run_until_stopped
from sojourn.local.stack import Stack
from sojourn.temporal.binary import TemporalMissingError, find_temporal_binary

__all__ = [
    "Child",
    "Guard",
    "PortChoice",
    "Ports",
    "ProcessError",
    "Stack",
    "TemporalMissingError",
    "find_temporal_binary",
    "free_port",
    "port_is_free",
    "run_until_stopped",
]
