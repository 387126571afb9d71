"""Steering one instance: pause, resume, exit, stop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from datetime import timedelta
from typing import Any, Literal

from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode

from sojourn.contract import names
from sojourn.contract.event_result import RoutingUnavailable
from sojourn.routing.instance_gateway import Unreachable, bounded
from sojourn.steering.instances import InstanceNotFound, read_instance
from sojourn.temporal.connection import RPC_DEADLINE

InstanceAct = Literal["pause", "resume", "exit", "stop"]
"""What can be done with one instance."""

ENDING_SECONDS = 2.0
"""How long the end of an instance that was told to end is waited for, so that the answer can show it."""

_POLL = 0.05
_TIMEOUT = timedelta(seconds=RPC_DEADLINE)


class InstanceEnded(Exception):
    """The instance has ended, so that nothing can be done with it."""


async def steer_instance(
    client: Client, workflow_id: str, act: InstanceAct, reason: str = "", *, private_keys: bool = False
) -> dict[str, Any]:
    """Pause, resume, exit or stop one instance.

    These are signals, and a cancellation: Temporal keeps them while no worker runs, which it does not do with updates.

    Args:
        client: A client of Temporal.
        workflow_id: The instance, as `read_instance` takes it.
        act: What to do.
        reason: Of an exit: the text of its outcome.
        private_keys: The deployment hashes profile keys.

    Returns:
        The instance behind that, as `read_instance` gives it. Where no worker answers, what was asked for shows later.

    Raises:
        InstanceNotFound: There is none.
        InstanceEnded: It has ended.
        RoutingUnavailable: Temporal cannot be reached.
    """
    # Also finds it by a key whose hash is in the id.
    found = await read_instance(client, workflow_id, private_keys=private_keys)
    if found["status"] not in ("running", "paused"):
        raise InstanceEnded
    identity = str(found["workflow_id"])
    try:
        await bounded(_ask(client.get_workflow_handle(identity), act, reason))
    except Unreachable as error:
        raise RoutingUnavailable(str(error)) from error
    except RPCError as error:
        if error.status == RPCStatusCode.NOT_FOUND:
            raise InstanceEnded from error
        raise
    if act in ("exit", "stop") and found["source"] == "worker":
        return await _ended(client, identity, private_keys)
    return await read_instance(client, identity, private_keys=private_keys)


def _ask(handle: WorkflowHandle[Any, Any], act: InstanceAct, reason: str) -> Awaitable[None]:
    if act == "stop":
        return handle.cancel(rpc_timeout=_TIMEOUT)
    if act == "exit":
        return handle.signal(names.SIGNAL_EXIT, reason, rpc_timeout=_TIMEOUT)
    signal = names.SIGNAL_PAUSE if act == "pause" else names.SIGNAL_RESUME
    return handle.signal(signal, rpc_timeout=_TIMEOUT)


async def _ended(client: Client, workflow_id: str, private_keys: bool) -> dict[str, Any]:
    deadline = asyncio.get_running_loop().time() + ENDING_SECONDS
    while True:
        instance = await read_instance(client, workflow_id, private_keys=private_keys)
        if instance["outcome"] is not None or asyncio.get_running_loop().time() >= deadline:
            return instance
        await asyncio.sleep(_POLL)


__all__ = ["InstanceAct", "InstanceEnded", "InstanceNotFound", "steer_instance"]
