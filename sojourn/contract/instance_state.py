"""What instances and events are known to have come to, as types: for `sojourn.client` and `sojourn.external`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeVar

from temporalio.exceptions import ApplicationError, CancelledError, TerminatedError
from temporalio.exceptions import TimeoutError as TimedOut

from sojourn.contract import names

T = TypeVar("T")


class NoInstance(LookupError):
    """No instance of this profile runs, or ran, in this journey; or Temporal no longer keeps it."""


@dataclass(frozen=True, slots=True)
class Step:
    """A record of the trace.

    Attributes:
        seq: Its number, from 1.
        at: When the step ended.
        step: The step's id.
        kind: `wait_for`, `action`, …; `note` for what an operator should know though no step was passed.
        visit: Which visit of the step this was, from 1.
        result: In a few words, what came of it.
        next: The step that followed, or None.
        duration: Seconds.
    """

    seq: int
    at: datetime
    step: str
    kind: str
    visit: int
    result: str
    next: str | None
    duration: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an instance ended.

    Attributes:
        journey: The journey.
        profile: The profile, as in workflow ids.
        outcome: How it ended.
        text: The text of its end, or the exit criterion, where there is one.
        version: The version; None where the instance could not say.
        entered_at: When it entered; None likewise.
        ended_at: When it ended; None likewise.
        steps: The trace; empty likewise.
        error: `{step, code, status, message}` of an instance that failed.
    """

    journey: str
    profile: str
    outcome: Literal["completed", "exited", "timed_out", "failed", "stopped"]
    text: str | None = None
    version: int | None = None
    entered_at: datetime | None = None
    ended_at: datetime | None = None
    steps: tuple[Step, ...] = ()
    error: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class InstanceState:
    """Where a running instance is.

    Attributes:
        journey: The journey.
        version: The version that it entered.
        instance: Its workflow id.
        profile: The profile, as in workflow ids.
        status: `running` or `paused`.
        step: The step at which it stands.
        kind: What kind of step that is.
        waiting_for: Names of the events that it waits for.
        until: When a wait ends by itself.
        entered_at: When it entered.
        pending: How many events are kept for the next wait.
        dropped: How many were dropped because too many were kept.
        steps: The trace so far.
        last_error: The last call that failed.
    """

    journey: str
    version: int
    instance: str
    profile: str
    status: Literal["running", "paused"]
    step: str | None
    kind: str | None
    waiting_for: tuple[str, ...]
    until: datetime | None
    entered_at: datetime
    pending: int
    dropped: int
    steps: tuple[Step, ...]
    last_error: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Effect:
    """What an event did to one instance.

    Attributes:
        journey: The journey.
        version: The instance's version.
        workflow_id: The instance.
        effect: `started` or `signalled`.
    """

    journey: str
    version: int
    workflow_id: str
    effect: Literal["started", "signalled"]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an event had no effect on a journey, or (journey None) on any.

    Attributes:
        journey: The journey.
        reason: A word that does not change, such as `already_inside`.
        message: In a sentence.
    """

    journey: str | None
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of an event: what `POST /v1/events` answers.

    Attributes:
        id: The event's id.
        name: Its name.
        status: `accepted` where it started or reached an instance; `duplicate` where it had done so before; `refused`
            where it reached none.
        protected: Its sender gave the id, so that sending it again is recognised.
        instances: What it did.
        refusals: Why it did not do more.
    """

    id: str
    name: str
    status: Literal["accepted", "duplicate", "refused"]
    protected: bool
    instances: tuple[Effect, ...]
    refusals: tuple[Refusal, ...]


def read_sent(answer: Mapping[str, Any]) -> Sent:
    """Return an answer of `sojourn.Event` as its type."""
    found = {
        "instances": tuple(_known(Effect, item) for item in answer["instances"]),
        "refusals": tuple(_known(Refusal, item) for item in answer["refusals"]),
    }
    return _known(Sent, {**answer, **found})


def read_outcome(result: Mapping[str, Any]) -> Outcome:
    """Return an instance's result as its type."""
    return _known(Outcome, {**result, **_moments(result, "entered_at", "ended_at"), "steps": _steps(result)})


def read_state(state: Mapping[str, Any]) -> InstanceState:
    """Return what the query `state` answers as its type."""
    found = {**_moments(state, "entered_at", "until"), "waiting_for": tuple(state["waiting_for"])}
    return _known(InstanceState, {**state, **found, "steps": _steps(state)})


def result_of_failure(workflow_id: str, cause: BaseException) -> dict[str, Any]:
    """Return the result of an instance whose workflow did not complete.

    Args:
        workflow_id: The instance.
        cause: What its workflow failed of.
    """
    if isinstance(cause, ApplicationError) and cause.type == names.ERROR_JOURNEY_FAILED and cause.details:
        result: dict[str, Any] = cause.details[0]
        return result
    outcome = "failed"
    if isinstance(cause, CancelledError | TerminatedError):
        outcome = "stopped"
    elif isinstance(cause, TimedOut):
        outcome = "timed_out"
    journey, _, profile = workflow_id.partition(":")
    error = (
        {"step": None, "code": None, "status": None, "message": str(cause)} if outcome == "failed" else None
    )
    return {"journey": journey, "profile": profile, "outcome": outcome, "text": str(cause), "error": error}


def _known(kind: type[T], value: Mapping[str, Any]) -> T:
    # A worker of a later release may say more than this code knows.
    fields = {field.name for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    return kind(**{name: item for name, item in value.items() if name in fields})


def _steps(value: Mapping[str, Any]) -> tuple[Step, ...]:
    return tuple(_known(Step, {**record, **_moments(record, "at")}) for record in value.get("steps") or ())


def _moments(value: Mapping[str, Any], *fields: str) -> dict[str, datetime | None]:
    return {
        field: None if value.get(field) is None else datetime.fromisoformat(value[field]) for field in fields
    }
