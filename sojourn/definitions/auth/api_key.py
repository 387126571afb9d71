"""A fixed key in a header or in the query."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from sojourn.definitions.auth.scheme import AuthScheme, check_one
from sojourn.definitions.base import Secret, SecretRef
from sojourn.definitions.checks.http import check_headers
from sojourn.definitions.documents.validate import Source
from sojourn.definitions.problems import Path


class ApiKeyAuth(AuthScheme):
    """A fixed value in a header or in a query parameter: give exactly one of `header` and `query`."""

    type: Literal["api_key"]
    header: Annotated[str, Field(description="Name of the header that carries the key")] | None = None
    query: Annotated[str, Field(description="Name of the query parameter that carries the key")] | None = None
    value: Secret

    def check(self, source: Source, path: Path) -> None:
        """Report a key without a place, or with two, and a header that cannot be sent."""
        check_one(self, ("header", "query"), source, path)
        if self.header:
            check_headers({self.header: SecretRef(secret="X")}, source, path)  # noqa: S106
