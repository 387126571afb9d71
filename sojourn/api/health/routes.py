"""`/health`: for what watches the process. Open to all, and says nothing that is not."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from sojourn.api import models
from sojourn.api.dependencies import context_of
from sojourn.api.problems import kinds
from sojourn.api.problems.errors import ProblemError, openapi_responses
from sojourn.api.responses import json_response

router = APIRouter(tags=["health"])


@router.get(
    "/health/live",
    response_model=models.Live,
    summary="Is it there?",
)
@router.head("/health/live", include_in_schema=False)
async def live() -> Response:
    """Answers as long as the process can answer at all."""
    return Response(b'{"status":"live"}', media_type="application/json")


@router.get(
    "/health/ready",
    response_model=models.Ready,
    summary="Can it work?",
    responses=openapi_responses(kinds.NOT_READY),
)
@router.head("/health/ready", include_in_schema=False)
async def ready(request: Request) -> Response:
    """Answers 200 when Temporal and the database can be reached, else 503."""
    parts = context_of(request)
    database, temporal = await asyncio.gather(parts.check_database(), parts.check_temporal())
    checks = {"database": database, "temporal": temporal}
    away = [f"{name} {answer}" for name, answer in checks.items() if answer != "ok"]
    if away:
        raise ProblemError(kinds.NOT_READY, f"Not ready: {', '.join(away)}.", checks=checks)
    return json_response({"status": "ready", "checks": checks})
