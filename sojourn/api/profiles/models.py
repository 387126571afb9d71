"""What the API says of profiles and is asked of them, as the OpenAPI document describes it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from sojourn.api.models import Answer, ViolationOut

Attributes = dict[str, Any]


class AttributesIn(BaseModel):
    """What to write about one profile."""

    model_config = ConfigDict(strict=True, extra="forbid", title="ProfileAttributes")

    attributes: Attributes = Field(
        description="With `PUT` all attributes; with `PATCH` those to change (RFC 7396: null removes one, objects are "
        "merged)."
    )


class ProfileIn(BaseModel):
    """What to write about one profile of several."""

    model_config = ConfigDict(extra="forbid", title="ProfileWrite")

    key: str | int | float = Field(
        description="The profile key, up to 1,000 characters. 42 is the profile `42`, as it is in events."
    )
    attributes: Attributes = Field(description="As for a single profile.")


class KeysIn(BaseModel):
    """Which profiles to read."""

    model_config = ConfigDict(extra="forbid", title="ProfileKeys")

    keys: list[str | int | float] = Field(description="Up to 1,000 profile keys.")


class ProfileOut(Answer):
    """A profile."""

    model_config = ConfigDict(title="Profile")

    key: str
    attributes: Attributes
    version: int = Field(description="Grows by one with each write that changed something; from 1.")
    created_at: datetime
    updated_at: datetime


class ProfilesOut(Answer):
    """Profiles that were asked for."""

    model_config = ConfigDict(title="Profiles")

    profiles: list[ProfileOut] = Field(description="Those that there are, in the order of the keys.")
    missing: list[str] = Field(description="Keys of profiles that are not there.")


class WrittenOut(Answer):
    """What became of a write."""

    model_config = ConfigDict(title="ProfileWritten")

    key: str | None = Field(description="The profile key; null where none could be read.")
    status: Literal["created", "updated", "unchanged", "refused"] = Field(
        description="`unchanged`: the profile says so already. `refused`: `violations` says why; only in batches."
    )
    version: int | None = Field(description="The version afterwards; null where there is no such profile.")
    violations: list[ViolationOut] | None = Field(
        None,
        description="For `refused`: what is wrong, with pointers into the item. Left out where there is none.",
    )


class WriteResults(Answer):
    """One result for each item, in their order."""

    model_config = ConfigDict(title="ProfileResults")

    results: list[WrittenOut]


class ErasedOut(Answer):
    """What became of an erasure."""

    model_config = ConfigDict(title="ProfileErased")

    key: str
    erased: bool = Field(description="Whether there was such a profile.")


class SchemaOut(Answer):
    """What the published project says of profiles."""

    model_config = ConfigDict(title="ProfileSchema")

    name: str | None = Field(description="Null where no project says anything of profiles.")
    description: str | None
    schema_: Attributes | None = Field(
        alias="schema", description="JSON Schema of the attributes; null: all are allowed."
    )
