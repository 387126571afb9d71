"""What may happen at a moment of a scenario, or while a call is in flight."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from sojourn.definitions.base import JourneyName, Model, Name
from sojourn.definitions.codes import Code, problem
from sojourn.definitions.durations import parse_duration

EVERYBODY = "all"
"""The profile that stands for every one."""

MEANWHILE = ("event", "pause", "resume", "exit", "stop")
"""What may happen while a call is in flight."""

ACTS = (*MEANWHILE, "close", "reopen", "move", "publish", "restart")
"""What may happen at a moment; each entry of `events` has one of them."""


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

FIRST_MOMENT = datetime(2026, 1, 5, 12, tzinfo=UTC)
"""The moment at which a scenario begins that names none: a Monday, at noon in UTC."""


class Target(Model):
    """Whom an operator means: a profile's instances, all of a journey, or those of one version of it."""

    profile: str | None = None
    journey: JourneyName | None = None
    version: int | None = Field(None, ge=1)

    @model_validator(mode="after")
    def _some(self) -> Target:
        if self.profile is None and self.journey is None:
            raise problem(
                Code.ONE_OF,
                "It is not said who is meant",
                "Write `profile: KEY`, `profile: all`, or `journey: NAME`.",
            )
        if self.version is not None and self.profile is not None:
            raise problem(
                Code.ONE_OF,
                "`version` means all instances of that version",
                "Leave `profile` or `version` out.",
            )
        return self

    @property
    def key(self) -> str | None:
        """The profile key that is meant; nothing for everybody's."""
        return None if self.profile == EVERYBODY else self.profile


class OfJourney(Model):
    """The journey that an operator means, and perhaps one of its versions."""

    journey: JourneyName
    version: int | None = Field(None, ge=1)


def _profile(value: Any) -> Any:
    return {"profile": value} if isinstance(value, str) else value


def _journey(value: Any) -> Any:
    return {"journey": value} if isinstance(value, str) else value


Whom = Annotated[Target, BeforeValidator(_profile)]
"""Whom an operator means; in a file, a profile key may stand alone."""

Which = Annotated[OfJourney, BeforeValidator(_journey)]
"""Which journey an operator means; in a file, its name may stand alone."""


class Meanwhile(Model):
    """An event that arrives, or what an operator does with instances, while a call is in flight."""

    event: Name | None = None
    id: str | None = None
    data: dict[str, Any] = Field(default_factory=dict)
    pause: Whom | None = None
    resume: Whom | None = None
    exit: Whom | None = None
    stop: Whom | None = None
    reason: str | None = None

    @model_validator(mode="after")
    def _one(self) -> Meanwhile:
        named = [name for name in self.acts() if getattr(self, name) is not None]
        if len(named) != 1:
            what = f"This says {' and '.join(named)}" if named else "This says nothing that happens"
            raise problem(Code.ONE_OF, what, f"Write one of {', '.join(self.acts())}.")
        return self

    @classmethod
    def acts(cls) -> tuple[str, ...]:
        """Return the names of what may happen; each has one of them."""
        return MEANWHILE

    @property
    def named(self) -> str:
        """The one that it has."""
        return next(name for name in self.acts() if getattr(self, name) is not None)


class Act(Meanwhile):
    """One entry of `events`: an event that arrives, or what an operator does."""

    at: At = timedelta()
    close: Which | None = None
    reopen: Which | None = None
    move: Which | None = None
    publish: str | None = Field(
        None, description="A folder beside the file, whose definitions are laid over the project's"
    )
    restart: Literal["worker"] | None = None

    @classmethod
    def acts(cls) -> tuple[str, ...]:
        """Return the names of what may happen."""
        return ACTS

    @model_validator(mode="after")
    def _whole(self) -> Act:
        if any(which is not None and which.version for which in (self.close, self.reopen)):
            raise problem(Code.ONE_OF, "Only a whole journey is closed or reopened", "Leave `version` out.")
        return self
