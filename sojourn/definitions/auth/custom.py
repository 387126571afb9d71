"""A token that the endpoint gives in its own way."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from sojourn.definitions.auth.scheme import AuthScheme, check_one
from sojourn.definitions.auth.values import TextOrSecret
from sojourn.definitions.base import HttpUrl, Model
from sojourn.definitions.checks.http import check_headers, check_url
from sojourn.definitions.codes import Code
from sojourn.definitions.documents import secrets
from sojourn.definitions.documents.validate import Source
from sojourn.definitions.durations import PositiveDuration
from sojourn.definitions.problems import Path


class SendToken(Model):
    """How a custom token is sent: exactly one of the three."""

    bearer: Literal[True] | None = None
    header: Annotated[str, Field(description="Name of the header that carries the token")] | None = None
    query: Annotated[str, Field(description="Name of the query parameter that carries the token")] | None = (
        None
    )


class CustomAuth(AuthScheme):
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

    def check(self, source: Source, path: Path) -> None:
        """Report a token request that cannot be sent, and a token that is sent in no way or in two."""
        check_url(self.token_url, source, (*path, "token_url"))
        check_headers(self.headers, source, (*path, "headers"))
        written = source.document.value["auth"]
        for name in ("form", "body"):
            secrets.check_fields(written.get(name), source, (*path, name), references=True)
        if self.form is not None and self.body is not None:
            message = "The request for a token has one body, `form` or `body`"
            source.report(Code.ONE_OF, (*path, "form"), message, "Keep one of them.", key=True)
        if self.method == "GET" and (self.form is not None or self.body is not None):
            message = "A GET request has no body"
            source.report(Code.ONE_OF, (*path, "method"), message, "Use method: POST.")
        check_one(self.send, ("bearer", "header", "query"), source, (*path, "send"))
