"""The JSON Schema of definition files, for editors."""

from __future__ import annotations

import copy
from typing import Any

from pydantic.json_schema import models_json_schema

from sojourn.definitions.kinds.endpoint import EndpointDefinition
from sojourn.definitions.kinds.event import EventDefinition
from sojourn.definitions.kinds.journey import JourneyDefinition
from sojourn.definitions.kinds.profile import ProfileDefinition

_DOCUMENTS = ("event", "source", "action", "profile", "journey")


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of one document of a definition file.

    The first key of a document (`event`, `source`, `action`, `profile`, `journey`) says what it is, and the
    kind's key what a step is. An editor reads it where a file begins with `# yaml-language-server: $schema=...`.
    It describes the shape only: what `sojourn validate` checks besides (names, graph, expressions) no JSON Schema
    can say.
    """
    models = [
        (EventDefinition, "validation"),
        (EndpointDefinition, "validation"),
        (ProfileDefinition, "validation"),
        (JourneyDefinition, "validation"),
    ]
    _, schema = models_json_schema(models, by_alias=True, ref_template="#/$defs/{model}")  # type: ignore[arg-type]
    parts: dict[str, Any] = schema["$defs"]
    endpoint = parts.pop("EndpointDefinition")
    documents = {
        "event": _named(parts.pop("EventDefinition"), "event"),
        "source": _named(endpoint, "source"),
        "action": _named(endpoint, "action"),
        "profile": _named(parts.pop("ProfileDefinition"), "profile"),
        "journey": _named(parts.pop("JourneyDefinition"), "journey"),
    }
    documents["source"]["properties"]["method"]["enum"] = ["GET", "POST"]
    for name, absent in (("source", "throttle"), ("action", "cache")):
        documents[name]["properties"].pop(absent)
        documents[name]["required"].remove("url")
        documents[name]["oneOf"] = [{"required": ["url"]}, {"required": ["python"]}]
    for part in parts.values():
        _tidy(part)
    for name, document in documents.items():
        _tidy(document)
        document["title"] = name
        parts[f"{name}-document"] = document
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Sojourn definitions",
        "description": "One document of a definition file; its first key says what it is.",
        "type": "object",
        "oneOf": [{"$ref": f"#/$defs/{name}-document"} for name in _DOCUMENTS],
        "$defs": dict(sorted(parts.items())),
    }


def _named(model: dict[str, Any], kind: str) -> dict[str, Any]:
    """Return a model's schema with the key of the document in the place of `name` and `kind`."""
    document = copy.deepcopy(model)
    properties = document["properties"]
    name = properties.pop("name")
    properties.pop("kind", None)
    name["description"] = f"Name of the {kind}"
    document["properties"] = {kind: name, **properties}
    required = [key for key in document.get("required", []) if key not in ("name", "kind", "method")]
    document["required"] = [kind, *required]
    return document


def _tidy(part: Any) -> None:
    """Remove what pydantic adds for machines and what only confuses people: titles, null as a default."""
    if isinstance(part, list):
        for item in part:
            _tidy(item)
    if not isinstance(part, dict):
        return
    if isinstance(part.get("title"), str):
        part.pop("title")
    if "default" in part and part["default"] is None:
        part.pop("default")
    if isinstance(part.get("description"), str):
        # The first paragraph of a docstring is for everyone; the rest is for developers.
        part["description"] = " ".join(part["description"].split("\n\n")[0].split())
    for item in part.values():
        _tidy(item)
