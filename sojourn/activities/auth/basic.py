"""HTTP Basic authentication (RFC 7617)."""

from __future__ import annotations

import base64

from sojourn.activities.auth.scheme import Fixed, text, with_header
from sojourn.activities.auth.secrets import MASK, CallSecrets
from sojourn.activities.errors import refused
from sojourn.activities.http.wire import HttpRequest
from sojourn.definitions.auth.basic import BasicAuth


def _add(auth: BasicAuth, request: HttpRequest, secrets: CallSecrets) -> HttpRequest:
    user, password = text(auth.username, secrets), secrets.get(auth.password.secret)
    if ":" in user:
        raise refused("a user name of basic authentication cannot hold a colon", expected=False)
    if MASK in {user, password}:
        return with_header(request, "Authorization", f"Basic {MASK}")
    # The pair is a secret as well: an endpoint may repeat it as it was sent.
    encoded = secrets.mask.add(base64.b64encode(f"{user}:{password}".encode()).decode())
    return with_header(request, "Authorization", f"Basic {encoded}")


SCHEME = Fixed(_add)
