"""No authentication."""

from __future__ import annotations

from typing import ClassVar, Literal

from sojourn.definitions.auth.scheme import AuthScheme


class NoAuth(AuthScheme):
    """The endpoint asks for no credentials."""

    key: ClassVar[str] = "none"

    type: Literal["none"] = "none"
