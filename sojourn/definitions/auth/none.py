"""No authentication."""

from __future__ import annotations

from typing import Literal

from sojourn.definitions.auth.scheme import AuthScheme


class NoAuth(AuthScheme):
    """The endpoint asks for no credentials."""

    type: Literal["none"] = "none"
