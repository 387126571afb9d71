"""The application: all operations, the middleware, and how errors become problems."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route
from temporalio.client import Client

from sojourn import __version__
from sojourn.api import openapi
from sojourn.api.dependencies import open_parts
from sojourn.api.endpoints import routes as endpoints
from sojourn.api.events import routes as events
from sojourn.api.health import routes as health
from sojourn.api.instances import routes as instances
from sojourn.api.instances import steering
from sojourn.api.journeys import routes as journeys
from sojourn.api.journeys.versions import routes as versions
from sojourn.api.journeys.versions.problems import not_publishable
from sojourn.api.middleware import BodyLimit, SafetyNet
from sojourn.api.operations import routes as operations
from sojourn.api.pages import reference
from sojourn.api.problems import kinds
from sojourn.api.problems.errors import ProblemError, unavailable
from sojourn.api.profiles import routes as profiles
from sojourn.contract.incoming_event import explain
from sojourn.routing import RoutingUnavailable
from sojourn.settings import Settings
from sojourn.store import Store, StoreUnavailable
from sojourn.store.version_rules import PublicationRefused

_MODULES = (
    events,
    journeys,
    versions,
    operations,
    steering,
    instances,
    endpoints,
    profiles,
    health,
    reference,
)


def create_app(settings: Settings, *, store: Store | None = None, client: Client | None = None) -> FastAPI:
    """Return the API as an ASGI application.

    It starts whether or not Temporal and the database can be reached, answers 503 while they cannot, and
    recovers by itself.

    Args:
        settings: What the deployment set.
        store: Used instead of opening `settings.database`; not closed at the end.
        client: Used instead of connecting to the Temporal that the environment names.
    """

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_parts(settings, store, client) as parts:
            app.state.parts = parts
            yield

    app = FastAPI(
        title="Sojourn",
        version=__version__,
        lifespan=lifespan,
        # FastAPI's pages load their scripts from another host; `pages` has one that loads nothing.
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        exception_handlers={
            ProblemError: _problem,
            HTTPException: _http_exception,
            RequestValidationError: _invalid_parameters,
            StoreUnavailable: _unavailable,
            PublicationRefused: _not_publishable,
            RoutingUnavailable: _unavailable,
        },
        # Short names, by which the examples in the OpenAPI document are found.
        generate_unique_id_function=lambda route: route.name,
    )
    app.openapi = lambda: _cached_openapi(app)  # type: ignore[method-assign]
    app.add_middleware(BodyLimit, limit=settings.max_body)
    app.add_middleware(SafetyNet)
    for module in _MODULES:
        app.include_router(module.router)
    app.include_router(operations.operations)
    return app


def _cached_openapi(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        app.openapi_schema = openapi.document(app)
    return app.openapi_schema


async def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, ProblemError)
    return error.response()


async def _unavailable(request: Request, error: Exception) -> Response:
    return unavailable(error, "Send the same request again.").response()


async def _not_publishable(request: Request, error: Exception) -> Response:
    assert isinstance(error, PublicationRefused)
    return not_publishable(error).response()


async def _http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    path = request.url.path[:200]
    headers = dict(error.headers or {})
    if error.status_code == 404:
        problem = ProblemError(
            kinds.NOT_FOUND, f"There is nothing at {path}. The operations are listed at /docs."
        )
    elif error.status_code == 405:
        headers["Allow"] = allowed = _allowed(request)
        problem = ProblemError(
            kinds.WRONG_METHOD, f"{request.method} is not a method of {path}. Use {allowed}.", headers=headers
        )
    else:
        problem = ProblemError(kinds.REQUEST_REFUSED, str(error.detail), headers=headers)
    return problem.response()


def _allowed(request: Request) -> str:
    """Return every method that the path has: Starlette's own `Allow` names those of one route only."""
    methods: set[str] = set()
    for module in _MODULES:
        for route in module.router.routes:
            if isinstance(route, Route) and route.matches(request.scope)[0] is not Match.NONE:
                methods |= route.methods or set()
    return ", ".join(sorted(methods))


async def _invalid_parameters(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    details: list[Any] = [{**item, "loc": item["loc"][1:]} for item in error.errors()]
    violations = [
        {"path": violation.path.lstrip("/"), "message": violation.message}
        for violation in explain(details, _parameters(request), {})
    ]
    what = "; ".join(f"{violation['path']}: {violation['message']}" for violation in violations)
    return ProblemError(
        kinds.INVALID_REQUEST, f"The request does not fit: {what}.", violations=violations
    ).response()


def _parameters(request: Request) -> list[str]:
    """Return the names of the operation's parameters, to suggest one for a name that is none."""
    schema = request.app.openapi()
    route = request.scope.get("route")
    operation = schema["paths"].get(getattr(route, "path_format", ""), {}).get(request.method.lower(), {})
    return [parameter["name"] for parameter in operation.get("parameters", []) if parameter["in"] == "query"]
