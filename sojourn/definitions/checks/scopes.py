"""What expressions may name, and of what type it is, in each place of a definition."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from sojourn.definitions.documents.reading import Reading, ReadJourney
from sojourn.definitions.kinds.endpoint import EndpointDefinition
from sojourn.expressions import (
    ANY,
    MAP,
    NULL,
    NUMBER,
    STRING,
    TIMESTAMP,
    Template,
    Type,
    compile_template,
    from_json_schema,
    list_of,
    map_of,
    union,
)
from sojourn.expressions import compile as compile_expression

Scope = dict[str, Type]

KEY = union(STRING, NUMBER)
"""What a profile key may be."""

_LAST_ERROR = union(
    map_of(
        {"step": STRING, "code": STRING, "status": union(NUMBER, NULL), "message": STRING, "body": ANY},
    ),
    NULL,
)
_JOURNEY = map_of(
    {
        "name": STRING,
        "version": NUMBER,
        "instance": STRING,
        "mode": STRING,
        "entered_at": TIMESTAMP,
        "step": STRING,
        "last_error": _LAST_ERROR,
    }
)
SECOND_KEY = union(KEY, NULL, list_of(union(KEY, NULL)))
"""What a second key may yield of an event: a value, several, or none."""


def event_type(name: str, reading: Reading) -> Type:
    """Return the type of an event's data; anything where the event could not be read."""
    read = reading.events.get(name)
    if read is None or read.model is None:
        return ANY
    return _described(f"event:{name}", read.model.data_schema, MAP, reading)


def _described(key: str, schema: dict[str, Any] | None, otherwise: Type, reading: Reading) -> Type:
    """Return the type that a schema describes, read once for a project."""
    if key not in reading.types:
        reading.types[key] = from_json_schema(schema) if schema is not None else otherwise
    found: Type = reading.types[key]
    return found


def profile_type(reading: Reading) -> Type:
    """Return the type of the profile: what the project's document `profile` says of it, or any map."""
    return _described("profile", profile_schema(reading), MAP, reading)


def profile_schema(reading: Reading) -> dict[str, Any] | None:
    """Return the JSON Schema of the profile's attributes, where the project has one."""
    model = reading.profile.model if reading.profile else None
    return model.data_schema if model else None


def of_parameters(endpoint: EndpointDefinition) -> Scope:
    """Return the scope of an endpoint's templates: its parameters."""
    scope = {}
    for name, schema in endpoint.parameters.items():
        type_ = from_json_schema(schema)
        absent = schema.get("optional") and "default" not in schema
        scope[name] = union(type_, NULL) if absent else type_
    return scope


def received(journey: ReadJourney) -> set[str]:
    """Return the names of the events that an instance of a journey receives."""
    names = {event for step in journey.steps.values() if step is not None for event in step.listens()}
    if journey.head is not None:
        names |= {journey.head.entry.event} | {criterion.event for criterion in journey.head.exit_when}
    return names


def of_journey(journey: ReadJourney, reading: Reading) -> Scope:
    """Return the scope of a journey's expressions, without `event`.

    What `set` steps make is inferred in the order in which they are written.
    """
    entry = event_type(journey.head.entry.event, reading) if journey.head else ANY
    scope: Scope = {
        "entry": entry,
        "events": map_of({name: event_type(name, reading) for name in sorted(received(journey))}),
        "journey": _journey(journey, entry),
        "profile": profile_type(reading),
        "now": TIMESTAMP,
    }
    answer = partial(_answer, reading)
    steps = {name: step for name, step in journey.steps.items() if step is not None and step.leaves_result}
    # First as far as it is known without the others: an expression may name a step that is written later.
    results = {name: step.result_type(answer, lambda _: ANY) or ANY for name, step in steps.items()}
    for name, step in steps.items():
        known = {**scope, "steps": map_of(results)}
        results[name] = step.result_type(answer, partial(template_type, scope=known)) or ANY
    scope["steps"] = map_of(results)
    return scope


def _journey(journey: ReadJourney, entry: Type) -> Type:
    """Return the type of `journey`; `per` is in it where the journey has a second key."""
    per = journey.head.entry.per if journey.head else None
    if per is None:
        return _JOURNEY
    try:
        found = compile_expression(per).type({"event": entry})
    except ValueError:
        found = ANY
    # Of a list, each value has an instance of its own.
    one = KEY if found.may_be(["list"]) else Type(found.kinds & KEY.kinds)
    return map_of({**(_JOURNEY.fields or {}), "per": one})


def _answer(reading: Reading, endpoint: str) -> Type:
    read = reading.endpoints.get(endpoint)
    schema = read.model.response if read and read.model else None
    return map_of({"status": NUMBER, "body": _described(endpoint, schema, ANY, reading)})


def template_type(value: Any, scope: Mapping[str, Type]) -> Type:
    """Return the type of what a template yields; anything where it does not compile."""
    if isinstance(value, dict):
        return map_of({key: template_type(item, scope) for key, item in value.items()})
    if isinstance(value, list):
        return list_of(union(*(template_type(item, scope) for item in value)))
    if not isinstance(value, str):
        return from_json_schema({"const": value})
    try:
        template = compile_template(value)
    except ValueError:
        return ANY
    return template.expressions[0][1].type(scope) if is_whole(template) else STRING


def is_whole(template: Template) -> bool:
    """Return whether a template is one text that is one `${...}`, so that the value keeps its type."""
    text = template.source
    if not isinstance(text, str) or len(template.expressions) != 1:
        return False
    source = template.expressions[0][1].source
    return text.startswith("${") and text.endswith("}") and text[2:-1].strip() == source
