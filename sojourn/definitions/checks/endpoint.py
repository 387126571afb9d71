"""Checks of sources, actions and events that need no expressions: URLs, headers, schemas, credentials."""

from __future__ import annotations

from typing import Any

from sojourn.definitions.checks.http import check_headers, check_url
from sojourn.definitions.checks.json_schema import check_schema, validator
from sojourn.definitions.codes import Code
from sojourn.definitions.documents import secrets
from sojourn.definitions.documents.contents import ReadEndpoint, ReadEvent, ReadProfile
from sojourn.definitions.documents.validate import Source, described
from sojourn.definitions.kinds.endpoint import HTTP_ONLY, EndpointDefinition
from sojourn.definitions.problems import choose
from sojourn.definitions.rate_limits import SOURCE_THROTTLED


def check_event_document(event: ReadEvent) -> None:
    """Report what is wrong with an event, apart from its expressions."""
    if event.model and event.model.data_schema is not None:
        check_schema(event.model.data_schema, event.source, ("schema",))


def check_profile_document(profile: ReadProfile) -> None:
    """Report what is wrong with the description of profiles."""
    schema = profile.model.data_schema if profile.model else None
    if schema is None or not check_schema(schema, profile.source, ("schema",)):
        return
    types = schema.get("type", "object")
    if "object" not in ([types] if isinstance(types, str) else types):
        message = "A profile's attributes are an object, which this schema refuses"
        profile.source.report(Code.WRONG_VALUE, ("schema", "type"), message, "Write type: object.")


def check_endpoint(endpoint: ReadEndpoint) -> None:
    """Report what is wrong with a source or an action, apart from its expressions."""
    model, source = endpoint.model, endpoint.source
    written = source.document.value
    # Headers and credentials are told from the document, even where it has not the shape of an endpoint.
    if isinstance(written.get("headers"), dict):
        check_headers(written["headers"], source, ("headers",))
    secrets.check_fields(written.get("query"), source, ("query",), references=True)
    secrets.check_fields(written.get("form"), source, ("form",), references=True)
    secrets.check_fields(written.get("body"), source, ("body",), references=False)
    if model is None:
        if isinstance(written.get("url"), str):
            secrets.check_url(written["url"], source, ("url",))
        return
    if model.python is not None:
        _check_python(model, source)
    else:
        if check_url(model.url, source, ("url",), parameters=True):
            _check_placeholders(model, source)
        _check_method(model, source)
        model.auth.check(source, ("auth",))
    _check_parameters(model, source)
    _check_limits(model, source)
    if model.response is not None:
        check_schema(model.response, source, ("response",))


def _check_placeholders(model: EndpointDefinition, source: Source) -> None:
    for name in dict.fromkeys(model.placeholders):
        if name not in model.parameters:
            message = f"The URL names `{name[:60]}`, which is no parameter of this {model.kind}"
            hint = (
                choose(name, model.parameters)
                or f"Declare it: parameters: {{{name[:60]}: {{type: string}}}}."
            )
            source.report(Code.UNKNOWN_PARAMETER, ("url",), message, hint)
        elif model.parameters[name].get("optional") and "default" not in model.parameters[name]:
            message = f"The parameter `{name}` stands in the URL, so it cannot be optional"
            hint = "Give it a `default`, or leave out `optional`."
            source.report(Code.WRONG_VALUE, ("parameters", name, "optional"), message, hint)


def _check_python(model: EndpointDefinition, source: Source) -> None:
    for key in HTTP_ONLY:
        if key in source.document.value:
            message = f"`{key}` says how a request is made, and this {model.kind} is a Python function"
            source.report(Code.ONE_OF, (key,), message, f"Leave out `{key}`, or `python`.", key=True)


def _check_method(model: EndpointDefinition, source: Source) -> None:
    if model.kind == "source" and model.method not in ("GET", "POST"):
        message = f"A source only looks up, so its method cannot be {model.method}"
        source.report(Code.WRONG_VALUE, ("method",), message, "Use GET or POST, or make it an action.")
    given = [name for name in ("body", "form") if name in model.model_fields_set]
    if len(given) == 2:
        message = "A call has one body, `body` or `form`"
        source.report(Code.ONE_OF, ("form",), message, "Keep one of them.", key=True)
    if given and model.method == "GET":
        message = "A GET request has no body"
        hint = "Use `query`, or another method."
        source.report(Code.ONE_OF, (given[0],), message, hint, key=True)


def _check_parameters(model: EndpointDefinition, source: Source) -> None:
    for name, schema in model.parameters.items():
        path = ("parameters", name)
        if "optional" in schema and not isinstance(schema["optional"], bool):
            message = f"`optional` must be true or false, not {described(schema['optional'])}"
            source.report(Code.WRONG_VALUE, (*path, "optional"), message, "Write optional: true.")
        usable = check_schema(schema, source, path, extra=("optional",))
        if usable and "default" in schema and not validator(schema).is_valid(schema["default"]):
            message = "The default does not fit the parameter's own schema"
            source.report(Code.WRONG_VALUE, (*path, "default"), message, "Change one of the two.")


def _check_limits(model: EndpointDefinition, source: Source) -> None:
    if model.kind == "action" and model.cache is not None:
        message = "An action has an effect each time, so its answers are not cached"
        source.report(Code.UNKNOWN_KEY, ("cache",), message, "Leave out `cache`.", key=True)
    if model.kind == "source" and model.throttle is not None:
        wrong = SOURCE_THROTTLED
        source.report(Code.UNKNOWN_KEY, ("throttle",), wrong.message, wrong.hint, key=True)


def sent_values(model: EndpointDefinition) -> dict[str, Any]:
    """Return the templates of an endpoint by the key under which they stand."""
    return {"query": model.query, "headers": model.headers, "body": model.body, "form": model.form}
