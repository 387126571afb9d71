"""`/v1/instances`: finding and reading instances."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from sojourn.api import models
from sojourn.api.auth import requires
from sojourn.api.dependencies import Parts, context_of
from sojourn.api.problems import kinds
from sojourn.api.problems.errors import ProblemError, invalid_filter, openapi_responses
from sojourn.api.responses import json_response
from sojourn.steering.instances import FilterError, InstanceNotFound, list_instances, read_instance

router = APIRouter(tags=["instances"], dependencies=[Depends(requires("read"))])


class Filters(BaseModel):
    """Which instances to list."""

    model_config = ConfigDict(extra="forbid")

    journey: str | None = Field(None, description="Only instances of this journey.", max_length=64)
    profile: str | None = Field(None, description="Only instances of this profile key.", max_length=1000)
    status: Literal["running", "completed", "failed", "canceled", "terminated", "timed_out"] | None = Field(
        None, description="Only instances in this state, in Temporal's words."
    )
    limit: int = Field(50, ge=1, le=1000, description="Most instances to return.")
    page: str | None = Field(None, description="`next_page` of the page before.", max_length=4000)


class Run(BaseModel):
    """Which run of an instance to read."""

    model_config = ConfigDict(extra="forbid")

    run_id: str | None = Field(None, description="One run of several with this id. The latest if left out.")


@router.get(
    "/v1/instances",
    response_model=models.Instances,
    summary="List instances",
    responses=openapi_responses(*kinds.GUARDED, kinds.INVALID_REQUEST),
)
async def get_instances(request: Request, filters: Annotated[Filters, Query()]) -> Response:
    """Returns instances, newest first. What happened in the last second or so may be missing."""
    parts = context_of(request)
    try:
        page = await list_instances(
            parts.client,
            journey=filters.journey,
            profile=filters.profile,
            status=filters.status,
            limit=filters.limit,
            page=filters.page,
            private_keys=parts.settings.private_keys,
            search_attributes=parts.settings.search_attributes,
            workflow_types=await _workflow_types(parts),
        )
    except FilterError as error:
        raise invalid_filter(error) from None
    return json_response({"instances": page.instances, "next_page": page.next_page})


@router.get(
    "/v1/instances/{workflow_id:path}",  # a profile key may hold a slash
    response_model=models.Instance,
    summary="Read an instance",
    responses=openapi_responses(*kinds.GUARDED, kinds.UNKNOWN_INSTANCE, kinds.INVALID_REQUEST),
)
async def get_instance(
    request: Request,
    workflow_id: Annotated[
        str,
        Path(
            description="The instance: `<journey>:<profile key>`, with `=<second key>` behind it where the journey has "
            "one, percent-encoded. Keys that are long or have unusual characters are hashed in workflow ids; both "
            "forms are found.",
            examples=["cart-abandonment:cust-1"],
        ),
    ],
    run: Annotated[Run, Query()],
) -> Response:
    """Returns one instance with its steps, running or ended."""
    parts = context_of(request)
    try:
        instance = await read_instance(
            parts.client, workflow_id, run.run_id, private_keys=parts.settings.private_keys
        )
    except InstanceNotFound:
        raise ProblemError(kinds.UNKNOWN_INSTANCE, f"No instance has the id {workflow_id[:200]}.") from None
    return json_response(instance)


async def _workflow_types(parts: Parts) -> set[str]:
    """Return the workflow types of the journeys that are code, where instances are found by them."""
    if parts.settings.search_attributes:
        return set()
    catalog = await parts.database().catalog()
    versions = (version for record in catalog.journeys.values() for version in record.versions.values())
    return {str(name) for version in versions if (name := version.definition.get("workflow"))}
