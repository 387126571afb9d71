"""Events: what happened to a profile, and how to tell which profile."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import Field

from sojourn.definitions.base import CelText, Model, Name
from sojourn.definitions.kinds.endpoint import JsonSchema


class EventDefinition(Model):
    """An event, read from a document `event: NAME`.

    `key` is the expression that yields the profile key from `event`, the event's data: a text, or a whole
    number. `when` is a rule: where it is false, the event is not this event. `data_schema` (in files:
    `schema`) is the JSON Schema of the data; none: any object will do.
    """

    name: Name
    description: str | None = None
    key: CelText
    when: CelText | None = None
    data_schema: Annotated[JsonSchema, Field(description="JSON Schema of the event's data")] | None = Field(
        None, alias="schema"
    )

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
