"""`/v1/instances/{workflow_id}/pause` and the like: steering one instance."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query
from starlette.requests import Request
from starlette.responses import Response

from sojourn.api.auth import requires
from sojourn.api.dependencies import context_of
from sojourn.api.operations import models
from sojourn.api.problems import kinds
from sojourn.api.problems.errors import ProblemError, openapi_responses
from sojourn.api.responses import json_response
from sojourn.steering.instance_actions import InstanceAct, InstanceEnded, steer_instance
from sojourn.steering.instances import InstanceNotFound

router = APIRouter(tags=["instances"], dependencies=[Depends(requires("operate"))])

_RESPONSES = openapi_responses(
    *kinds.GUARDED, kinds.UNKNOWN_INSTANCE, kinds.INSTANCE_ENDED, kinds.INVALID_REQUEST
)
Id = Annotated[
    str,
    Path(
        description="The instance: `<journey>:<profile key>`, percent-encoded.",
        examples=["cart-abandonment:cust-1"],
    ),
]
_OPTIONS: dict[str, Any] = {"response_model": models.SteeredInstance, "responses": _RESPONSES}


@router.post("/v1/instances/{workflow_id:path}/pause", summary="Pause an instance", **_OPTIONS)
async def pause_instance(request: Request, workflow_id: Id) -> Response:
    """Freezes one instance before its next step. Resuming its journey does not resume it."""
    return await _steer(request, workflow_id, "pause")


@router.post("/v1/instances/{workflow_id:path}/resume", summary="Resume an instance", **_OPTIONS)
async def resume_instance(request: Request, workflow_id: Id) -> Response:
    """Lets an instance go on that was paused by itself. While its journey is paused, it stays paused with it."""
    return await _steer(request, workflow_id, "resume")


@router.post("/v1/instances/{workflow_id:path}/exit", summary="Exit an instance", **_OPTIONS)
async def exit_instance(
    request: Request, workflow_id: Id, why: Annotated[models.Reason, Query()]
) -> Response:
    """Ends an instance as `exited`, at once, wherever it stands and also while it is paused."""
    return await _steer(request, workflow_id, "exit", why.reason)


@router.post("/v1/instances/{workflow_id:path}/stop", summary="Stop an instance", **_OPTIONS)
async def stop_instance(request: Request, workflow_id: Id) -> Response:
    """Ends an instance as `stopped`, at once, wherever it stands: the same as cancelling its workflow."""
    return await _steer(request, workflow_id, "stop")


async def _steer(request: Request, workflow_id: str, act: InstanceAct, reason: str = "") -> Response:
    parts = context_of(request)
    private = parts.settings.private_keys
    try:
        instance = await steer_instance(parts.client, workflow_id, act, reason, private_keys=private)
    except InstanceNotFound:
        raise ProblemError(kinds.UNKNOWN_INSTANCE, f"No instance has the id {workflow_id[:200]}.") from None
    except InstanceEnded:
        raise ProblemError(kinds.INSTANCE_ENDED, f"The instance {workflow_id[:200]} has ended.") from None
    return json_response({"asked": act, "instance": instance})
