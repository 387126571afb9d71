"""What the API says of versions, their difference and moving, as the OpenAPI document describes it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from sojourn.api.models import Answer, JourneyName, VersionSummary


class RunningVersion(VersionSummary):
    """A version, and who is in it."""

    running: int = Field(description="How many instances run it.")


class RunningVersions(Answer):
    """The versions of a journey, newest first, and who is in which."""

    journey: JourneyName
    versions: list[RunningVersion]
    unknown: int = Field(description="Running instances of which the version is not known.")


class ChangeOfVersion(Answer):
    """One thing in which two versions differ."""

    path: str = Field(description="Where, such as `steps.remind.with.template`.")
    kind: Literal["added", "removed", "changed"]
    old: Any = Field(description="What it was; durations as text.")
    new: Any = Field(description="What it is.")


class Difference(Answer):
    """What two versions differ in."""

    model_config = ConfigDict(populate_by_name=True)

    journey: JourneyName
    from_: int = Field(alias="from")
    to: int
    changes: list[ChangeOfVersion]


class Versions(BaseModel):
    """Which versions are compared."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    from_: int | None = Field(None, alias="from", ge=1, description="The one before `to` if left out.")
    to: int | None = Field(None, ge=1, description="The latest if left out.")


class Movable(BaseModel):
    """Which instances are asked."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    from_: int | None = Field(None, alias="from", ge=1, description="Only those in this version.")
    limit: int = Field(100, ge=1, le=500, description="Most running instances to look at.")
    page: str | None = Field(None, description="`next_page` of the answer before.")


class AskedInstance(Answer):
    """Whether an instance of an earlier version could be moved to the newest one."""

    workflow_id: str
    effect: Literal["movable", "refused"]
    version: int | None = Field(description="The version in which it is.")
    code: str | None = Field(description="Why it would stay there.")
    message: str | None


class AskedInstances(Answer):
    """Which of some instances could be moved; those in the newest version are left out."""

    journey: JourneyName
    to: int
    instances: list[AskedInstance]
    next_page: str | None
