"""HTTP Basic authentication (RFC 7617)."""

from __future__ import annotations

from typing import Literal

from sojourn.definitions.auth.scheme import AuthScheme
from sojourn.definitions.auth.values import TextOrSecret
from sojourn.definitions.base import Secret


class BasicAuth(AuthScheme):
    """User name and password, base64 in the `Authorization` header."""

    type: Literal["basic"]
    username: TextOrSecret
    password: Secret
