"""What senders are told of an event that does not get through a journey's door."""

from __future__ import annotations

from datetime import datetime, timedelta

from sojourn.contract.event_result import Refusal
from sojourn.routing.delivery import Visit
from sojourn.store.entries.records import Entry


def duplicate(visit: Visit) -> Refusal:
    """The event had its effect before."""
    name = visit.listener.name
    return Refusal(
        name, "duplicate", f"{name} has had this event before: its id is known, and it counts once"
    )


def already_inside(entry: Entry) -> Refusal:
    """The instance of an entry runs."""
    since = _shown(entry.entered_at)
    return Refusal(entry.journey, "already_inside", f"the profile is in {entry.journey} since {since}")


def reentry(visit: Visit, entry: Entry) -> Refusal:
    """The journey does not let the profile in again, or not yet."""
    rule = visit.listener.definition["reentry"]
    entered = f"the profile entered {entry.journey} at {_shown(entry.entered_at)}"
    if not rule["allow"]:
        what = "value of its second key in only once" if entry.per else "profile in only once"
        return Refusal(entry.journey, "reentry_refused", f"{entered}, which lets each {what}")
    until = _shown(entry.entered_at + timedelta(seconds=rule["after"]))
    return Refusal(entry.journey, "reentry_refused", f"{entered} and may enter again from {until}")


def full(visit: Visit, count: int) -> Refusal:
    """The profile has as many instances as it may have."""
    name = visit.listener.name
    message = f"the profile is in {name} {count} times, and may not be in it more often at once"
    return Refusal(name, "too_many_instances", message)


def _shown(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
