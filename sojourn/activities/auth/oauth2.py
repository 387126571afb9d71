"""OAuth 2.0 client credentials (RFC 6749, section 4.4): oauthlib writes the request and reads the answer."""

from __future__ import annotations

import base64
from json import JSONDecodeError
from urllib.parse import quote

from oauthlib.oauth2 import BackendApplicationClient, OAuth2Error
from oauthlib.oauth2.rfc6749.errors import (
    CustomOAuth2Error,
    InvalidClientError,
    InvalidScopeError,
    MissingTokenError,
    UnauthorizedClientError,
)

from sojourn.activities.auth.lifetimes import MAX_LIFETIME
from sojourn.activities.auth.scheme import Fetched, text, texts, with_bearer
from sojourn.activities.auth.secrets import SecretStore
from sojourn.activities.errors import INVALID_RESPONSE, CallError, http_code
from sojourn.activities.http.request import checked_headers
from sojourn.activities.http.response import is_retryable, parse_json, retry_after
from sojourn.activities.http.wire import HttpRequest, HttpResponse
from sojourn.definitions.auth.oauth2 import OAuth2Auth

DEFAULT_LIFETIME = 300.0
"""Seconds for which a token is kept whose answer does not say how long it holds."""

_FORM = "application/x-www-form-urlencoded"
_ADVICE = {
    InvalidClientError: "the client's id or secret is not the right one, or `credentials` should be the other one",
    InvalidScopeError: "`scope` asks for something that the client may not have",
    UnauthorizedClientError: "the client may not use client credentials",
}


def token_request(auth: OAuth2Auth, secrets: SecretStore) -> HttpRequest:
    """Return the request for a token; the client proves itself as section 2.3.1 has it.

    Raises:
        CallError: A secret is missing, or cannot be sent.
    """
    client_id = text(auth.client_id, secrets)
    secret = secrets.get(auth.client_secret.secret)
    fields = texts(auth.parameters, secrets)
    if auth.audience:
        fields["audience"] = auth.audience
    headers = {"Content-Type": _FORM, "Accept": "application/json"}
    in_body = auth.credentials == "body"
    if in_body:
        fields["client_secret"] = secret
    else:
        # Both are form-encoded before they are joined, so that a colon in one of them does not divide them.
        pair = f"{quote(client_id, safe='')}:{quote(secret, safe='')}"
        headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
    client = BackendApplicationClient(client_id)
    body = client.prepare_request_body(scope=auth.scope, include_client_id=in_body, **fields)
    return HttpRequest("POST", auth.token_url, checked_headers(headers.items()), body.encode())


def read_token(response: HttpResponse) -> tuple[str, float]:
    """Return the token of an answer, and the seconds for which it holds.

    Raises:
        CallError: There is none. The message holds nothing that the server wrote, which may repeat credentials,
            but the error's code where that is one of the standard's.
    """
    succeeded = 200 <= response.status < 300
    if not succeeded and is_retryable(response.status):
        raise token_refused(response)
    error: Exception | None = None
    try:
        answer = parse_json(response)
        token = BackendApplicationClient("").parse_request_body_response(response.body.decode("utf-8-sig"))
    except OAuth2Error as found:
        error = found
    except CallError:
        error = JSONDecodeError("no JSON", "", 0)
    except (ValueError, TypeError, AttributeError, OverflowError) as found:
        error = found
    if not succeeded:
        raise token_refused(response, _said(error))
    if isinstance(error, JSONDecodeError):
        raise _unusable("the token endpoint's answer is no JSON", response)
    if isinstance(error, OAuth2Error) and not isinstance(error, MissingTokenError):
        raise _unusable(f"the token endpoint gives no token{_said(error)}", response)
    if error is not None:
        raise _unusable(
            "the token endpoint's answer holds no token, or a lifetime that is no number", response
        )
    kind = token.get("token_type")
    if kind is not None and str(kind).lower() != "bearer":
        raise _unusable("the token endpoint's answer holds a token of another type than Bearer", response)
    stated = answer.get("expires_in")
    seconds = DEFAULT_LIFETIME if stated is None else float(token.get("expires_in", 0))
    return token.get("access_token"), min(seconds, MAX_LIFETIME)


def token_refused(response: HttpResponse, said: str = "") -> CallError:
    """Return the error of a token endpoint that answers with another status than 2xx. Its body is not shown."""
    retryable = is_retryable(response.status)
    return CallError(
        http_code(response.status),
        f"the token endpoint answers HTTP {response.status}{said}",
        status=response.status,
        retryable=retryable,
        retry_after=retry_after(response.headers.get("retry-after")) if retryable else None,
    )


def _said(error: Exception | None) -> str:
    """Return the code of an error answer (section 5.2), and what it usually means."""
    # Other codes are the server's own words, and may hold anything.
    if (
        not isinstance(error, OAuth2Error)
        or isinstance(error, CustomOAuth2Error | MissingTokenError)
        or not error.error
    ):
        return ""
    advice = next((text for kind, text in _ADVICE.items() if isinstance(error, kind)), None)
    return f", {error.error}" + (f": {advice}" if advice else "")


def _unusable(message: str, response: HttpResponse) -> CallError:
    return CallError(INVALID_RESPONSE, message, status=response.status)


SCHEME = Fetched(token_request, lambda auth, response: read_token(response), with_bearer)
