"""A fixed bearer token (RFC 6750)."""

from __future__ import annotations

from typing import Literal

from sojourn.definitions.auth.scheme import AuthScheme
from sojourn.definitions.base import Secret


class BearerAuth(AuthScheme):
    """A fixed token: `Authorization: Bearer <token>`."""

    type: Literal["bearer"]
    token: Secret
