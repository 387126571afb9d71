"""What a scenario file says: events at their moments, answers of the other side, and what is expected."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from sojourn.contract.event_result import Reason
from sojourn.contract.journey_states import JourneyState
from sojourn.definitions.base import JourneyName, Model, Name
from sojourn.definitions.codes import Code, problem
from sojourn.definitions.durations import Duration
from sojourn.simulation.actions import FIRST_MOMENT, Act, At, Meanwhile, Moment

Outcome = Literal["completed", "exited", "timed_out", "failed", "stopped"]


class ScriptedAnswer(Model):
    """What an endpoint answers, see `sojourn.testing.Answer`."""

    parameters: dict[str, Any] = Field(default_factory=dict, alias="with")
    status: int = Field(200, ge=100, le=599)
    body: Any = Field(default_factory=dict)
    headers: dict[str, str] = Field(default_factory=dict)
    after: Duration = 0
    hang: bool = False
    refuse: Literal["connection"] | None = None
    capped: bool = False
    during: list[Meanwhile] = Field(
        default_factory=list, description="What happens between the request and this answer, the first time"
    )


Answers = Annotated[list[ScriptedAnswer], Field(min_length=1)]
"""The answers of an endpoint; in a file, one may stand alone."""


def _call(value: Any) -> Any:
    return {"endpoint": value} if isinstance(value, str) else value


def _step(value: Any) -> Any:
    return {"step": value} if isinstance(value, str) else value


def _refusal(value: Any) -> Any:
    return {"reason": value} if isinstance(value, str) else value


class ExpectedCall(Model):
    """A call that is expected. What is left out is not compared."""

    endpoint: Name
    parameters: dict[str, Any] | None = Field(None, alias="with")
    body: Any = None
    at: At | None = None
    attempts: int | None = Field(None, ge=1)


RecordedStep = Annotated[str, Field(min_length=1, max_length=200)]
"""A step as the trace names it. In Python journeys that may be what no id of a YAML step is: `action-email.send`."""


class ExpectedStep(Model):
    """A step that is expected in the trace. What is left out is not compared."""

    step: RecordedStep
    result: str | None = None
    at: At | None = None


class ExpectedRefusal(Model):
    """A refusal of an event that is expected. What is left out is not compared."""

    reason: Reason
    event: Name | None = None
    journey: JourneyName | None = None


class Expectation(Model):
    """What is expected, of one instance or of all. What is left out is not compared."""

    profile: str | None = None
    journey: JourneyName | None = None
    run: int | None = Field(None, ge=1, description="Which of several instances it is, from 1")
    version: int | None = None
    outcome: Outcome | None = None
    text: str | None = None
    last_error: dict[str, Any] | None = None
    waiting_at: RecordedStep | None = None
    paused: bool | None = None
    steps: list[Annotated[ExpectedStep, BeforeValidator(_step)]] | None = None
    calls: list[Annotated[ExpectedCall, BeforeValidator(_call)]] | None = None
    refusals: list[Annotated[ExpectedRefusal, BeforeValidator(_refusal)]] | None = None
    entered: int | None = Field(None, ge=0)
    state: JourneyState | None = Field(None, description="In which state the journey is then")
    attributes: dict[str, Any] | None = Field(None, description="What the built-in profile store has then")

    @model_validator(mode="after")
    def _whose(self) -> Expectation:
        if self.attributes is not None and self.profile is None:
            raise problem(
                Code.MISSING_KEY, "It is not said whose attributes these are", "Add `profile: KEY`."
            )
        if self.state is not None and self.journey is None:
            raise problem(
                Code.MISSING_KEY, "It is not said which journey's state this is", "Add `journey: NAME`."
            )
        return self

    @property
    def of_an_instance(self) -> list[str]:
        """The fields that speak of one instance."""
        return [
            name
            for name in ("version", "outcome", "text", "last_error", "waiting_at", "paused", "steps")
            if name in self.model_fields_set
        ]


class Scenario(Model):
    """A scenario: one document of a file in a project's folder `tests`."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    description: str | None = None
    now: Moment = FIRST_MOMENT
    mode: str = Field("test", description="What expressions see as `journey.mode`")
    profiles: dict[str, dict[str, Any]] = Field(default_factory=dict)
    answers: dict[str, Answers] = Field(default_factory=dict)
    events: list[Act] = Field(min_length=1)
    until: At | None = None
    expect: Annotated[list[Expectation], Field(min_length=1)]

    def moment(self, at: timedelta | datetime) -> datetime:
        """Return a moment of the scenario in UTC."""
        begin: datetime = self.now
        return (begin + at if isinstance(at, timedelta) else at).astimezone(UTC)
