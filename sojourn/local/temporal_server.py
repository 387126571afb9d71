"""The embedded Temporal: how it is started."""

from __future__ import annotations

from pathlib import Path

from sojourn.temporal.binary import SEARCH_ATTRIBUTES

_DYNAMIC_CONFIG = {
    # With few pollers, four partitions make some tasks wait for seconds.
    "matching.numTaskqueueReadPartitions": "1",
    "matching.numTaskqueueWritePartitions": "1",
    # Timers fire within a tenth of a second, not a second: short waits of examples are then what they say.
    "history.timerProcessorMaxTimeShift": '"100ms"',
    "system.forceSearchAttributesCacheRefreshOnRead": "true",
    # One journey with a million calls to a throttled action does not make the others wait.
    "matching.enableFairness": "true",
    # Else a partition hands out 1,000 tasks a second, whatever a throttle says.
    "admin.matchingNamespaceTaskqueueToPartitionDispatchRate": "5000",
}


def server_command(binary: str, *, database: Path, port: int, ui_port: int) -> list[str]:
    """Return the command line of an embedded Temporal server.

    Args:
        binary: Path of the `temporal` program.
        database: SQLite file that keeps everything; made when missing.
        port: Port of the gRPC interface, on the loopback address.
        ui_port: Port of the Web UI, on the loopback address.
    """
    command = [
        binary,
        "server",
        "start-dev",
        "--ip",
        "127.0.0.1",
        "--port",
        str(port),
        "--ui-port",
        str(ui_port),
    ]
    command += ["--db-filename", str(database), "--log-level", "warn", "--log-format", "json"]
    # WAL makes it four to six times as fast; `synchronous=1` (NORMAL) is what WAL needs to survive a crash.
    command += ["--sqlite-pragma", "journal_mode=WAL", "--sqlite-pragma", "synchronous=1"]
    for key, value in _DYNAMIC_CONFIG.items():
        command += ["--dynamic-config-value", f"{key}={value}"]
    # Only heard when the file is new; for older ones the worker adds what is missing.
    for name, kind in SEARCH_ATTRIBUTES.items():
        command += ["--search-attribute", f"{name}={kind}"]
    return command
