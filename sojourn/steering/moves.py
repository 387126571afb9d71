"""Moving one instance to another version of its journey, or asking it whether it could be moved."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from temporalio.client import Client, WorkflowExecution, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from sojourn.contract import names
from sojourn.routing.instance_gateway import version_of
from sojourn.store import Store
from sojourn.store.entries.records import Move

PATIENCE = 10.0
"""Seconds that a worker has to answer for one instance."""

BUSY_TRIES = 5
"""How often an instance is asked that is just deciding what an event or a signal does."""

BUSY_SECONDS = 0.5
"""How long to leave it alone between that."""

_GONE = ("already", "ended")
_Answer = tuple[dict[str, Any], dict[str, Any] | None]


@dataclass(frozen=True, slots=True)
class Moved:
    """What became of one instance.

    Attributes:
        workflow_id: The instance.
        effect: `moved`, `movable` (it was only asked), or `refused`.
        version: The version in which it was.
        code: Why it was refused, see `Obstacle` of `sojourn.workflows`; `no_answer` where no worker answered, `code`
            where its journey is Python.
        message: The same for people.
    """

    workflow_id: str
    effect: str
    version: int | None
    code: str | None = None
    message: str | None = None


async def ask(client: Client, execution: WorkflowExecution, definition: Mapping[str, Any]) -> Moved | None:
    """Ask an instance whether it could be moved to a version; None where it is in that already, or has ended.

    Args:
        client: A client of Temporal.
        execution: The instance.
        definition: The version's compiled definition.
    """

    async def question(handle: WorkflowHandle[Any, Any]) -> _Answer:
        answer = await handle.query(names.QUERY_MOVABLE, {"definition": definition})
        return answer, answer["obstacle"]

    found, _ = await _told(client, execution, definition, question, "movable")
    return found


async def move(
    client: Client, store: Store, execution: WorkflowExecution, definition: Mapping[str, Any]
) -> Moved | None:
    """Move an instance to a version; None where it is in that already, or has ended.

    Doing so again is harmless, and writes the entry down that a process which died in between did not.

    Args:
        client: A client of Temporal.
        store: Where entries are kept.
        execution: The instance.
        definition: The version's compiled definition.

    Raises:
        StoreUnavailable: The database cannot be reached.
    """

    async def order(handle: WorkflowHandle[Any, Any]) -> _Answer:
        return await handle.execute_update(names.UPDATE_MOVE, {"definition": definition}), None

    for tried in range(1, BUSY_TRIES + 1):
        found, profile = await _told(client, execution, definition, order, "moved")
        if found is None or found.code != "busy" or tried == BUSY_TRIES:
            break
        await asyncio.sleep(BUSY_SECONDS)
    if profile is not None:
        # Events are delivered by the version that the ledger knows. It follows, so that a repetition mends it.
        part = names.profile_part(profile)
        await store.ledger.write(Move(str(definition["name"]), part, execution.id, definition["version"]))
    return found


async def _told(
    client: Client,
    execution: WorkflowExecution,
    definition: Mapping[str, Any],
    message: Callable[[WorkflowHandle[Any, Any]], Awaitable[_Answer]],
    effect: str,
) -> tuple[Moved | None, str | None]:
    """Return what an instance answered, and its profile where it is in the version now."""
    known = await version_of(execution)

    def refused(code: str, text: str) -> tuple[Moved, None]:
        return Moved(execution.id, "refused", known, code, text), None

    if execution.workflow_type != names.WORKFLOW_JOURNEY or "workflow" in definition:
        why = (
            "a journey in Python is moved by deploying its code: workflow.patched keeps those inside working"
        )
        return refused("code", why)
    try:
        async with asyncio.timeout(PATIENCE):
            answer, obstacle = await message(client.get_workflow_handle(execution.id))
    except WorkflowUpdateFailedError as error:
        answer = obstacle = _detail(error)
    except TimeoutError:
        return refused("no_answer", "no worker answered in time")
    except RPCError as error:
        if error.status == RPCStatusCode.NOT_FOUND:
            return None, None
        # Temporal gives up an update whose workflow task it does not take, as a signal came in the middle of it.
        met = error.status == RPCStatusCode.FAILED_PRECONDITION
        return refused("busy" if met else "no_answer", error.message)
    if obstacle is None:
        return Moved(execution.id, effect, answer["version"]), answer["profile"]
    if obstacle["code"] in _GONE:
        return None, answer["profile"] if obstacle["code"] == "already" else None
    return Moved(
        execution.id, "refused", answer.get("version", known), obstacle["code"], obstacle["message"]
    ), None


def _detail(error: WorkflowUpdateFailedError) -> dict[str, Any]:
    cause = error.cause
    if isinstance(cause, ApplicationError) and cause.details and isinstance(cause.details[0], dict):
        return dict(cause.details[0])
    return {"code": "no_answer", "message": str(cause)}
