"""TCP ports on this machine: which are free, and which to use instead of one that is taken."""

from __future__ import annotations

import contextlib
import random
import socket
from dataclasses import dataclass

from sojourn.contract.default_ports import DEFAULT_API_PORT, DEFAULT_TEMPORAL_PORT, DEFAULT_UI_PORT

LOOPBACK = "127.0.0.1"

_QUIET = range(15000, 32000)
"""Ports that operating systems do not hand out to outgoing connections (Linux takes those from 32768 on, others from
49152 on). One of those could be taken by any process between being found free here and being listened on."""

_chance = random.SystemRandom()


def free_port() -> int:
    """Return a TCP port of the loopback address on which nothing listens at the moment, and hardly will soon."""
    for candidate in _chance.sample(_QUIET, 100):
        if port_is_free(candidate):
            return candidate
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def port_is_free(port: int) -> bool:
    """Say whether a server could listen on a port of the loopback address now."""
    with socket.socket() as probe:
        # As servers do it: connections of an earlier server that are still closing do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    # Some systems let a second server bind the loopback address beside one that listens on all addresses.
    return not something_answers(port)


def something_answers(port: int) -> bool:
    """Say whether a connection to a port of the loopback address is accepted."""
    with contextlib.suppress(OSError), socket.create_connection((LOOPBACK, port), timeout=0.5):
        return True
    return False


@dataclass(frozen=True)
class PortChoice:
    """A port that was wanted, was taken, and what is used instead."""

    what: str
    wanted: int
    used: int


@dataclass(frozen=True)
class Ports:
    """The three ports of a stack."""

    temporal: int
    ui: int
    api: int
    moved: tuple[PortChoice, ...] = ()
    """Ports that are not the wanted ones, because those were taken."""

    @classmethod
    def free(cls) -> Ports:
        """Return ports that are free now, for stacks that nobody needs to find."""
        chosen: list[int] = []
        while len(chosen) < 3:
            port = free_port()
            if port not in chosen:
                chosen.append(port)
        return cls(chosen[0], chosen[1], chosen[2])

    @classmethod
    def preferred(
        cls, temporal: int = DEFAULT_TEMPORAL_PORT, ui: int = DEFAULT_UI_PORT, api: int = DEFAULT_API_PORT
    ) -> Ports:
        """Return the wanted ports, each moved to the next free one where it is taken.

        Args:
            temporal: Port of Temporal's gRPC interface.
            ui: Port of Temporal's Web UI.
            api: Port of Sojourn's API.
        """
        used: list[int] = []
        moved: list[PortChoice] = []
        for what, wanted in (("Temporal", temporal), ("Temporal Web UI", ui), ("API", api)):
            port = _next_free(wanted, used)
            used.append(port)
            if port != wanted:
                moved.append(PortChoice(what, wanted, port))
        return cls(used[0], used[1], used[2], moved=tuple(moved))


def _next_free(wanted: int, used: list[int]) -> int:
    """Return the first free port from `wanted` on; near ports are easier to remember than random ones."""
    for port in range(wanted, min(wanted + 50, 65536)):
        if port not in used and port_is_free(port):
            return port
    return free_port()
