"""What a scenario file says: events at their moments, answers of the other side, and what is expected."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from sojourn.definitions.base import JourneyName, Model, Name
from sojourn.definitions.codes import Code, problem
from sojourn.definitions.durations import Duration, parse_duration
from sojourn.routing.model import Reason

ACTS = ("event", "pause", "resume", "exit", "publish", "restart")
"""What may happen at a moment; each entry of `events` has one of them."""

Outcome = Literal["completed", "exited", "timed_out", "failed", "stopped"]


def _moment(value: Any) -> datetime:
    try:
        parsed = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise problem(
            Code.DATE, "This is no moment", "Write date, time and offset: 2026-03-27T09:00:00+01:00."
        ) from None
    if parsed.tzinfo is None:
        raise problem(Code.DATE, "This moment has no offset from UTC", f"Write {value}Z or {value}+01:00.")
    return parsed


def _at(value: Any) -> timedelta | datetime:
    if isinstance(value, str) and "-" in value:
        return _moment(value)
    try:
        return timedelta(seconds=parse_duration(value))
    except (AttributeError, TypeError, ValueError):
        raise problem(
            Code.DURATION,
            "This says no time",
            "Write how long after the first event, such as 0s, 90m or 1d12h, or a moment with date and offset.",
        ) from None


Moment = Annotated[Any, BeforeValidator(_moment)]
"""A moment, as an aware `datetime`."""

At = Annotated[Any, BeforeValidator(_at)]
"""When: a `timedelta` since the scenario's beginning, or an aware `datetime`."""


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


Answers = Annotated[list[ScriptedAnswer], Field(min_length=1)]
"""The answers of an endpoint; in a file, one may stand alone."""


class Act(Model):
    """One entry of `events`: an event that arrives, or what an operator does."""

    at: At = timedelta()
    event: Name | None = None
    id: str | None = None
    data: dict[str, Any] = Field(default_factory=dict)
    pause: str | None = Field(None, description="The profile whose instances are paused, or `all`")
    resume: str | None = Field(None, description="The profile whose instances go on, or `all`")
    exit: str | None = Field(None, description="The profile whose instances exit, or `all`")
    reason: str | None = None
    publish: str | None = Field(
        None, description="A folder beside the file, whose definitions are laid over the project's"
    )
    restart: Literal["worker"] | None = None

    @model_validator(mode="after")
    def _one(self) -> Act:
        named = [name for name in ACTS if getattr(self, name) is not None]
        if len(named) != 1:
            what = f"This says {' and '.join(named)}" if named else "This says nothing that happens"
            raise problem(Code.ONE_OF, what, f"Write one of {', '.join(ACTS)} beside `at`.")
        return self


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
    attributes: dict[str, Any] | None = Field(None, description="What the built-in profile store has then")

    @model_validator(mode="after")
    def _whose(self) -> Expectation:
        if self.attributes is not None and self.profile is None:
            raise problem(
                Code.MISSING_KEY, "It is not said whose attributes these are", "Add `profile: KEY`."
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
    now: Moment = datetime(2026, 1, 5, 12, tzinfo=UTC)
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
