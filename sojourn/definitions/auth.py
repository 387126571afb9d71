"""How Sojourn proves who it is to a data source or an action: the `auth` of an endpoint."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from sojourn.definitions.base import HttpUrl, Model, Secret, SecretRef
from sojourn.definitions.durations import PositiveDuration


def _text_or_secret(value: Any) -> str:
    return "kind:secret" if isinstance(value, dict | SecretRef) else "kind:text"


TextOrSecret = Annotated[
    Annotated[str, Tag("kind:text")] | Annotated[Secret, Tag("kind:secret")], Discriminator(_text_or_secret)
]
"""A text that may stand in the file, or `{secret: NAME}`."""


class NoAuth(Model):
    """The endpoint asks for no credentials."""

    type: Literal["none"] = "none"


class BasicAuth(Model):
    """User name and password, base64 in the `Authorization` header."""

    type: Literal["basic"]
    username: TextOrSecret
    password: Secret


class ApiKeyAuth(Model):
    """A fixed value in a header or in a query parameter: give exactly one of `header` and `query`."""

    type: Literal["api_key"]
    header: Annotated[str, Field(description="Name of the header that carries the key")] | None = None
    query: Annotated[str, Field(description="Name of the query parameter that carries the key")] | None = None
    value: Secret


class BearerAuth(Model):
    """A fixed token: `Authorization: Bearer <token>`."""

    type: Literal["bearer"]
    token: Secret


OAUTH_FIELDS = {
    "grant_type": "type",
    "client_id": "client_id",
    "client_secret": "client_secret",
    "scope": "scope",
    "audience": "audience",
}
"""Form fields of a token request that have keys of their own, by name."""


class OAuth2Auth(Model):
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


class CustomAuth(Model):
    """A token asked for in two steps, in a way of the endpoint's own.

    The request goes to `token_url`; the token is found in its JSON answer at `token` (names separated by
    dots; left out: the whole body is the token); it is then sent as `send` says, and kept for `cache`, or
    as long as the answer says at `expires`: seconds, or the moment at which it ends.
    """

    type: Literal["custom"]
    token_url: HttpUrl
    method: Literal["GET", "POST"] = "POST"
    headers: dict[str, TextOrSecret] = Field(default_factory=dict)
    form: dict[str, TextOrSecret] | None = Field(None, description="Fields sent as an HTML form")
    body: dict[str, TextOrSecret] | None = Field(None, description="Fields sent as a flat JSON object")
    token: (
        Annotated[str, Field(description="Where the token is in the JSON answer, such as data.token")] | None
    ) = None
    expires: (
        Annotated[
            str, Field(description="Where the answer says for how many seconds it holds, or when it ends")
        ]
        | None
    ) = None
    cache: Annotated[PositiveDuration, Field(description="How long a token is kept")] = 3600
    send: SendToken = Field(default_factory=lambda: SendToken(bearer=True))


class SendToken(Model):
    """How a custom token is sent: exactly one of the three."""

    bearer: Literal[True] | None = None
    header: Annotated[str, Field(description="Name of the header that carries the token")] | None = None
    query: Annotated[str, Field(description="Name of the query parameter that carries the token")] | None = (
        None
    )


CustomAuth.model_rebuild()

AUTH_KINDS: dict[str, type[Model]] = {
    "none": NoAuth,
    "basic": BasicAuth,
    "api_key": ApiKeyAuth,
    "bearer": BearerAuth,
    "oauth2": OAuth2Auth,
    "custom": CustomAuth,
}


def _auth_kind(value: Any) -> str | None:
    if isinstance(value, dict):
        return f"kind:{value['type']}" if "type" in value else None
    return next((f"kind:{name}" for name, model in AUTH_KINDS.items() if isinstance(value, model)), None)


Auth = Annotated[
    Annotated[NoAuth, Tag("kind:none")]
    | Annotated[BasicAuth, Tag("kind:basic")]
    | Annotated[ApiKeyAuth, Tag("kind:api_key")]
    | Annotated[BearerAuth, Tag("kind:bearer")]
    | Annotated[OAuth2Auth, Tag("kind:oauth2")]
    | Annotated[CustomAuth, Tag("kind:custom")],
    Discriminator(_auth_kind),
]
"""One of the ways to authenticate; `type` says which."""
