"""From an endpoint's definition and a call's parameters to the request.

Pure, so that a request can be shown before it is sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, unquote, urlencode, urlsplit

from sojourn.activities.auth.secrets import SecretStore
from sojourn.activities.endpoint import PreparedEndpoint
from sojourn.activities.errors import refused
from sojourn.activities.http.wire import HttpRequest, json_bytes
from sojourn.definitions.kinds.endpoint import SecretRef

IDEMPOTENCY_HEADER = "Idempotency-Key"

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_HEADER_VALUE = re.compile(r"[\x20-\x7e\t]*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# What the connection needs to say about itself; another value here makes two readers disagree where a request
# ends.
_OWNED_HEADERS = frozenset(
    {"connection", "content-length", "expect", "host", "keep-alive", "proxy-connection", "te", "trailer"}
    | {"transfer-encoding", "upgrade"}
)
_BODY_METHODS = frozenset({"POST", "PUT", "PATCH"})


def build_request(
    endpoint: PreparedEndpoint,
    parameters: Mapping[str, Any],
    *,
    secrets: SecretStore,
    idempotency_key: str | None = None,
) -> HttpRequest:
    """Build the request of a call, without its authentication.

    Args:
        endpoint: The endpoint.
        parameters: The call's parameters, evaluated.
        secrets: Where secrets in headers, query and form come from.
        idempotency_key: Sent by actions as `Idempotency-Key`.

    Returns:
        The request.

    Raises:
        CallError: `refused`: the parameters do not fit, or would make a request that leads elsewhere than the
            definition says.
    """
    definition = endpoint.definition
    endpoint.check(parameters)
    values = endpoint.complete(parameters)
    parts = endpoint.evaluate(values, absent=set(definition.parameters) - set(parameters))
    url = _url(definition.url, values)
    query = _pairs(parts["query"], secrets, "query parameter")
    headers = {
        name: (
            secrets.get(value.secret)
            if isinstance(value, SecretRef)
            else scalar_text(value, f"header {name}")
        )
        for name, value in parts["headers"].items()
        if value is not None
    }
    rest = {name: values[name] for name in endpoint.rest if values[name] is not None}
    body: bytes | None = None
    if definition.form is not None:
        body = urlencode(_pairs(parts["form"], secrets, "form field")).encode()
        headers = _with_default(headers, "Content-Type", "application/x-www-form-urlencoded")
    elif definition.body is not None:
        body = _json(parts["body"])
    elif definition.method in _BODY_METHODS:
        body = _json(rest)
    if definition.method not in _BODY_METHODS:
        query += _pairs(rest, secrets, "query parameter")
    if body is not None:
        headers = _with_default(headers, "Content-Type", "application/json")
    if idempotency_key is not None:
        headers = {
            name: value for name, value in headers.items() if name.lower() != IDEMPOTENCY_HEADER.lower()
        }
        headers[IDEMPOTENCY_HEADER] = idempotency_key
    return HttpRequest(definition.method, add_query(url, query), checked_headers(headers.items()), body)


def add_query(url: str, pairs: Iterable[tuple[str, str]]) -> str:
    """Return a URL with query parameters added to those it has."""
    text = urlencode(list(pairs), quote_via=quote)
    if not text:
        return url
    return f"{url}{'&' if '?' in url else '?'}{text}"


def checked_headers(headers: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Return headers that cannot be anything but the headers they seem to be.

    Raises:
        CallError: A name or a value would break out of its line or change how the request is read.
    """
    checked = []
    for name, value in headers:
        if not _TOKEN.fullmatch(name) or name.lower() in _OWNED_HEADERS:
            raise refused(f"{name[:60]!r} cannot be set as a header by an endpoint", expected=False)
        if not _HEADER_VALUE.fullmatch(value):
            raise refused(
                f"the header {name} would hold a line break, a control character or one that is not ASCII, "
                "which headers cannot hold"
            )
        checked.append((name, value.strip()))
    return tuple(checked)


def scalar_text(value: Any, where: str) -> str:
    """Return how a single value is written in a URL, a header or a form.

    Args:
        value: A text, number or boolean.
        where: What it is for, for the error.

    Raises:
        CallError: It is a list, an object or null.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    if isinstance(value, (int, float)):
        return str(value)
    raise refused(f"the {where} must be a text, a number, true or false, and is {_kind(value)}")


def _kind(value: Any) -> str:
    return "null" if value is None else "a list" if isinstance(value, list) else "an object"


def _pairs(values: Mapping[str, Any], secrets: SecretStore, what: str) -> list[tuple[str, str]]:
    """Return names and texts; null is left out, a list gives its name once for each item."""
    pairs = []
    for name, value in values.items():
        if isinstance(value, SecretRef):
            pairs.append((name, secrets.get(value.secret)))
            continue
        for item in value if isinstance(value, list) else [value]:
            if item is None:
                continue
            pairs.append((name, _encodable(scalar_text(item, f"{what} {name}"), name)))
    return pairs


def _json(value: Any) -> bytes:
    try:
        return json_bytes(value)
    except (ValueError, TypeError):
        raise refused(
            "the body would hold something that JSON cannot, such as NaN or half a character"
        ) from None


def _with_default(headers: dict[str, str], name: str, value: str) -> dict[str, str]:
    """Return the headers with one added, unless the definition sets it."""
    return headers if any(have.lower() == name.lower() for have in headers) else {**headers, name: value}


def _url(template: str, values: Mapping[str, Any]) -> str:
    """Fill the placeholders of a URL. What they hold stays within its path segment or query value.

    Raises:
        CallError: It would not.
    """
    parts = urlsplit(template)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username is not None:
        raise refused(
            "the endpoint's URL must begin with http:// or https:// and a host, and hold no user",
            expected=False,
        )
    if "{" in parts.netloc:
        raise refused("the host of an endpoint's URL cannot come from a parameter", expected=False)
    path = _PLACEHOLDER.sub(lambda match: _segment(match[1], values), parts.path)
    query = _PLACEHOLDER.sub(lambda match: _query_value(match[1], values), parts.query)
    if _climbs(path):
        raise refused("the path of the URL would hold '.' or '..', which lead elsewhere")
    return f"{parts.scheme}://{parts.netloc}{path or '/'}{'?' + query if query else ''}"


def _segment(name: str, values: Mapping[str, Any]) -> str:
    text = _encodable(scalar_text(values.get(name), f"parameter {name} in the path"), name)
    if not text.strip():
        # `/customers/` is another resource than `/customers/42`: often the list of all.
        raise refused(f"the parameter {name} is empty, but it is part of the URL's path")
    if _CONTROL.search(text) or _climbs(text):
        raise refused(f"the parameter {name} would lead out of its place in the URL's path")
    return quote(text, safe="")


def _query_value(name: str, values: Mapping[str, Any]) -> str:
    value = values.get(name)
    return (
        ""
        if value is None
        else quote(_encodable(scalar_text(value, f"parameter {name} in the URL"), name), safe="")
    )


def _encodable(text: str, name: str) -> str:
    """Return the text if UTF-8 can express it.

    Raises:
        CallError: It holds half a surrogate pair.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        raise refused(f"{name} holds half a character") from None
    return text


def _climbs(text: str) -> bool:
    """Say whether a path, or one decoded once or twice more by a careless server, holds `.` or `..`."""
    for _ in range(3):
        if any(part in {".", ".."} for part in re.split(r"[/\\]", text)):
            return True
        decoded = unquote(text)
        if decoded == text:
            return False
        text = decoded
    return any(part in {".", ".."} for part in re.split(r"[/\\]", text))
