"""The types of authentication: the `auth` of an endpoint. One module each, named as in `sojourn.activities.auth`.

A new type is a module here with its model, a line in `_MODELS`, and a module there that adds the credentials.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Union, get_args

from pydantic import Discriminator, Tag

from sojourn.definitions.auth.api_key import ApiKeyAuth
from sojourn.definitions.auth.basic import BasicAuth
from sojourn.definitions.auth.bearer import BearerAuth
from sojourn.definitions.auth.custom import CustomAuth
from sojourn.definitions.auth.none import NoAuth
from sojourn.definitions.auth.oauth2 import OAuth2Auth
from sojourn.definitions.auth.scheme import AuthScheme

_MODELS: tuple[type[AuthScheme], ...] = (NoAuth, BasicAuth, ApiKeyAuth, BearerAuth, OAuth2Auth, CustomAuth)

TYPES: Mapping[str, type[AuthScheme]] = {
    get_args(model.model_fields["type"].annotation)[0]: model for model in _MODELS
}
"""The model of each type, by the value of `type`."""


def _tag(value: Any) -> str | None:
    if isinstance(value, AuthScheme):
        return f"kind:{value.type}"
    return f"kind:{value['type']}" if isinstance(value, dict) and "type" in value else None


if TYPE_CHECKING:
    Auth = AuthScheme
else:
    Auth = Annotated[
        Union[tuple(Annotated[model, Tag(f"kind:{key}")] for key, model in TYPES.items())],  # noqa: UP007
        Discriminator(_tag),
    ]
"""One of the types of authentication; `type` says which."""

__all__ = ["TYPES", "Auth", "AuthScheme", "NoAuth"]
