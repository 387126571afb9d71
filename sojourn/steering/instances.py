"""Instances as Temporal knows them: found by journey, profile and status; one of them with its steps."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from temporalio.client import (
    Client,
    WorkflowExecution,
    WorkflowExecutionDescription,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowQueryFailedError,
)
from temporalio.exceptions import ApplicationError, TemporalError
from temporalio.service import RPCError, RPCStatusCode

from sojourn.contract import names
from sojourn.contract.event_result import RoutingUnavailable
from sojourn.routing.instance_gateway import CLOSED, NAME, PROFILE, STEP, VERSION, Unreachable, bounded
from sojourn.steering.stuck import why_stuck
from sojourn.temporal.connection import RPC_DEADLINE

QUERY_DEADLINE = 3.0
"""Seconds that a worker has to say where an instance is. Without an answer, what Temporal itself knows is told."""

STATUSES = {
    "running": "Running",
    "completed": "Completed",
    "failed": "Failed",
    "canceled": "Canceled",
    "terminated": "Terminated",
    "timed_out": "TimedOut",
}
"""What an instance's workflow can be, in Temporal's words: as we write them, and as its queries do."""

MOST_LISTED = 1000

_SEAL = 6

_ENDED_AS = {"canceled": "stopped", "terminated": "stopped", "timed_out": "timed_out", "failed": "failed"}
_STATE = ("journey", "version", "profile", "per", "step", "kind", "until", "entered_at", "pending", "dropped")
_RESULT = (
    "journey",
    "version",
    "profile",
    "per",
    "outcome",
    "text",
    "entered_at",
    "ended_at",
    "dropped",
    "steps",
    "error",
)


@dataclass(frozen=True, slots=True)
class InstancePage:
    """Some instances, and how to get the next ones.

    Attributes:
        instances: Newest first. Each is `{"workflow_id", "run_id", "journey", "version", "profile", "per", "step",
            "status", "entered_at", "ended_at"}`; what is not known is None. Profile and second key are as in the
            workflow id.
        next_page: What to give as `page` for the instances that follow; None at the end.
    """

    instances: list[dict[str, Any]]
    next_page: str | None


class FilterError(ValueError):
    """A filter of a list that cannot be used.

    Args:
        field: The filter's name.
        message: What is wrong with it.
    """

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class InstanceNotFound(Exception):
    """There is no such instance, or Temporal no longer keeps it."""


async def list_instances(
    client: Client,
    *,
    journey: str | None = None,
    profile: str | None = None,
    status: str | None = None,
    limit: int = 50,
    page: str | None = None,
    private_keys: bool = False,
    search_attributes: bool = True,
    workflow_types: Collection[str] = (),
) -> InstancePage:
    """Find instances. What happened in the last second or so may be missing.

    Args:
        client: A client of Temporal.
        journey: Only instances of this journey.
        profile: Only instances of this profile key; also as it stands in workflow ids where that is a hash.
        status: Only instances in this state, see `STATUSES`.
        limit: Most instances to return, 1 to 1,000.
        page: `next_page` of the page before, with the same filters.
        private_keys: The deployment hashes profile keys, see `Settings.private_keys`.
        search_attributes: Instances have search attributes, see `Settings.search_attributes`.
        workflow_types: Of the journeys that are code, by which their instances are found without search attributes.

    Raises:
        FilterError: A filter, the limit or the page is invalid; the message says what is valid.
        RoutingUnavailable: Temporal cannot be reached.
    """
    if not 1 <= limit <= MOST_LISTED:
        raise FilterError("limit", f"the limit must be between 1 and {MOST_LISTED}")
    if journey is not None and "\0" in journey:  # Temporal's own databases fail on it
        raise FilterError("journey", "the name of a journey cannot hold the character NUL")
    filters = (
        _filters(journey, profile, private_keys)
        if search_attributes
        else _filters_without_attributes(journey, profile, private_keys, workflow_types)
    )
    query = " AND ".join([*filters, *_status_filter(status)])
    found = client.list_workflows(
        query,
        page_size=limit,
        next_page_token=_token(page, query),
        rpc_timeout=timedelta(seconds=RPC_DEADLINE),
    )
    try:
        await bounded(found.fetch_next_page())
    except Unreachable as error:
        raise RoutingUnavailable(str(error)) from error
    token = found.next_page_token
    instances = [_listed(execution) for execution in found.current_page or ()]
    return InstancePage(instances, _page(token, query) if token else None)


async def read_instance(
    client: Client, workflow_id: str, run_id: str | None = None, *, private_keys: bool = False
) -> dict[str, Any]:
    """Read one instance with its steps, running or ended.

    Args:
        client: A client of Temporal.
        workflow_id: The instance, `<journey>:<profile key>`, followed by `=<second key>` where it has one; also
            where its workflow id has hashes of the keys.
        run_id: One run of several with that id; None: the latest.
        private_keys: The deployment hashes profile keys, see `Settings.private_keys`.

    Returns:
        Plain JSON, the same keys for running and ended instances: `workflow_id, run_id, journey, version,
        profile, per, status` (see `STATUSES`), `paused` (bool), `outcome` and `text` (None while running), `step,
        kind, waiting_for, until` (where it stands; None when ended), `pending, dropped, entered_at, ended_at,
        steps` (the trace), `last_error`, `error` (what it failed with, or why the code of a running one cannot go
        on), and `source`: `worker` (asked just now), `result` (it ended
        and said so) or `temporal` (nothing but what Temporal itself knows: no worker answered, or the end
        was none of its own; then `steps` is None).

    Raises:
        InstanceNotFound: There is no such instance.
        RoutingUnavailable: Temporal cannot be reached.
    """
    try:
        for identity in names.workflow_ids_of(workflow_id, private=private_keys):
            found = await _described(client, identity, run_id)
            if found is not None:
                ended = found.status in CLOSED
                return _known(found) | await (_ended(client, found) if ended else _running(client, found))
    except Unreachable as error:
        raise RoutingUnavailable(str(error)) from error
    raise InstanceNotFound(f"there is no instance {workflow_id!r}, or Temporal no longer keeps it")


async def _described(
    client: Client, identity: str, run_id: str | None
) -> WorkflowExecutionDescription | None:
    """Return what Temporal knows of an instance; nothing where there is none of that id."""
    handle = client.get_workflow_handle(identity, run_id=run_id)
    try:
        found = await bounded(handle.describe(rpc_timeout=timedelta(seconds=RPC_DEADLINE)))
    except RPCError as error:
        # A run id that is no UUID, or an id with characters that Temporal refuses, names no instance either.
        if error.status in (RPCStatusCode.NOT_FOUND, RPCStatusCode.INVALID_ARGUMENT):
            return None
        raise
    if found.workflow_type != names.WORKFLOW_JOURNEY and found.typed_search_attributes.get(NAME) is None:
        return None
    return found


def _filters(journey: str | None, profile: str | None, private: bool) -> list[str]:
    # The runs of one instance are one instance: those that another run took over from are left out.
    filters = [f"{names.SEARCH_JOURNEY} IS NOT NULL", "ExecutionStatus != 'ContinuedAsNew'"]
    if journey is not None:
        filters.append(f"{names.SEARCH_JOURNEY} = {_quoted(journey)}")
    if profile is not None:
        filters.append(f"{names.SEARCH_PROFILE} = {_quoted(names.profile_part_of(profile, private=private))}")
    return filters


def _filters_without_attributes(
    journey: str | None, profile: str | None, private: bool, workflow_types: Collection[str]
) -> list[str]:
    types = ", ".join(map(_quoted, sorted({names.WORKFLOW_JOURNEY, *workflow_types})))
    filters = [f"WorkflowType IN ({types})", "ExecutionStatus != 'ContinuedAsNew'"]
    if profile is not None and journey is None:
        raise FilterError(
            "journey",
            "without search attributes a profile is found in one journey only: name the journey too",
        )
    if profile is not None:
        identity = f"{journey}:{names.profile_part_of(profile, private=private)}"
        # With a second key it goes on: no profile key holds a "=" there.
        filters.append(
            f"(WorkflowId = {_quoted(identity)} OR WorkflowId STARTS_WITH {_quoted(identity + '=')})"
        )
    elif journey is not None:
        filters.append(f"WorkflowId STARTS_WITH {_quoted(f'{journey}:')}")
    return filters


def _status_filter(status: str | None) -> list[str]:
    if status is None:
        return []
    if status not in STATUSES:
        raise FilterError("status", f"{status!r} is no status: choose from {', '.join(STATUSES)}")
    return [f"ExecutionStatus = '{STATUSES[status]}'"]


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _page(token: bytes, query: str) -> str:
    return base64.urlsafe_b64encode(_seal(token, query) + token).decode()


def _token(page: str | None, query: str) -> bytes | None:
    if page is None:
        return None
    with suppress(binascii.Error, ValueError):
        content = base64.b64decode(page, altchars=b"-_", validate=True)
        if content[:_SEAL] == _seal(content[_SEAL:], query):
            return content[_SEAL:]
    raise FilterError("page", "the page is not one that was returned as next_page with the same filters")


def _seal(token: bytes, query: str) -> bytes:
    # Temporal answers a page that is not its own with "something went wrong, please retry", and means it.
    return hashlib.blake2b(query.encode("utf-8", "surrogatepass") + token, digest_size=_SEAL).digest()


def _listed(execution: WorkflowExecution) -> dict[str, Any]:
    attributes = execution.typed_search_attributes
    journey, profile, per = names.parts_of(execution.id)
    ended = execution.status in CLOSED
    return {
        "workflow_id": execution.id,
        "run_id": execution.run_id,
        "journey": attributes.get(NAME, journey),
        "version": attributes.get(VERSION),
        "profile": attributes.get(PROFILE, profile),
        "per": per,
        "step": None if ended else attributes.get(STEP),
        "status": _status(execution.status),
        "entered_at": _iso(execution.start_time),
        "ended_at": _iso(execution.close_time),
    }


def _known(found: WorkflowExecutionDescription) -> dict[str, Any]:
    """Return what Temporal itself knows of an instance, in the shape that all answers have."""
    unknown = dict.fromkeys(
        ("kind", "waiting_for", "until", "pending", "dropped", "steps", "last_error", "error", "paused_by")
    )
    return {
        **_listed(found),
        **unknown,
        "paused": _status(found.status) == "paused",
        "outcome": _ENDED_AS.get(_status(found.status)),
        "text": None,
        "source": "temporal",
    }


async def _running(client: Client, found: WorkflowExecutionDescription) -> dict[str, Any]:
    handle = client.get_workflow_handle(found.id, run_id=found.run_id)
    try:
        async with asyncio.timeout(QUERY_DEADLINE):
            state = await handle.query(names.QUERY_STATE, rpc_timeout=timedelta(seconds=QUERY_DEADLINE))
    except (TimeoutError, RPCError, WorkflowQueryFailedError):
        # No worker, a paused workflow, one of another kind, or one whose code fails: what Temporal knows has to do.
        error = await why_stuck(client, found)
        return {"error": error} if error else {}
    if not isinstance(state, dict) or not state:
        return {}
    told = {key: state.get(key) for key in (*_STATE, "waiting_for", "steps", "last_error", "paused_by")}
    return {**told, "paused": state.get("status") == "paused", "source": "worker"}


async def _ended(client: Client, found: WorkflowExecutionDescription) -> dict[str, Any]:
    handle = client.get_workflow_handle(found.id, run_id=found.run_id)
    try:
        result = await bounded(handle.result(follow_runs=False, rpc_timeout=timedelta(seconds=RPC_DEADLINE)))
    except WorkflowFailureError as failure:
        return _failed(failure.cause)
    except TemporalError as error:
        return {"text": str(error)}
    return _of_result(result)


def _failed(cause: BaseException) -> dict[str, Any]:
    if isinstance(cause, ApplicationError) and cause.type == names.ERROR_JOURNEY_FAILED and cause.details:
        return _of_result(cause.details[0])
    if isinstance(cause, ApplicationError):
        error = {"step": None, "code": cause.type, "status": None, "message": cause.message}
        return {"text": cause.message, "error": error}
    return {"text": str(cause) or None}


def _of_result(result: Any) -> dict[str, Any]:
    if not isinstance(result, dict):
        return {}
    return {**{key: result.get(key) for key in _RESULT}, "step": None, "source": "result"}


def _status(status: WorkflowExecutionStatus | None) -> str:
    return status.name.lower() if status is not None else "running"


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")
