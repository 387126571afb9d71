"""`/v1/journeys`: reading, validating and publishing."""

from __future__ import annotations

import asyncio
import contextlib
import difflib
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from sojourn import definitions
from sojourn.api import examples, models
from sojourn.api.auth import requires
from sojourn.api.bodies import content_type, parse_json, wrong_content_type
from sojourn.api.dependencies import context_of
from sojourn.api.journeys.versions.problems import not_publishable
from sojourn.api.operations.models import Draft
from sojourn.api.problems import kinds
from sojourn.api.problems.errors import ProblemError, openapi_responses
from sojourn.api.responses import JSON, json_response
from sojourn.contract.incoming_event import explain
from sojourn.definitions.limits import Limits
from sojourn.routing import RoutingUnavailable
from sojourn.steering.endpoints import overridden
from sojourn.store import Catalog, JourneyRecord
from sojourn.store.version_rules import PublicationRefused

_HINTS = {"files": 'write {"files": {"journeys/welcome.yaml": "journey: welcome\\n…"}}'}

router = APIRouter(tags=["journeys"])
Name = Annotated[str, Path(description="The journey's name.", examples=["cart-abandonment"])]


@router.get(
    "/v1/journeys",
    response_model=models.Journeys,
    summary="List journeys",
    dependencies=[Depends(requires("read"))],
    responses=openapi_responses(*kinds.GUARDED),
)
async def list_journeys(request: Request) -> Response:
    """Returns every journey that was published or saved as a draft, by name, with its latest version."""
    catalog = await context_of(request).database().catalog()
    names = sorted(catalog.journeys.keys() | catalog.drafts.keys())
    return json_response({"journeys": [_summary(catalog, name) for name in names]})


@router.get(
    "/v1/journeys/{name}",
    response_model=models.Journey,
    summary="Read a journey",
    dependencies=[Depends(requires("read"))],
    responses=openapi_responses(*kinds.GUARDED, kinds.UNKNOWN_JOURNEY),
)
async def read_journey(request: Request, name: Name) -> Response:
    """Returns one journey with its versions and its latest definition."""
    parts = context_of(request)
    with contextlib.suppress(RoutingUnavailable):
        await parts.lifecycle.finish(name)
    catalog = await parts.database().catalog()
    if name not in catalog.journeys and (draft := catalog.drafts.get(name)) is not None:
        return json_response({**_summary(catalog, name), "versions": [], "definition": draft.definition})
    record = _known(catalog, name)
    versions = [
        {"version": number, "state": record.version_state(number), "published_at": version.published_at}
        for number, version in sorted(record.versions.items(), reverse=True)
    ]
    return json_response(
        {**_summary(catalog, name), "versions": versions, "definition": record.latest.definition}
    )


@router.get(
    "/v1/journeys/{name}/versions/{version}",
    response_model=models.Version,
    summary="Read a version",
    dependencies=[Depends(requires("read"))],
    responses=openapi_responses(
        *kinds.GUARDED, kinds.UNKNOWN_JOURNEY, kinds.UNKNOWN_VERSION, kinds.INVALID_REQUEST
    ),
)
async def read_version(
    request: Request,
    name: Name,
    version: Annotated[int, Path(ge=1, description="The version's number, from 1.", examples=[3])],
) -> Response:
    """Returns one version of a journey: what its instances run, and the files that it was published from."""
    record = await _record(request, name)
    found = record.versions.get(version)
    if found is None:
        raise unknown_version(name, version, record.latest.version)
    return json_response(
        {
            "journey": name,
            "version": version,
            "state": record.version_state(version),
            "published_at": found.published_at,
            "definition": found.definition,
            "files": await context_of(request).database().sources(name, version),
        }
    )


@router.post(
    "/v1/journeys",
    response_model=models.Published,
    summary="Publish a project",
    dependencies=[Depends(requires("operate"))],
    responses=openapi_responses(
        *kinds.GUARDED, *kinds.WITH_BODY, kinds.INVALID_REQUEST, kinds.INVALID_DEFINITIONS
    ),
    openapi_extra=examples.PROJECT_REQUEST,
)
async def publish(request: Request, how: Annotated[Draft, Query()]) -> Response:
    """Stores new versions of what changed in a project: all of it, or, where anything is wrong, nothing.

    What is not in the project stays as it is. Instances keep the version that they entered. A new version makes a
    closed, stopped or finished journey live; one that is paused stays paused.
    """
    project = await _load(request)
    problems = [problem.as_dict() for problem in project.problems]
    if not project.ok:
        raise _not_publishable(project)
    try:
        result = await context_of(request).database().publish(project, draft=how.draft)
    except PublicationRefused as error:
        raise not_publishable(error, project.files) from None
    return json_response(
        {
            "published": [{"journey": name, "version": version} for name, version in result.published],
            "drafts": [{"journey": name, "version": version} for name, version in result.drafts],
            "unchanged": result.unchanged,
            "events": result.events_changed,
            "endpoints": result.endpoints_changed,
            "profile": project.profile.name if project.profile and result.profile_changed else None,
            "overridden": [overridden(*key, limits) for key, limits in result.overridden.items()],
            "problems": problems,
        }
    )


@router.post(
    "/v1/journeys/validate",
    response_model=models.Validated,
    summary="Validate a project",
    dependencies=[Depends(requires("operate"))],
    responses=openapi_responses(*kinds.GUARDED, *kinds.WITH_BODY, kinds.INVALID_REQUEST),
    openapi_extra=examples.PROJECT_REQUEST,
)
async def validate(request: Request) -> Response:
    """Says what is wrong with a project, and stores nothing."""
    project = await _load(request)
    return json_response({"ok": project.ok, "problems": [problem.as_dict() for problem in project.problems]})


async def _load(request: Request) -> definitions.Project:
    media_type = content_type(request)
    if media_type != JSON:
        raise wrong_content_type(media_type, [JSON])
    parsed = parse_json(await request.body(), "the project's files")
    try:
        files = models.Files.model_validate(parsed).files
    except ValidationError as error:
        violations = explain(error.errors(include_url=False), models.Files.model_fields, _HINTS)
        raise ProblemError(
            kinds.INVALID_REQUEST,
            "The request does not fit: "
            + "; ".join(f"{at.path or 'the body'}: {at.message}" for at in violations)
            + ".",
            violations=[violation.as_dict() for violation in violations],
        ) from None
    # Checking a project takes a while, in which events are to get through.
    settings = context_of(request).settings
    limits = Limits.of_days(settings.max_wait_days, settings.max_timeout_days)
    return await asyncio.to_thread(definitions.load_texts, files, limits=limits)


def _not_publishable(project: definitions.Project) -> ProblemError:
    errors = [problem for problem in project.problems if problem.severity == "error"]
    count = f"{len(errors)} problem stands" if len(errors) == 1 else f"{len(errors)} problems stand"
    return ProblemError(
        kinds.INVALID_DEFINITIONS,
        f"{count} against publishing. The first: {errors[0]}",
        problems=[problem.as_dict() for problem in project.problems],
    )


async def _record(request: Request, name: str) -> JourneyRecord:
    return _known(await context_of(request).database().catalog(), name)


def _known(catalog: Catalog, name: str) -> JourneyRecord:
    record = catalog.journeys.get(name)
    if record is None:
        raise unknown_journey(catalog, name)
    return record


def unknown_journey(catalog: Catalog, name: str) -> ProblemError:
    """Return the problem that there is no journey of a name, with the nearest that there is."""
    near = difflib.get_close_matches(name, {*catalog.journeys, *catalog.drafts}, 1)
    nearest = f" The nearest name is {near[0]}." if near else ""
    return ProblemError(kinds.UNKNOWN_JOURNEY, f"No journey is named {name[:80]}.{nearest}")


def unknown_version(name: str, version: int | None, latest: int) -> ProblemError:
    """Return the problem that a journey has no version of a number."""
    return ProblemError(
        kinds.UNKNOWN_VERSION,
        f"The journey {name} has no version {version}. Its latest is {latest}.",
        latest=latest,
    )


def _summary(catalog: Catalog, name: str) -> dict[str, Any]:
    record, draft = catalog.journeys.get(name), catalog.drafts.get(name)
    latest = draft if record is None else record.latest
    assert latest is not None
    return {
        "name": name,
        "state": "draft" if record is None else record.state,
        "version": latest.version,
        "draft": None if draft is None else draft.version,
        "description": latest.definition.get("description"),
        "entry_event": (latest.definition.get("entry") or {}).get("event"),
        "published_at": None if record is None else latest.published_at,
    }
