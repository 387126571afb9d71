"""`/v1/journeys/{name}/versions`, `/diff` and `/movable`: who is in which version, and what versions differ in."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from sojourn.api.auth import requires
from sojourn.api.dependencies import Parts, context_of
from sojourn.api.journeys.routes import Name, unknown_journey, unknown_version
from sojourn.api.journeys.versions import models
from sojourn.api.problems import kinds
from sojourn.api.problems.errors import invalid_filter, openapi_responses
from sojourn.api.responses import json_response
from sojourn.definitions.difference import compare
from sojourn.steering.instances import FilterError
from sojourn.steering.versions import count_versions, movable_instances
from sojourn.store import JourneyRecord

router = APIRouter(tags=["journeys"])


@router.get(
    "/v1/journeys/{name}/versions",
    response_model=models.RunningVersions,
    summary="List versions",
    dependencies=[Depends(requires("read"))],
    responses=openapi_responses(*kinds.GUARDED, kinds.UNKNOWN_JOURNEY),
)
async def list_versions(request: Request, name: Name) -> Response:
    """Returns the versions of a journey, and how many instances run each of them. The last second may be missing."""
    parts, record = await _record(request, name)
    counts = await count_versions(parts.client, record, search_attributes=parts.settings.search_attributes)
    versions = [
        {
            "version": number,
            "state": record.version_state(number),
            "published_at": version.published_at,
            "running": counts.get(number, 0),
        }
        for number, version in sorted(record.versions.items(), reverse=True)
    ]
    unknown = sum(count for number, count in counts.items() if number not in record.versions)
    return json_response({"journey": name, "versions": versions, "unknown": unknown})


@router.get(
    "/v1/journeys/{name}/diff",
    response_model=models.Difference,
    summary="Compare two versions",
    dependencies=[Depends(requires("read"))],
    responses=openapi_responses(
        *kinds.GUARDED, kinds.UNKNOWN_JOURNEY, kinds.UNKNOWN_VERSION, kinds.INVALID_REQUEST
    ),
)
async def compare_versions(
    request: Request, name: Name, which: Annotated[models.Versions, Query()]
) -> Response:
    """Returns what is new, gone and changed from one version to another: the head first, then step by step."""
    _, record = await _record(request, name)
    to = which.to or record.latest.version
    since = which.from_ or max(1, to - 1)
    old, new = (_definition(record, number) for number in (since, to))
    changes = [change.as_dict() for change in compare(old, new)]
    return json_response({"journey": name, "from": since, "to": to, "changes": changes})


@router.get(
    "/v1/journeys/{name}/movable",
    response_model=models.AskedInstances,
    summary="Ask who could be moved",
    dependencies=[Depends(requires("read"))],
    responses=openapi_responses(*kinds.GUARDED, kinds.UNKNOWN_JOURNEY, kinds.INVALID_REQUEST),
)
async def ask_instances(request: Request, name: Name, which: Annotated[models.Movable, Query()]) -> Response:
    """Asks running instances of earlier versions whether they could be moved to the newest one, page by page.

    Nothing is changed; `POST /v1/journeys/{name}/move` moves them.
    """
    parts, record = await _record(request, name)
    try:
        page = await movable_instances(
            parts.client,
            record,
            search_attributes=parts.settings.search_attributes,
            version=which.from_,
            limit=which.limit,
            page=which.page,
        )
    except FilterError as error:
        raise invalid_filter(error) from None
    return json_response(
        {
            "journey": name,
            "to": record.latest.version,
            "instances": [asdict(one) for one in page.instances],
            "next_page": page.next_page,
        }
    )


def _definition(record: JourneyRecord, number: int) -> dict[str, Any]:
    found = record.versions.get(number)
    if found is None:
        raise unknown_version(record.name, number, record.latest.version)
    return found.definition


async def _record(request: Request, name: str) -> tuple[Parts, JourneyRecord]:
    parts = context_of(request)
    catalog = await parts.database().catalog()
    record = catalog.journeys.get(name)
    if record is None:
        raise unknown_journey(catalog, name)
    return parts, record
