"""`/v1/journeys/{name}/pause` and the like, and `/v1/operations`: steering journeys."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from sojourn.api.auth import requires
from sojourn.api.dependencies import context_of
from sojourn.api.journeys.routes import Name, unknown_journey, unknown_version
from sojourn.api.operations import models
from sojourn.api.problems import kinds
from sojourn.api.problems.errors import ProblemError, openapi_responses
from sojourn.api.responses import json_response
from sojourn.contract.journey_states import Act, ActRefused
from sojourn.store import journey_states
from sojourn.store.journey_states import NoDraft, Steered, UnknownVersion

router = APIRouter(tags=["journeys"])
operations = APIRouter(tags=["operations"])

_OPERATE: Any = [Depends(requires("operate"))]
_STEERED = openapi_responses(*kinds.GUARDED, kinds.UNKNOWN_JOURNEY, kinds.NOT_IN_THIS_STATE)
_ALL_OR_ONE = openapi_responses(
    *kinds.GUARDED,
    kinds.UNKNOWN_JOURNEY,
    kinds.UNKNOWN_VERSION,
    kinds.NOT_IN_THIS_STATE,
    kinds.INVALID_REQUEST,
)
Which = Annotated[models.OneVersion, Query()]


class Discarded(BaseModel):
    """What became of a draft."""

    journey: str
    discarded: bool


@router.post(
    "/v1/journeys/{name}/pause",
    status_code=202,
    response_model=models.Steered,
    summary="Pause a journey",
    dependencies=_OPERATE,
    responses=_ALL_OR_ONE,
)
async def pause_journey(request: Request, name: Name, which: Which) -> Response:
    """Lets nobody in, and freezes every instance: timers keep their due times, events are kept, no call is made.

    The state is changed at once; the instances are worked through in the background, see `operation`.
    """
    return await _act(request, name, "pause", which.version)


@router.post(
    "/v1/journeys/{name}/resume",
    status_code=202,
    response_model=models.Steered,
    summary="Resume a journey",
    dependencies=_OPERATE,
    responses=_ALL_OR_ONE,
)
async def resume_journey(request: Request, name: Name, which: Which) -> Response:
    """Lets profiles in again, and every instance that was paused with the journey go on.

    What fell due meanwhile happens now. An instance that was paused by itself stays paused.
    """
    return await _act(request, name, "resume", which.version)


@router.post(
    "/v1/journeys/{name}/stop",
    status_code=202,
    response_model=models.Steered,
    summary="Stop a journey",
    dependencies=_OPERATE,
    responses=_ALL_OR_ONE,
)
async def stop_journey(request: Request, name: Name, which: Which) -> Response:
    """Lets nobody in, and ends every instance as `stopped`, wherever it stands. This cannot be taken back."""
    return await _act(request, name, "stop", which.version)


@router.post(
    "/v1/journeys/{name}/close",
    response_model=models.Steered,
    summary="Close a journey",
    dependencies=_OPERATE,
    responses=_STEERED,
)
async def close_journey(request: Request, name: Name) -> Response:
    """Lets nobody in. Those inside finish; when the last one has, the journey becomes `finished`."""
    return await _act(request, name, "close")


@router.post(
    "/v1/journeys/{name}/reopen",
    response_model=models.Steered,
    summary="Reopen a journey",
    dependencies=_OPERATE,
    responses=_STEERED,
)
async def reopen_journey(request: Request, name: Name) -> Response:
    """Publishes the latest version of a closed, stopped or finished journey once more, under the next number."""
    return await _act(request, name, "reopen")


@router.post(
    "/v1/journeys/{name}/move",
    status_code=202,
    response_model=models.Steered,
    summary="Move instances to the newest version",
    dependencies=_OPERATE,
    responses=_ALL_OR_ONE,
)
async def move_instances(
    request: Request, name: Name, which: Annotated[models.FromVersion, Query()]
) -> Response:
    """Moves running instances of earlier versions that stand at a wait which both versions have.

    They are worked through in the background, see `operation`; those that stay in their version are its failures, each
    with the reason. Asking again is harmless. `GET /v1/journeys/{name}/movable` only asks them.
    """
    return await _act(request, name, "move", which.from_)


@router.post(
    "/v1/journeys/{name}/publish",
    response_model=models.Steered,
    summary="Publish a draft",
    dependencies=_OPERATE,
    responses=openapi_responses(
        *kinds.GUARDED, kinds.UNKNOWN_JOURNEY, kinds.NO_DRAFT, kinds.INVALID_DEFINITIONS
    ),
)
async def publish_draft(request: Request, name: Name) -> Response:
    """Makes the draft of a journey its next version, with the events and endpoints that it was saved with.

    Events and endpoints that were published since the draft was saved stay as they are.
    """
    store = context_of(request).database()
    try:
        result = await store.change(lambda connection: journey_states.publish_draft(connection, name))
    except NoDraft:
        raise _no_draft(name) from None
    if result is None:
        raise unknown_journey(await store.catalog(), name)
    record = (await store.catalog()).journeys[name]
    return _steered(name, Steered(record.state, record.latest.version))


@router.delete(
    "/v1/journeys/{name}/draft",
    response_model=Discarded,
    summary="Discard a draft",
    dependencies=_OPERATE,
    responses=openapi_responses(*kinds.GUARDED, kinds.UNKNOWN_JOURNEY, kinds.NO_DRAFT),
)
async def discard_draft(request: Request, name: Name) -> Response:
    """Forgets the draft of a journey. What is published stays as it is."""
    store = context_of(request).database()
    gone = await store.change(lambda connection: journey_states.discard_draft(connection, name))
    if gone is None:
        raise unknown_journey(await store.catalog(), name)
    if not gone:
        raise _no_draft(name)
    return json_response({"journey": name, "discarded": True})


@operations.get(
    "/v1/operations",
    response_model=models.Operations,
    summary="List operations",
    dependencies=[Depends(requires("read"))],
    responses=openapi_responses(*kinds.GUARDED, kinds.INVALID_REQUEST),
)
async def list_operations(request: Request, filters: Annotated[models.OperationFilters, Query()]) -> Response:
    """Returns what is and was done with all instances of a journey, newest first."""
    found = await (
        context_of(request)
        .database()
        .operations.list(journey=filters.journey, state=filters.state, limit=filters.limit)
    )
    return json_response({"operations": [operation.as_dict() for operation in found]})


@operations.get(
    "/v1/operations/{number}",
    response_model=models.OperationWithFailures,
    summary="Read an operation",
    dependencies=[Depends(requires("read"))],
    responses=openapi_responses(*kinds.GUARDED, kinds.UNKNOWN_OPERATION, kinds.INVALID_REQUEST),
)
async def read_operation(
    request: Request,
    number: Annotated[int, Path(ge=1, le=2**31 - 1, description="The operation's number.", examples=[7])],
    which: Annotated[models.WhichFailures, Query()],
) -> Response:
    """Returns one operation: how many instances it has found, how far it has come, and where it failed."""
    store = context_of(request).database()
    operation = await store.operations.get(number)
    if operation is None:
        raise ProblemError(kinds.UNKNOWN_OPERATION, f"There is no operation {number}.")
    failed = operation.failed and which.failures
    failures = await store.operations.failures(number, which.failures, which.after) if failed else []
    return json_response({**operation.as_dict(), "failures": [asdict(item) for item in failures]})


async def _act(
    request: Request, name: str, what: Act | Literal["move"], version: int | None = None
) -> Response:
    parts = context_of(request)
    store = parts.database()
    try:
        if what == "move":
            steered = await parts.lifecycle.move(name, version)
        else:
            steered = await parts.lifecycle.act(name, what, version)
    except ActRefused as refused:
        raise ProblemError(
            kinds.NOT_IN_THIS_STATE, refused.message, state=refused.state, possible=refused.possible
        ) from None
    except UnknownVersion as unknown:
        raise unknown_version(name, version, unknown.latest) from None
    if steered is None:
        raise unknown_journey(await store.catalog(), name)
    return _steered(name, steered, 202 if steered.operation is not None else 200)


def _steered(name: str, steered: Steered, status: int = 200) -> Response:
    operation = None if steered.operation is None else steered.operation.as_dict()
    value = {
        "journey": name,
        "state": steered.state,
        "version": steered.version,
        "operation": operation,
    }
    return json_response(value, status)


def _no_draft(name: str) -> ProblemError:
    return ProblemError(kinds.NO_DRAFT, f"{name} has no draft. Save one with `POST /v1/journeys?draft=true`.")
