"""What routing asks of Temporal: start an instance, deliver an event, say what runs. Each call is bounded."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from temporalio.client import (
    Client,
    WorkflowExecution,
    WorkflowExecutionDescription,
    WorkflowExecutionStatus,
)
from temporalio.common import (
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from sojourn.contract import names
from sojourn.contract.event_result import IncomingEvent
from sojourn.contract.markdown import escape
from sojourn.settings import Settings
from sojourn.store.entries.records import Entry
from sojourn.temporal.connection import RPC_DEADLINE, is_unavailable

Answer = TypeVar("Answer")

CLOSED = frozenset(
    {
        WorkflowExecutionStatus.COMPLETED,
        WorkflowExecutionStatus.FAILED,
        WorkflowExecutionStatus.CANCELED,
        WorkflowExecutionStatus.TERMINATED,
        WorkflowExecutionStatus.TIMED_OUT,
    }
)
"""The states of a workflow that has ended. Continued-as-new has not: another run goes on."""

NAME = SearchAttributeKey.for_keyword(names.SEARCH_JOURNEY)
VERSION = SearchAttributeKey.for_int(names.SEARCH_VERSION)
PROFILE = SearchAttributeKey.for_keyword(names.SEARCH_PROFILE)
STEP = SearchAttributeKey.for_keyword(names.SEARCH_STEP)


class Unreachable(Exception):
    """Temporal did not answer, or said that it cannot at the moment."""


class Rejected(Exception):
    """Temporal will not take this, however often it is sent."""


class TooManySignals(Rejected):
    """The instance has received as many events as one run may."""


@dataclass(frozen=True, slots=True)
class Run:
    """The latest run under a workflow id.

    Attributes:
        event_id: The entry event, as `event_key` gives it; `""` where it was started by someone else.
        running: It has not ended.
        version: The version of the journey, None where it does not say.
        started_at: When it was started, UTC.
    """

    event_id: str
    running: bool
    version: int | None
    started_at: datetime


async def bounded(call: Awaitable[Answer]) -> Answer:
    """Return the answer of a call to Temporal, within `RPC_DEADLINE`.

    Raises:
        Unreachable: There is none, or one that means "later".
        RPCError: Any other error.
    """
    try:
        async with asyncio.timeout(RPC_DEADLINE):
            return await call
    except TimeoutError as error:
        raise Unreachable(f"Temporal did not answer within {RPC_DEADLINE:g} seconds") from error
    except (RPCError, RuntimeError) as error:
        if not is_unavailable(error) and not _misconfigured(error):
            raise
        raise Unreachable(f"Temporal cannot be reached: {error}") from error


def _misconfigured(error: BaseException) -> bool:
    # Not the sender's fault, and cured by an operator: the event must not be lost for it.
    if not isinstance(error, RPCError):
        return False
    if error.status in (RPCStatusCode.PERMISSION_DENIED, RPCStatusCode.UNAUTHENTICATED):
        return True
    text = error.message.lower()
    return "search attribute" in text or (error.status == RPCStatusCode.NOT_FOUND and "namespace" in text)


class Temporal:
    """Temporal, as routing sees it."""

    def __init__(self, client: Client, settings: Settings) -> None:
        self._client = client
        self._settings = settings
        self._timeout = timedelta(seconds=RPC_DEADLINE)

    async def start(
        self, definition: dict[str, Any], entry: Entry, event: IncomingEvent, key: str, per: Any = None
    ) -> bool:
        """Start an instance.

        Args:
            definition: The compiled journey, with its version.
            entry: The entry that was reserved for it.
            event: The entry event.
            key: The profile key.
            per: The second key, as the event has it, where the journey has one.

        Returns:
            Whether it was started; False: something runs under that workflow id already.

        Raises:
            Unreachable: It may have been started, or not.
            Rejected: Temporal will never take it.
        """
        start = {
            "definition": definition,
            "event": message(event),
            "key": key,
            "mode": "live",
            # Part of the input, since an instance must go on as it began whatever is set later.
            "local_fetch": self._settings.local_fetch,
        }
        if per is not None:
            start["per"] = per
        call = self._client.start_workflow(
            definition.get("workflow", names.WORKFLOW_JOURNEY),
            start,
            id=entry.workflow_id,
            task_queue=self._settings.task_queue,
            id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            memo={names.MEMO_ENTRY_EVENT: entry.event_id, names.MEMO_VERSION: entry.version},
            search_attributes=self._attributes(definition, key),
            static_summary=f"{entry.journey} v{entry.version}",
            static_details=_details(definition),
            rpc_timeout=self._timeout,
        )
        try:
            await bounded(call)
        except WorkflowAlreadyStartedError:
            return False
        except RPCError as error:
            raise Rejected(f"Temporal does not take the instance: {error.message}") from error
        return True

    async def signal(self, workflow_id: str, event: IncomingEvent) -> bool:
        """Deliver an event to a running instance. Returns False where none runs.

        Raises:
            Unreachable: It may have been delivered, or not. The instance counts an event id once.
            TooManySignals: The instance takes no more.
            Rejected: Temporal will never take it.
        """
        handle = self._client.get_workflow_handle(workflow_id)
        try:
            await bounded(handle.signal(names.SIGNAL_EVENT, message(event), rpc_timeout=self._timeout))
        except RPCError as error:
            if error.status == RPCStatusCode.NOT_FOUND:
                return False
            if "signal" in error.message.lower() and "exceed" in error.message.lower():
                raise TooManySignals("the instance has received as many events as one run may") from error
            raise Rejected(f"Temporal does not take the event: {error.message}") from error
        return True

    async def latest(self, workflow_id: str) -> Run | None:
        """Return the latest run under a workflow id, or None where Temporal knows of none.

        Raises:
            Unreachable: Temporal cannot say.
        """
        try:
            found = await bounded(
                self._client.get_workflow_handle(workflow_id).describe(rpc_timeout=self._timeout)
            )
        except RPCError as error:
            if error.status == RPCStatusCode.NOT_FOUND:
                return None
            raise Unreachable(
                f"Temporal does not say what became of {workflow_id}: {error.message}"
            ) from error
        return await _run(found)

    def _attributes(self, definition: dict[str, Any], key: str) -> TypedSearchAttributes | None:
        if not self._settings.search_attributes:
            return None
        return TypedSearchAttributes(
            [
                SearchAttributePair(NAME, definition["name"]),
                SearchAttributePair(VERSION, definition["version"]),
                SearchAttributePair(PROFILE, names.profile_part(key, private=self._settings.private_keys)),
                # A journey that is code has no first step before it has run.
                SearchAttributePair(STEP, definition["first"] or ""),
            ]
        )


def _details(definition: dict[str, Any]) -> str:
    """Return what the Web UI shows of an instance even while no worker runs. Nothing of it is the customer's."""
    lines = [f"**{escape(definition['name'])}** version {definition['version']}"]
    if definition.get("description"):
        lines += ["", escape(definition["description"], 500)]
    lines += ["", f"entered on {escape(definition['entry']['event'])}"]
    return "\n".join(lines)


async def _run(found: WorkflowExecutionDescription) -> Run:
    event_id = await found.memo_value(names.MEMO_ENTRY_EVENT, "")
    version = await version_of(found)
    return Run(str(event_id), found.status not in CLOSED, version, found.start_time.astimezone(UTC))


async def version_of(found: WorkflowExecution) -> int | None:
    """Return the version of the journey that an instance runs; None where nothing says it."""
    version = found.typed_search_attributes.get(VERSION)
    if version is None:
        version = await found.memo_value(names.MEMO_VERSION, None)
    return version if isinstance(version, int) else None


def message(event: IncomingEvent) -> dict[str, Any]:
    """Return an event as instances receive it."""
    return {"id": event.id, "name": event.name, "time": event.time.isoformat(), "data": event.data}
