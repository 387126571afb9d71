"""What the API answers and what it is asked, as the OpenAPI document describes it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from sojourn.contract.event_result import Effect, Reason

JourneyName = Annotated[str, Field(examples=["cart-abandonment"])]
State = Literal["draft", "live", "paused", "closed", "stopped", "finished"]


class Answer(BaseModel):
    """A part of an answer."""


class ViolationOut(Answer):
    """One thing that is wrong with what was sent."""

    model_config = ConfigDict(title="Violation")

    path: str = Field(
        description="JSON pointer to what is wrong; empty for the whole.", examples=["/data/cartId"]
    )
    message: str = Field(description="What is wrong, and what to write instead.")


class EffectOut(Answer):
    """What an event did to one instance."""

    model_config = ConfigDict(title="InstanceEffect")

    journey: JourneyName
    version: int
    workflow_id: str = Field(description="The instance.", examples=["cart-abandonment:cust-1"])
    effect: Effect
    per: str | None = Field(
        None, description="The second key that the event carries for it. Left out where there is none."
    )


class RefusalOut(Answer):
    """Why an event had no effect on a journey, or on any."""

    model_config = ConfigDict(title="Refusal")

    journey: str | None = Field(description="The journey; null: any.")
    reason: Reason
    message: str
    violations: list[ViolationOut] | None = Field(
        None,
        description="For `invalid`: what is wrong, with pointers into the event. Left out where there is none.",
    )
    per: str | None = Field(
        None, description="The second key of the instance that it is about. Left out where there is none."
    )


class EventResultOut(Answer):
    """What became of one event."""

    model_config = ConfigDict(title="EventResult")

    id: str | None = Field(description="The event's id, given or made up; null where none could be read.")
    source: str | None = Field(None, description="A CloudEvent's source. Left out for other events.")
    name: str | None = Field(description="The event's name; null where none could be read.")
    status: Literal["accepted", "duplicate", "refused", "unavailable"] = Field(
        description="`accepted`: an instance was started or got it. `duplicate`: that happened before. `refused`: it "
        "had no effect, and `refusals` says why. `unavailable` (only in answers with 503): not known to be "
        "done."
    )
    protected: bool = Field(description="The sender gave the id, so sending the event again is recognised.")
    instances: list[EffectOut]
    refusals: list[RefusalOut]


class EventResults(Answer):
    """One result for each event, in their order."""

    results: list[EventResultOut]


class Files(BaseModel):
    """A project: the texts of its YAML files."""

    model_config = ConfigDict(strict=True, extra="forbid", title="Project")

    files: dict[str, str] = Field(
        min_length=1,
        description="The text of each file by its path in the project, such as `journeys/welcome.yaml`.",
    )


class DefinitionProblem(Answer):
    """One thing that is wrong, or looks wrong, with a definition."""

    code: str = Field(description="Stable code.")
    severity: Literal["error", "warning"]
    file: str
    line: int = Field(description="From 1; 0 if it concerns no line.")
    column: int = Field(description="From 1; 0 if it concerns no line.")
    field: str = Field(description="Path of the field in its document; may be empty.")
    message: str
    hint: str = Field(description="What to write instead; may be empty.")


class VersionRef(Answer):
    """A version of a journey."""

    journey: JourneyName
    version: int


class Published(Answer):
    """What a publication changed."""

    published: list[VersionRef] = Field(description="New versions.")
    drafts: list[VersionRef] = Field(
        description="Drafts that were saved, with the number that each is to get."
    )
    unchanged: list[str] = Field(description="Journeys whose latest version says the same already.")
    events: list[str] = Field(description="New and changed events.")
    endpoints: list[str] = Field(description="New and changed endpoints, as `source:NAME` or `action:NAME`.")
    profile: str | None = Field(
        description="Name of the document that describes profiles, where that is new or changed."
    )
    overridden: list[Overridden] = Field(
        description="Endpoints of the project whose published limits have no effect, since an operator set others."
    )
    problems: list[DefinitionProblem] = Field(description="Warnings; they do not stand against publishing.")


class Overridden(Answer):
    """Limits that an operator set for an endpoint of the project, and that stay in force."""

    kind: Literal["source", "action"]
    name: str
    limits: list[Literal["cap", "throttle"]]
    message: str = Field(description="What it means, for people.")


class Validated(Answer):
    """What is wrong with a project."""

    ok: bool = Field(description="Whether it can be published.")
    problems: list[DefinitionProblem]


class JourneySummary(Answer):
    """A journey and its latest version."""

    name: JourneyName
    state: State
    version: int = Field(
        description="The latest version, which new entries get; of a draft, what it is to be."
    )
    draft: int | None = Field(description="The version that its draft is to be, where it has one.")
    description: str | None
    entry_event: str | None = Field(description="Name of the event on which profiles enter.")
    published_at: datetime | None = Field(
        description="When the latest version was published, UTC; null for a draft."
    )


class Journeys(Answer):
    """Every journey that was published, by name."""

    journeys: list[JourneySummary]


class VersionSummary(Answer):
    """A version of a journey."""

    version: int
    state: State
    published_at: datetime


class Journey(JourneySummary):
    """A journey with its versions and its latest definition."""

    versions: list[VersionSummary] = Field(description="Latest first.")
    definition: dict[str, Any] = Field(description="The latest version, compiled: what its instances run.")


class Version(VersionSummary):
    """One version of a journey. It never changes."""

    journey: JourneyName
    definition: dict[str, Any] = Field(description="The compiled definition: what its instances run.")
    files: dict[str, str] | None = Field(
        description="The project's files as they were published, where kept."
    )


class InstanceSummary(Answer):
    """An instance in a list."""

    model_config = ConfigDict(extra="allow")

    workflow_id: str
    run_id: str
    journey: str | None
    version: int | None
    profile: str | None = Field(description="The profile key, or its hash.")
    per: str | None = Field(description="The second key, or its hash; null where the journey has none.")
    step: str | None
    status: str | None
    entered_at: str | None
    ended_at: str | None


class Instances(Answer):
    """Some instances, newest first."""

    instances: list[InstanceSummary]
    next_page: str | None = Field(
        description="What to send as `page` for those that follow; null at the end."
    )


class Trace(Answer):
    """A step that an instance took."""

    model_config = ConfigDict(extra="allow")

    seq: int
    at: str
    step: str
    kind: str
    visit: int
    result: str | None
    next: str | None
    duration: float | None = Field(description="Seconds.")


class Instance(Answer):
    """An instance with its steps. The same members for running and ended ones."""

    model_config = ConfigDict(extra="allow")

    workflow_id: str
    run_id: str | None
    journey: str | None
    version: int | None
    profile: str | None
    per: str | None = Field(description="The second key; null where the journey has none.")
    status: str | None
    paused: bool | None
    paused_by: list[Literal["instance", "journey"]] | None = Field(
        None,
        description="`instance`: it was paused by itself; `journey`: with its journey. Both are kept apart.",
    )
    outcome: str | None = Field(description="How it ended; null while it runs.")
    text: str | None
    step: str | None = Field(description="Where it stands; null when it has ended.")
    kind: str | None
    waiting_for: list[str] | None
    until: str | None
    pending: int | None
    dropped: int | None
    entered_at: str | None
    ended_at: str | None
    steps: list[Trace] | None = Field(description="The steps it took; null where no worker could be asked.")
    last_error: dict[str, Any] | None
    error: dict[str, Any] | None = Field(
        description="What it failed with. Of one that runs: why its code cannot go on, with the code `code_error` or "
        "`nondeterminism`; Temporal tries it again until the code is mended."
    )
    source: str = Field(description="Who said so: `worker`, `result` or `temporal`.")


class Live(Answer):
    """The process is there."""

    status: Literal["live"]


class Ready(Answer):
    """The process can do its work."""

    status: Literal["ready"]
    checks: dict[str, str] = Field(
        description="What was looked at.", examples=[{"database": "ok", "temporal": "ok"}]
    )


class ProblemDetails(BaseModel):
    """An error (RFC 9457). Some kinds have further members, see `docs/reference/problems.md`."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(
        description="The kind of problem; never changes its meaning.", examples=["/problems/invalid-json"]
    )
    title: str = Field(description="What kind of problem it is, for people.")
    status: int = Field(description="The HTTP status again.")
    detail: str = Field(description="What is wrong in this request, and what to write instead.")
