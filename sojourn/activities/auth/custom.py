"""A token that the endpoint gives in its own way: a request, and a place in its answer."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from sojourn.activities.auth import oauth2
from sojourn.activities.auth.lifetimes import lifetime
from sojourn.activities.auth.scheme import Fetched, texts, with_bearer, with_header, with_query
from sojourn.activities.auth.secrets import CallSecrets
from sojourn.activities.errors import INVALID_RESPONSE, CallError
from sojourn.activities.http.request import checked_headers
from sojourn.activities.http.response import parse_json
from sojourn.activities.http.wire import HttpRequest, HttpResponse, json_bytes
from sojourn.definitions.auth.custom import CustomAuth


def _request(auth: CustomAuth, secrets: CallSecrets) -> HttpRequest:
    headers = texts(auth.headers, secrets)
    body = None
    if auth.form is not None:
        headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
        body = urlencode(texts(auth.form, secrets)).encode()
    elif auth.body is not None:
        headers.setdefault("Content-Type", "application/json")
        body = json_bytes(texts(auth.body, secrets))
    return HttpRequest(auth.method, auth.token_url, checked_headers(headers.items()), body)


def _read(auth: CustomAuth, response: HttpResponse) -> tuple[Any, float]:
    if not 200 <= response.status < 300:
        raise oauth2.token_refused(response)
    if auth.token is None:
        return response.body.decode("utf-8", "replace").strip(), auth.cache
    try:
        answer = parse_json(response)
    except CallError:
        raise _unreadable("the token endpoint's answer is no JSON", response) from None
    stated = _at(answer, auth.expires) if auth.expires else None
    try:
        seconds = lifetime(stated) if stated is not None else auth.cache
    except ValueError:
        raise _unreadable("the lifetime of the token is neither a number nor a moment", response) from None
    return _at(answer, auth.token), seconds


def _unreadable(message: str, response: HttpResponse) -> CallError:
    return CallError(INVALID_RESPONSE, message, status=response.status)


def _at(value: Any, path: str) -> Any:
    """Return what is found along names separated by dots, or None."""
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _send(auth: CustomAuth, request: HttpRequest, token: str) -> HttpRequest:
    if auth.send.header:
        return with_header(request, auth.send.header, token)
    if auth.send.query:
        return with_query(request, auth.send.query, token)
    return with_bearer(auth, request, token)


SCHEME = Fetched(_request, _read, _send)
