"""OAuth 2.0 client credentials (RFC 6749, section 4.4)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from sojourn.definitions.auth.scheme import AuthScheme
from sojourn.definitions.auth.values import TextOrSecret
from sojourn.definitions.base import HttpUrl, Secret
from sojourn.definitions.checks.http import check_url
from sojourn.definitions.codes import Code
from sojourn.definitions.documents import secrets
from sojourn.definitions.documents.validate import Source
from sojourn.definitions.problems import Path

OAUTH_FIELDS = {
    "grant_type": "type",
    "client_id": "client_id",
    "client_secret": "client_secret",
    "scope": "scope",
    "audience": "audience",
}
"""Form fields of a token request that have keys of their own, by name."""


class OAuth2Auth(AuthScheme):
    """OAuth 2 client credentials: a token is asked for, kept while it holds, and sent as bearer."""

    type: Literal["oauth2"]
    token_url: HttpUrl
    client_id: TextOrSecret
    client_secret: Secret
    scope: Annotated[str, Field(description="Scopes, separated by spaces")] | None = None
    audience: str | None = None
    parameters: dict[str, TextOrSecret] = Field(
        default_factory=dict,
        description="More form fields that the token endpoint asks for, such as resource",
        json_schema_extra={"propertyNames": {"not": {"enum": list(OAUTH_FIELDS)}}},
    )
    credentials: Annotated[
        Literal["header", "body"],
        Field(description="Send client id and secret as HTTP Basic (header) or as form fields (body)"),
    ] = "header"

    def check(self, source: Source, path: Path) -> None:
        """Report a token URL that cannot be called, and form fields that have keys of their own."""
        check_url(self.token_url, source, (*path, "token_url"))
        written = source.document.value["auth"].get("parameters")
        secrets.check_fields(written, source, (*path, "parameters"), references=True)
        for name in self.parameters:
            if name in OAUTH_FIELDS:
                other = f"Write auth.{OAUTH_FIELDS[name]} instead."
                hint = "Leave it out here." if name == "grant_type" else other
                message = f"`{name}` has a place of its own in OAuth 2.0"
                source.report(Code.UNKNOWN_KEY, (*path, "parameters", name), message, hint, key=True)
