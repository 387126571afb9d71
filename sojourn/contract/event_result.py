"""What goes into routing and what comes out of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

Reason = Literal[
    "no_journey",
    "no_key",
    "rule_false",
    "invalid",
    "not_live",
    "outside_dates",
    "already_inside",
    "reentry_refused",
    "paused",
    "duplicate",
    "too_many_pending",
    "too_many_instances",
]
"""Why an event had no effect. Senders and reports rely on these words."""

Status = Literal["accepted", "duplicate", "refused"]
Effect = Literal["started", "signalled"]


@dataclass(frozen=True, slots=True)
class IncomingEvent:
    """An event as a sender gave it.

    Attributes:
        id: The sender's id of the event, or one that the API made up; any text.
        name: Which event it is, such as `cart.updated`.
        time: When it happened, aware. Admission does not use it: it goes by the time of arrival.
        data: The event's own data, plain JSON.
        protected: The sender gave the id, so that sending again is recognised.
    """

    id: str
    name: str
    time: datetime
    data: Any
    protected: bool = True


@dataclass(frozen=True, slots=True)
class InstanceEffect:
    """What an event did to one instance: started it, or was delivered to it.

    Attributes:
        per: The second key that the event carries for it; None where it carries none.
    """

    journey: str
    version: int
    workflow_id: str
    effect: Effect
    per: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the effect as plain JSON; `per` only where there is one."""
        result = {
            "journey": self.journey,
            "version": self.version,
            "workflow_id": self.workflow_id,
            "effect": self.effect,
        }
        return result if self.per is None else result | {"per": self.per}


@dataclass(frozen=True, slots=True)
class Violation:
    """One way in which an event's data breaks its schema. The message quotes no data.

    Attributes:
        path: JSON pointer into the data, `""` for the whole.
        message: What is wrong there.
    """

    path: str
    message: str

    def as_dict(self) -> dict[str, str]:
        """Return the violation as plain JSON."""
        return {"path": self.path, "message": self.message}


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an event had no effect: on one journey, or (journey None) on any; `per`: on the instance with that key."""

    journey: str | None
    reason: Reason
    message: str
    violations: list[Violation] = field(default_factory=list)
    per: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the refusal as plain JSON; `violations` and `per` only where there are some."""
        result: dict[str, Any] = {"journey": self.journey, "reason": self.reason, "message": self.message}
        if self.violations:
            result["violations"] = [violation.as_dict() for violation in self.violations]
        if self.per is not None:
            result["per"] = self.per
        return result


@dataclass(frozen=True, slots=True)
class EventResult:
    """What became of one event.

    `accepted`: it started or reached at least one instance. `duplicate`: it reached none because it had done
    so before. `refused`: it reached none; the refusals say why.
    """

    id: str
    name: str
    status: Status
    instances: list[InstanceEffect] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)

    @classmethod
    def of(
        cls, event: IncomingEvent, instances: Sequence[InstanceEffect], refusals: Sequence[Refusal]
    ) -> EventResult:
        """Return the result of an event with these effects and refusals."""
        status: Status = "refused"
        if instances:
            status = "accepted"
        elif any(refusal.reason == "duplicate" for refusal in refusals):
            status = "duplicate"
        return cls(event.id, event.name, status, list(instances), list(refusals))

    @classmethod
    def refused(
        cls, event: IncomingEvent, reason: Reason, message: str, violations: Sequence[Violation] = ()
    ) -> EventResult:
        """Return the result of an event that is refused before any journey is looked at."""
        return cls(event.id, event.name, "refused", [], [Refusal(None, reason, message, list(violations))])

    def as_dict(self) -> dict[str, Any]:
        """Return the result as plain JSON."""
        return {
            "id": self.id,
            "name": self.name,
            "status": self.status,
            "instances": [instance.as_dict() for instance in self.instances],
            "refusals": [refusal.as_dict() for refusal in self.refusals],
        }


class RoutingUnavailable(Exception):
    """Temporal or the database could not be reached. Sending the same events again completes the work.

    Attributes:
        message: What could not be reached, for people.
        done: The results of the events that were finished all the same, None for the others, in the order
            in which the events were given.
    """

    def __init__(self, message: str, done: Sequence[EventResult | None] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.done = list(done)
