"""`/v1/endpoints`: looking at sources and actions, and steering how often they are called."""

from __future__ import annotations

import difflib
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from sojourn.api.auth import requires
from sojourn.api.bodies import content_type, parse_json, wrong_content_type
from sojourn.api.dependencies import Parts, context_of
from sojourn.api.endpoints import examples, models
from sojourn.api.endpoints.models import Kind
from sojourn.api.problems import kinds
from sojourn.api.problems.errors import ProblemError, openapi_responses
from sojourn.api.responses import JSON, json_response
from sojourn.contract.event_result import Violation
from sojourn.contract.incoming_event import explain
from sojourn.definitions.durations import parse_duration
from sojourn.steering.endpoints import count_waiting, details, summary
from sojourn.store import Catalog, LimitError
from sojourn.store.call_failures import as_dict
from sojourn.store.limits import KINDS

_FIELDS = ("cap", "throttle", "calls", "per", "expire")
_HINTS = {
    "calls": "write a whole number, such as 100",
    "per": 'write a duration, such as "1s"',
    "expire": 'write a duration, such as "1h"',
    "cap": 'write {"calls": 15, "per": "1s"}',
    "throttle": 'write {"calls": 100, "per": "1s", "expire": "1h"}',
}

router = APIRouter(tags=["endpoints"])
Name = Annotated[str, Path(description="The endpoint's name.", examples=["email.send"])]
KindPath = Annotated[Kind, Path(description="`source` or `action`.", examples=["action"])]


@router.get(
    "/v1/endpoints",
    response_model=models.Endpoints,
    summary="List endpoints",
    dependencies=[Depends(requires("read"))],
    responses=openapi_responses(*kinds.GUARDED),
)
async def list_endpoints(request: Request) -> Response:
    """Returns every source and action that was published, with its limits and its last error."""
    parts = context_of(request)
    store = parts.database()
    catalog, errors = await store.catalog(), await store.endpoint_errors.latest()
    keys = sorted(catalog.endpoints, key=lambda key: (key[0] != "source", key[1]))
    found = [summary(catalog, key, errors.get(key)) for key in keys]
    await count_waiting(parts.client, parts.settings.task_queue, found)
    return json_response({"endpoints": found})


@router.get(
    "/v1/endpoints/{kind}/{name}",
    response_model=models.Endpoint,
    summary="Read an endpoint",
    dependencies=[Depends(requires("read"))],
    responses=openapi_responses(*kinds.GUARDED, kinds.UNKNOWN_ENDPOINT, kinds.INVALID_REQUEST),
)
async def read_endpoint(request: Request, kind: KindPath, name: Name) -> Response:
    """Returns one endpoint: its definition, its limits and the last attempts that failed."""
    return await _endpoint(context_of(request), kind, name)


@router.put(
    "/v1/endpoints/{kind}/{name}/limits",
    response_model=models.Endpoint,
    summary="Set limits",
    dependencies=[Depends(requires("operate"))],
    responses=openapi_responses(
        *kinds.GUARDED, *kinds.WITH_BODY, kinds.UNKNOWN_ENDPOINT, kinds.INVALID_REQUEST
    ),
    openapi_extra=examples.LIMITS_REQUEST,
)
async def set_limits(request: Request, kind: KindPath, name: Name) -> Response:
    """Sets the cap or the throttle of an endpoint in place of those that were published, or both.

    Running workers keep to it within a second or so. It stays in force, also when the endpoint is published again,
    until it is reset.
    """
    parts = context_of(request)
    changes = await _changes(request)
    try:
        known = await parts.database().set_limits(kind, name, changes)
    except LimitError as error:
        raise _unfit([Violation("/" + error.field.replace(".", "/"), str(error))]) from None
    if not known:
        raise _unknown(await parts.database().catalog(), kind, name)
    return await _endpoint(parts, kind, name)


@router.delete(
    "/v1/endpoints/{kind}/{name}/limits",
    response_model=models.Endpoint,
    summary="Reset limits",
    dependencies=[Depends(requires("operate"))],
    responses=openapi_responses(*kinds.GUARDED, kinds.UNKNOWN_ENDPOINT, kinds.INVALID_REQUEST),
)
async def reset_limits(
    request: Request, kind: KindPath, name: Name, which: Annotated[models.Which, Query()]
) -> Response:
    """Puts limits back to what was published. Doing so again changes nothing."""
    parts = context_of(request)
    await parts.database().reset_limits(kind, name, which.limit or KINDS)
    return await _endpoint(parts, kind, name)


async def _endpoint(parts: Parts, kind: str, name: str) -> Response:
    store, key = parts.database(), (kind, name)
    catalog = await store.catalog()
    if key not in catalog.endpoints:
        raise _unknown(catalog, kind, name)
    errors = await store.endpoint_errors.last(kind, name)
    found = summary(catalog, key, errors[0] if errors else None)
    await count_waiting(parts.client, parts.settings.task_queue, [found])
    return json_response({**found, **details(catalog, key), "errors": [as_dict(error) for error in errors]})


async def _changes(request: Request) -> dict[str, Any]:
    """Read what limits to set, with durations in seconds.

    Raises:
        ProblemError: It is not of that form.
    """
    media_type = content_type(request)
    if media_type != JSON:
        raise wrong_content_type(media_type, [JSON])
    parsed = parse_json(await request.body(), "the limits")
    try:
        wanted = models.LimitsIn.model_validate(parsed)
    except ValidationError as error:
        raise _unfit(explain(error.errors(include_url=False), _FIELDS, _HINTS)) from None
    changes: dict[str, Any] = {}
    wrong: list[Violation] = []
    for limit in sorted(wanted.model_fields_set):
        value = getattr(wanted, limit)
        if value is None:
            wrong.append(Violation(f"/{limit}", "null is no limit; reset one with DELETE"))
            continue
        changes[limit] = {"calls": value.calls}
        for field in ("per", "expire"):
            if (text := getattr(value, field, None)) is None:
                continue
            try:
                changes[limit][field] = parse_duration(text)
            except ValueError as error:
                wrong.append(Violation(f"/{limit}/{field}", str(error)))
    if wrong:
        raise _unfit(wrong)
    return changes


def _unfit(violations: list[Violation]) -> ProblemError:
    told = "; ".join(
        f"{violation.path or 'the body'}: {violation.message.rstrip('.')}" for violation in violations
    )
    return ProblemError(
        kinds.INVALID_REQUEST,
        f"The request does not fit: {told}.",
        violations=[violation.as_dict() for violation in violations],
    )


def _unknown(catalog: Catalog, kind: str, name: str) -> ProblemError:
    other = "source" if kind == "action" else "action"
    if (other, name) in catalog.endpoints:
        hint = f" There is {'an' if other == 'action' else 'a'} {other} of this name."
    else:
        near = difflib.get_close_matches(name, [found for of, found in catalog.endpoints if of == kind], 1)
        hint = f" The nearest name is {near[0]}." if near else ""
    return ProblemError(kinds.UNKNOWN_ENDPOINT, f"No {kind} is named {name[:80]}.{hint}")
