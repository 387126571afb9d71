"""The OpenAPI document: what FastAPI makes of the operations, and what it cannot know."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from sojourn import __version__
from sojourn.api import examples
from sojourn.api.endpoints.models import LimitsIn
from sojourn.api.events.cloudevents import CloudEvent
from sojourn.api.models import Files, ProblemDetails
from sojourn.api.profiles.models import AttributesIn, KeysIn, ProfileIn
from sojourn.contract.incoming_event import EventIn

DESCRIPTION = """
Events come in, journeys are published, instances are looked at, endpoints are steered.

Errors are problem details (RFC 9457): `type` says which kind, `detail` what is wrong and what to write instead.
While no API key exists, only requests from the same machine are answered, without a key. From the first key on
(`sojourn keys create`) every operation but `/health` asks for one, as `Authorization: Bearer sjk_…`.
"""

_TAGS = [
    {"name": "events", "description": "Events come in."},
    {"name": "journeys", "description": "What is published."},
    {"name": "operations", "description": "What is done with all instances of a journey in the background."},
    {"name": "instances", "description": "Profiles on their journeys."},
    {"name": "endpoints", "description": "Sources and actions: how often they are called, and what failed."},
    {"name": "profiles", "description": "What is known of each profile: the built-in data source."},
    {"name": "health", "description": "For what watches the process."},
]


def document(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document of the application."""
    openapi = get_openapi(
        title="Sojourn",
        version=__version__,
        summary="Customer journeys as durable Temporal workflows.",
        description=DESCRIPTION.strip(),
        routes=app.routes,
        tags=_TAGS,
        license_info={"name": "MIT", "identifier": "MIT"},
    )
    components = openapi.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    # The bodies of these are read by hand, so FastAPI does not know them.
    _, extra = models_json_schema(
        [
            (EventIn, "validation"),
            (CloudEvent, "validation"),
            (Files, "validation"),
            (LimitsIn, "validation"),
            (AttributesIn, "validation"),
            (ProfileIn, "validation"),
            (KeysIn, "validation"),
        ],
        ref_template="#/components/schemas/{model}",
    )
    for model, schema in extra["$defs"].items():
        schemas[schema.get("title", model)] = schema
    schemas["ProblemDetails"] = ProblemDetails.model_json_schema()
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)
    components["securitySchemes"] = {
        "key": {
            "type": "http",
            "scheme": "bearer",
            "description": "An API key, sjk_…, with the operation's scope.",
        }
    }
    for path, operations in openapi["paths"].items():
        for operation in operations.values():
            # A request without a key is right as long as there are none, hence the empty alternative.
            operation["security"] = [] if path.startswith("/health") else [{"key": []}, {}]
            _complete(operation)
    return openapi


def _complete(operation: dict[str, Any]) -> None:
    """Put in the examples of good answers, and take out the errors that FastAPI would answer with."""
    for status, response in list(operation["responses"].items()):
        content = response.get("content", {})
        if "HTTPValidationError" in str(content):
            del operation["responses"][status]
        elif status.startswith("2"):
            # FastAPI drops what is null from the document, in examples too, so they come after it.
            content["application/json"]["examples"] = examples.ANSWERS[operation["operationId"]]
