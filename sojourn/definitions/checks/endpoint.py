"""Checks of sources, actions and events that need no expressions: URLs, headers, schemas, credentials."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from sojourn.definitions.auth import OAUTH_FIELDS, ApiKeyAuth, CustomAuth, OAuth2Auth
from sojourn.definitions.base import Model, SecretRef
from sojourn.definitions.checks.json_schema import check_schema, validator
from sojourn.definitions.codes import Code
from sojourn.definitions.documents import secrets
from sojourn.definitions.documents.contents import ReadEndpoint, ReadEvent, ReadProfile
from sojourn.definitions.documents.validate import Source, described
from sojourn.definitions.kinds.endpoint import HTTP_ONLY, EndpointDefinition
from sojourn.definitions.problems import Path, choose
from sojourn.definitions.rate_limits import SOURCE_THROTTLED

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_TEXT = re.compile(r"[\t\x20-\x7e]*")
_EXPRESSIONS = re.compile(r"\$\{.*\}", re.DOTALL)
_PLACEHOLDER = re.compile(r"\{[^{}]*\}")
_OURS = {
    "host": "the URL says it",
    "content-length": "it follows from the body",
    "transfer-encoding": "it follows from the body",
    "connection": "Sojourn keeps connections",
    "idempotency-key": "Sojourn sets it, the same for every attempt of a call",
}


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
        check_url(model.url, source, ("url",), model)
        _check_method(model, source)
        _check_auth(model.auth, source)
    _check_parameters(model, source)
    _check_limits(model, source)
    if model.response is not None:
        check_schema(model.response, source, ("response",))


def check_url(url: str, source: Source, path: Path, model: EndpointDefinition | None = None) -> None:
    """Report what is wrong with a URL.

    Args:
        url: The URL.
        source: Its document.
        path: Where it stands there.
        model: The endpoint whose parameters `{name}` may stand in it; None where none may.
    """
    secrets.check_url(url, source, path)
    if "${" in url:
        hint = "Write {name} for a parameter: it is percent-encoded."
        source.report(Code.URL, path, "A URL has no ${...} in it", hint)
        return
    fixed = _PLACEHOLDER.sub("x", url)
    try:
        parts = urlsplit(fixed)
        host, _ = parts.hostname, parts.port
    except ValueError:
        source.report(Code.URL, path, "This is no URL", "Write it like https://api.example.com/items/{id}.")
        return
    if parts.scheme not in ("http", "https") or not host:
        hint = "Write it whole, like https://api.example.com/items/{id}."
        source.report(Code.URL, path, "The URL does not begin with https:// or http:// and a host", hint)
    elif re.search(r"[\s\x00-\x1f]|[{}]", fixed):
        message = "The URL holds a space or a brace that does not belong to {name}"
        source.report(Code.URL, path, message, "Write %20 for a space.")
    elif parts.fragment:
        source.report(Code.URL, path, "A # part of a URL is never sent", "Leave it out.")
    elif "{" in re.split(r"[/?#]", url.partition("://")[2], maxsplit=1)[0]:
        hint = "Write the host out; parameters may stand in the path and in the query."
        source.report(Code.URL, path, "The host of a URL cannot come from a parameter", hint)
    if model is not None:
        _check_placeholders(model, source)
    elif "{" in url:
        source.report(Code.URL, path, "This URL has no parameters", "Write it out, without {name}.")


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


def check_headers(headers: Mapping[str, Any], source: Source, path: Path) -> None:
    """Report headers that no request can carry, that Sojourn sets itself, or that carry credentials."""
    secrets.check_headers(headers, source, path)
    seen: set[str] = set()
    for name, value in headers.items():
        lowered = name.lower()
        if not _TOKEN.fullmatch(name):
            message, hint = f"`{name[:60]}` cannot be the name of a header", "Use letters, digits and '-'."
            source.report(Code.HEADER, (*path, name), message, hint, key=True)
        elif lowered in _OURS:
            message = f"The header `{name}` cannot be set: {_OURS[lowered]}"
            source.report(Code.HEADER, (*path, name), message, "Leave it out.", key=True)
        elif lowered in seen:
            message = f"The header `{name}` stands here twice; upper and lower case are the same"
            source.report(Code.HEADER, (*path, name), message, "Keep one of them.", key=True)
        if isinstance(value, str) and not _HEADER_TEXT.fullmatch(_EXPRESSIONS.sub("", value)):
            message = "The value of a header must be one line of ASCII"
            source.report(Code.HEADER, (*path, name), message, "Leave out line breaks and other letters.")
        seen.add(lowered)


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


def _check_auth(auth: Model, source: Source) -> None:
    path: Path = ("auth",)
    if isinstance(auth, ApiKeyAuth):
        _check_one(auth, ("header", "query"), source, path)
        if auth.header:
            check_headers({auth.header: SecretRef(secret="X")}, source, path)  # noqa: S106
    elif isinstance(auth, OAuth2Auth):
        check_url(auth.token_url, source, (*path, "token_url"))
        _check_token_parameters(auth, source, (*path, "parameters"))
    elif isinstance(auth, CustomAuth):
        check_url(auth.token_url, source, (*path, "token_url"))
        check_headers(auth.headers, source, (*path, "headers"))
        written = source.document.value["auth"]
        for name in ("form", "body"):
            secrets.check_fields(written.get(name), source, (*path, name), references=True)
        if auth.form is not None and auth.body is not None:
            message = "The request for a token has one body, `form` or `body`"
            source.report(Code.ONE_OF, (*path, "form"), message, "Keep one of them.", key=True)
        if auth.method == "GET" and (auth.form is not None or auth.body is not None):
            message = "A GET request has no body"
            source.report(Code.ONE_OF, (*path, "method"), message, "Use method: POST.")
        _check_one(auth.send, ("bearer", "header", "query"), source, (*path, "send"))


def _check_token_parameters(auth: OAuth2Auth, source: Source, path: Path) -> None:
    secrets.check_fields(source.document.value["auth"].get("parameters"), source, path, references=True)
    for name in auth.parameters:
        if name in OAUTH_FIELDS:
            hint = (
                "Leave it out here." if name == "grant_type" else f"Write auth.{OAUTH_FIELDS[name]} instead."
            )
            message = f"`{name}` has a place of its own in OAuth 2.0"
            source.report(Code.UNKNOWN_KEY, (*path, name), message, hint, key=True)


def _check_one(model: Model, names: Iterable[str], source: Source, path: Path) -> None:
    given = [name for name in names if getattr(model, name) is not None]
    if len(given) != 1:
        shown = " or ".join(f"`{name}`" for name in names)
        message = f"This needs exactly one of {shown}" + (f", and has {len(given)}" if given else "")
        hint = f"Keep one of {shown}." if given else f"Add {shown}."
        source.report(Code.ONE_OF, path, message, hint, key=True)


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
