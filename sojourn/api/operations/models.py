"""What the API says of states and operations, as the OpenAPI document describes it."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from sojourn.api.models import Answer, Instance, JourneyName, State


class Operation(Answer):
    """What is done with all instances of a journey in the background."""

    id: int
    journey: JourneyName
    kind: str = Field(description="`pause`, `resume`, `stop` or `move`.")
    version: int | None = Field(description="Only instances of this version; null: of all.")
    state: Literal["running", "done", "superseded"] = Field(
        description="`superseded`: a later operation over the same instances took its place."
    )
    total: int = Field(description="How many instances it has found so far.")
    done: int = Field(description="With how many of them it has done its work.")
    failed: int = Field(description="With how many it could not.")
    created_at: str
    ended_at: str | None


class FailedItem(Answer):
    """An instance with which an operation could not do its work."""

    workflow_id: str
    code: str | None = Field(
        description="`temporal`: Temporal refused it. Of a move, why the instance stays in its version, such as `step`."
    )
    message: str


class OperationWithFailures(Operation):
    """An operation, and instances at which it failed, in the order of their ids."""

    failures: list[FailedItem]


class WhichFailures(BaseModel):
    """Which failures of an operation to show."""

    model_config = ConfigDict(extra="forbid")

    failures: int = Field(100, ge=0, le=1000, description="Most failures to return.")
    after: str = Field("", max_length=255, description="Only those whose workflow id comes behind this one.")


class Operations(Answer):
    """Operations, newest first."""

    operations: list[Operation]


class Steered(Answer):
    """What an act did to a journey."""

    journey: JourneyName
    state: State = Field(description="The journey's state now.")
    version: int = Field(description="Its latest version.")
    operation: Operation | None = Field(
        description="What is done with its instances in the background; null where nothing is."
    )


class SteeredInstance(Answer):
    """What was asked of an instance, and how it stands behind that."""

    asked: Literal["pause", "resume", "exit", "stop"]
    instance: Instance = Field(
        description="The instance. `source` is `temporal` where no worker could be asked: what was asked is kept, and "
        "takes effect when one is back."
    )


class OneVersion(BaseModel):
    """Which instances an act concerns."""

    model_config = ConfigDict(extra="forbid")

    version: int | None = Field(
        None, ge=1, description="Only instances of this version. The journey's state stays as it is."
    )


class FromVersion(BaseModel):
    """Which instances are moved."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    from_: int | None = Field(None, alias="from", ge=1, description="Only those in this version.")


class OperationFilters(BaseModel):
    """Which operations to list."""

    model_config = ConfigDict(extra="forbid")

    journey: str | None = Field(None, description="Only operations over this journey.", max_length=64)
    state: Literal["running", "done", "superseded"] | None = Field(
        None, description="Only operations in this state."
    )
    limit: int = Field(50, ge=1, le=1000, description="Most operations to return.")


class Draft(BaseModel):
    """How to publish."""

    model_config = ConfigDict(extra="forbid")

    draft: bool = Field(
        False,
        description="Keep the journeys as drafts, which nobody enters, in place of earlier drafts. Nothing that is "
        "published changes.",
    )


class Reason(BaseModel):
    """Why an instance is to end."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(
        "exited by an operator", description="Becomes the text of its outcome.", max_length=500
    )
