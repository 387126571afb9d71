"""A fixed key in a header or in the query."""

from __future__ import annotations

from sojourn.activities.auth.scheme import Fixed, with_header, with_query
from sojourn.activities.auth.secrets import CallSecrets
from sojourn.activities.http.wire import HttpRequest
from sojourn.definitions.auth.api_key import ApiKeyAuth


def _add(auth: ApiKeyAuth, request: HttpRequest, secrets: CallSecrets) -> HttpRequest:
    value = secrets.get(auth.value.secret)
    if auth.header:
        return with_header(request, auth.header, value)
    return with_query(request, str(auth.query), value)


SCHEME = Fixed(_add)
