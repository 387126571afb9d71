"""Profiles: what a project says of the attributes that the built-in store keeps."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import Field

from sojourn.definitions.base import Model, Name
from sojourn.definitions.kinds.endpoint import JsonSchema


class ProfileDefinition(Model):
    """The profiles of a project, read from a document `profile: NAME`. A project has at most one.

    `data_schema` (in files: `schema`) is the JSON Schema of all attributes of a profile; none: any will do.
    Every write is checked against it, as the profile would be afterwards.
    """

    name: Name
    description: str | None = None
    data_schema: (
        Annotated[JsonSchema, Field(description="JSON Schema of a profile's attributes, an object")] | None
    ) = Field(None, alias="schema")

    def dump(self) -> dict[str, Any]:
        """Return the definition as plain JSON, which `load` reads back."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)

    @classmethod
    def load(cls, data: dict[str, Any]) -> Self:
        """Read what `dump` wrote.

        Raises:
            pydantic.ValidationError: It was not written by `dump`.
        """
        return cls.model_validate(data)
