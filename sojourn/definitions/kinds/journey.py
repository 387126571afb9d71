"""Journeys: entry, rules and steps, as read from a document `journey: NAME`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from sojourn.definitions import limits
from sojourn.definitions.base import CelText, JourneyName, Model, Name, StepId
from sojourn.definitions.durations import Duration, PositiveDuration
from sojourn.definitions.steps import AnyStep


class Entry(Model):
    """What starts an instance."""

    event: Name
    per: CelText | None = Field(
        None,
        description="Second key, over `event`, the data of each event: a profile has an instance for each value",
    )


class Reentry(Model):
    """Whether a profile may enter again, and how long after its last entry."""

    allow: bool = True
    after: Duration = limits.DEFAULT_REENTRY_AFTER


class ExitCriterion(Model):
    """An event that ends the instance, wherever it stands."""

    event: Name
    when: CelText | None = Field(
        None, description="Which of these events counts; `event` is the one that arrived"
    )


class JourneyHead(Model):
    """All of a journey but its steps."""

    name: JourneyName
    description: str | None = None
    entry: Entry
    reentry: Reentry = Field(default_factory=Reentry)
    timezone: str = Field("UTC", description='IANA name such as Europe/Paris, or "${...}" that yields one')
    timeout: Annotated[PositiveDuration, Field(description="Of the whole instance")] = limits.DEFAULT_TIMEOUT
    call_timeout: Annotated[
        PositiveDuration, Field(description="Of one call with its retries: 1s to 30s")
    ] = limits.DEFAULT_CALL_TIMEOUT
    start: str | None = Field(None, description="First day, or moment, at which profiles may enter")
    end: str | None = Field(None, description="Last day on which, or moment until which, profiles may enter")
    exit_when: list[ExitCriterion] = Field(default_factory=list)


class JourneyDefinition(JourneyHead):
    """A journey.

    `steps` holds them in the order in which they are written. In files, `name` is the value of `journey`.
    """

    steps: dict[StepId, AnyStep] = Field(min_length=1)


class CodeJourney(JourneyDefinition):
    """A journey whose steps are Python code: what its class says of it, for routing and for its instances.

    Python files give such documents, see `sojourn.journey.defn`; they are the journeys that have a `workflow`.
    """

    steps: dict[StepId, AnyStep] = Field(default_factory=dict, max_length=0)
    workflow: JourneyName = Field(description="Its workflow type in Temporal")
    first: str | None = Field(None, description="Step with which its code begins, as far as that shows")
    listens: list[Name] = Field(default_factory=list, description="Events that its code waits for")
    sources: list[Name] = Field(default_factory=list, description="Sources that its code names")
    actions: list[Name] = Field(default_factory=list, description="Actions that its code names")
    jumps: list[JourneyName] = Field(default_factory=list, description="Journeys to which its code jumps")
