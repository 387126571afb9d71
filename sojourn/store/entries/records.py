"""The words of the entry ledger: entries, claims to one, and what is written about them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

_LONGEST_ID = 200


def event_key(event_id: str) -> str:
    """Return the form of an event id in which the ledger and an instance's memo keep it.

    Returns:
        The id itself where it is printable and at most 200 characters long, else `~` and a hash of it: a
        database takes neither every character nor every length.
    """
    if len(event_id) <= _LONGEST_ID and event_id.isprintable() and not event_id.startswith("~"):
        return event_id
    return "~" + hashlib.blake2b(event_id.encode("utf-8", "surrogatepass"), digest_size=20).hexdigest()


@dataclass(frozen=True, slots=True)
class Entry:
    """The last entry of a profile into a journey.

    Attributes:
        journey: The journey's name.
        profile: `names.profile_part` of the profile key, never private.
        per: `names.per_part` of the second key, never private; `""` where the journey has none.
        event_id: The entry event, as `event_key` gives it.
        workflow_id: The instance.
        version: The version that it entered.
        entered_at: When the entry event arrived at the API.
        reserved: Whether it is not known yet that the instance was started.
        closed: Whether the instance is known to have ended.
        token: Names the reservation while there is one.
        stale: The reservation's lease is over: whoever made it has died, or failed to reach Temporal.
    """

    journey: str
    profile: str
    event_id: str
    workflow_id: str
    version: int
    entered_at: datetime
    reserved: bool = False
    closed: bool = False
    token: str | None = None
    stale: bool = False
    per: str = ""


@dataclass(frozen=True, slots=True)
class Look:
    """What the ledger says about a profile in a journey, and whether an event had its effect there before.

    Attributes:
        others: The profile's other entries into the journey that may still be running, by other second keys; read
            for claims that have one.
    """

    entry: Entry | None
    handled: bool
    others: tuple[Entry, ...] = ()


@dataclass(frozen=True, slots=True)
class Claim:
    """A request to enter: what the entry would be, and the journey's re-entry rule.

    Attributes:
        allow: Whether a profile may enter again at all.
        after: Seconds since the last entry after which it may.
        per: As entries have it.
        most: How many instances the profile may have at a time, over all its second keys.
    """

    journey: str
    profile: str
    event_id: str
    workflow_id: str
    version: int
    arrived: datetime
    allow: bool
    after: float
    per: str = ""
    most: int = 1


VerdictKind = Literal[
    "reserved", "duplicate", "busy", "stale", "inside", "reentry_refused", "full", "outside", "shut"
]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to a claim.

    `reserved`: the entry is the claimant's, who now starts the instance. `duplicate`: the event had its
    effect before. `busy`: another claimant has it at the moment. `stale`: an earlier claimant's fate has to
    be found out first. `inside`: the last entry's instance may still run. `reentry_refused`: it has ended,
    but the journey does not let the profile in again (yet). `full`: the profile may have as many instances by
    other second keys as it may have. `outside`: the profile is not in the journey, and nothing was claimed. `shut`:
    the journey lets nobody in by now, whatever the claimant still had in memory.

    Attributes:
        kind: The answer.
        entry: The entry that it is about.
        state: Of a journey that is shut: in which state it is.
        others: Of a profile that is full: its entries.
    """

    kind: VerdictKind
    entry: Entry | None = None
    state: str = "live"
    others: tuple[Entry, ...] = ()


def standing(look: Look) -> Verdict:
    """Return where a profile stands, without a claim."""
    entry = look.entry
    if look.handled:
        return Verdict("duplicate", entry)
    if entry is None:
        return Verdict("outside")
    if entry.reserved:
        return Verdict("stale" if entry.stale else "busy", entry)
    return Verdict("outside" if entry.closed else "inside", entry)


def shut(look: Look, state: str) -> Verdict:
    """Return the answer to a claim to a journey that lets nobody in."""
    verdict = standing(look)
    return Verdict("shut", look.entry, state) if verdict.kind == "outside" else verdict


def judge(claim: Claim, look: Look) -> Verdict | None:
    """Return the answer to a claim, given what the ledger says; None if it may be reserved."""
    verdict, entry = standing(look), look.entry
    if verdict.kind in ("duplicate", "stale", "busy"):
        return verdict
    if entry is not None:
        if entry.event_id == claim.event_id:
            # The list of handled events is purged; this remembers the last one for ever.
            return Verdict("duplicate", entry)
        if verdict.kind == "inside":
            return verdict
        if not claim.allow or claim.arrived - entry.entered_at < timedelta(seconds=claim.after):
            return Verdict("reentry_refused", entry)
    return (
        Verdict("full", entry, others=look.others) if claim.per and len(look.others) >= claim.most else None
    )


@dataclass(frozen=True, slots=True)
class Confirm:
    """The instance of a reserved entry was started, by its entry event."""

    entry: Entry
    at: datetime


@dataclass(frozen=True, slots=True)
class RollBack:
    """Nothing was started: the entry before it comes back."""

    entry: Entry


@dataclass(frozen=True, slots=True)
class Release:
    """Whether the instance was started is not known: whoever comes next finds out, in `hold` seconds."""

    entry: Entry
    hold: float


@dataclass(frozen=True, slots=True)
class Adopt:
    """Temporal has an instance that the ledger knows nothing of: write it down.

    An entry that somebody else has reserved by now is left alone, unless `over` is that reservation.
    """

    entry: Entry
    over: str | None = None


@dataclass(frozen=True, slots=True)
class Close:
    """The instance of an entry has ended."""

    entry: Entry


@dataclass(frozen=True, slots=True)
class Handle:
    """An entry event was delivered to a running instance."""

    journey: str
    profile: str
    event_id: str
    at: datetime
    per: str = ""


@dataclass(frozen=True, slots=True)
class Move:
    """A running instance goes on in another version."""

    journey: str
    profile: str
    workflow_id: str
    version: int


Note = Confirm | RollBack | Release | Adopt | Close | Handle | Move
"""What is written about entries."""
