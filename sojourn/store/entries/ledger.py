"""The entry ledger: who entered which journey when, and who is about to."""

from __future__ import annotations

import hashlib
import time
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection, Row

from sojourn.store.batching import Coalescer
from sojourn.store.database import Database
from sojourn.store.entries import sql
from sojourn.store.entries.records import (
    Adopt,
    Claim,
    Close,
    Confirm,
    Entry,
    Handle,
    Look,
    Move,
    Note,
    Release,
    RollBack,
    Verdict,
    judge,
    shut,
)

Pair = tuple[str, str]
"""Journey and profile."""

Key = tuple[str, str, str]
"""Journey, profile and second key."""

Wanted = tuple[Key, str | None]
"""An entry, and an event of which to say whether it was handled there."""


class Ledger:
    """Entries and handled events, read and written in batches that form by themselves.

    Each change to an entry names what it believes to be there (its token, or its event), so that a process
    that was asleep for a while changes nothing that others have decided meanwhile.
    """

    def __init__(self, database: Database, *, lease: float) -> None:
        self._database = database
        self._inserts = sql.Inserts(on_sqlite=database.sqlite)
        self._looks: Coalescer[Wanted, Look] = Coalescer(
            lambda wanted: database.read(partial(self._look, wanted))
        )
        self._pairs: Coalescer[Pair, list[Entry]] = Coalescer(
            lambda pairs: database.read(partial(self._open_of, pairs))
        )
        self._claims: Coalescer[Claim, Verdict] = Coalescer(
            lambda claims: database.write(partial(self._reserve, claims))
        )
        self._notes: Coalescer[Note, bool] = Coalescer(
            lambda notes: database.write(partial(self._write, notes))
        )
        self.lease = lease

    async def look(self, journey: str, profile: str, event_id: str | None = None, *, per: str = "") -> Look:
        """Return what is known of a profile in a journey.

        Args:
            journey: The journey's name.
            profile: The profile, as entries have it.
            event_id: An event of which to say whether it was handled; None: no entry event.
            per: The second key, as entries have it.
        """
        return await self._looks.submit(((journey, profile, per), event_id))

    async def inside(self, journey: str, profile: str) -> list[Entry]:
        """Return the profile's entries into a journey, by whichever second keys, that may still be running."""
        return await self._pairs.submit((journey, profile))

    async def reserve(self, claim: Claim) -> Verdict:
        """Reserve an entry, or say why not. Of any number of claims to one entry at once, one gets it."""
        return await self._claims.submit(claim)

    async def write(self, note: Note) -> bool:
        """Write something down about an entry.

        Returns:
            For `Confirm`, whether the reservation was still there; True for all else.
        """
        return await self._notes.submit(note)

    async def abandoned(self, *, for_longer_than: float, limit: int = 1000) -> list[Entry]:
        """Return reservations whose lease ended so many seconds ago or more: nobody came back for them."""

        def find(connection: Connection) -> list[Entry]:
            now = self._now(connection)
            wanted = {"then": now - for_longer_than, "most": limit}
            return [_entry(row, now) for row in connection.execute(sql.OVERDUE, wanted)]

        return await self._database.read(find)

    async def purge(self, before: datetime) -> int:
        """Forget events that were handled before a moment. Returns how many they were."""

        def forget(connection: Connection) -> int:
            return connection.execute(sql.PURGE, {"before": before}).rowcount

        count = 0
        while True:
            # In slices, so that admission never waits long for the write lock of SQLite.
            gone = await self._database.write(forget)
            count += gone
            if gone < sql.PURGE_AT_ONCE:
                return count

    async def close(self) -> None:
        """Wait for what is being written."""
        for coalescer in (self._looks, self._pairs, self._claims, self._notes):
            await coalescer.close()

    # Each of the following is one transaction.

    def _look(self, wanted: Sequence[Wanted], connection: Connection) -> list[Look]:
        found = self._entries(connection, {key for key, _ in wanted})
        handled = _handled(connection, [(*key, event) for key, event in wanted if event is not None])
        return [Look(found.get(key), (*key, event) in handled) for key, event in wanted]

    def _open_of(self, pairs: Sequence[Pair], connection: Connection) -> list[list[Entry]]:
        found = self._open(connection, set(pairs))
        return [list(found.get(pair, {}).values()) for pair in pairs]

    def _reserve(self, claims: Sequence[Claim], connection: Connection) -> list[Verdict]:
        pairs = {_pair(claim) for claim in claims if claim.per}
        self._lock(connection, pairs)
        found = self._entries(connection, {_key(claim) for claim in claims}, lock=True)
        # Read after the rows are locked: what the last holder of a row wrote is seen here.
        handled = _handled(connection, [(*_key(claim), claim.event_id) for claim in claims])
        inside = self._open(connection, pairs)
        states = self._states(connection, {claim.journey for claim in claims})
        verdicts: list[Verdict] = []
        granted: dict[Key, Entry] = {}
        for claim in claims:
            key, known = _key(claim), (*_key(claim), claim.event_id) in handled
            others = inside.get(_pair(claim), {})
            rest = tuple(entry for other, entry in others.items() if other != key)
            look = Look(granted.get(key) or found.get(key), known, rest)
            if (state := states.get(claim.journey, "live")) != "live":
                verdicts.append(shut(look, state))
                continue
            verdict = judge(claim, look)
            if verdict is None:
                granted[key] = _reserved(claim)
                if claim.per:
                    inside.setdefault(_pair(claim), {})[key] = granted[key]
                verdict = Verdict("reserved", granted[key])
            verdicts.append(verdict)
        lost = self._grant(connection, granted, found)
        return [
            Verdict("busy") if verdict.kind == "reserved" and _key(claim) in lost else verdict
            for claim, verdict in zip(claims, verdicts, strict=True)
        ]

    def _states(self, connection: Connection, journeys: set[str]) -> dict[str, str]:
        """Return the states of journeys as they stay until this transaction ends.

        Without the lock, a journey could be paused between this look and the commit, and the operation that freezes its
        instances could miss the entry.
        """
        rows = connection.execute(sql.STATES, {"these": sorted(journeys)})
        return {row.name: row.state for row in rows}

    def _lock(self, connection: Connection, pairs: Iterable[Pair]) -> None:
        """Hold profiles of journeys with a second key, whose rows are counted, from other transactions.

        Where SQLite writes, it is alone anyway.
        """
        if not self._database.sqlite:
            for number in sorted({_number(pair) for pair in pairs}):
                connection.execute(sql.LOCK_PROFILE, {"number": number})

    def _grant(self, connection: Connection, granted: dict[Key, Entry], found: dict[Key, Entry]) -> set[Key]:
        """Write the reservations. Returns those that another process was faster with."""
        lease = self._now(connection) + self.lease
        again = [granted[key] for key in sorted(granted) if key in found]
        first = [granted[key] for key in sorted(granted) if key not in found]
        if again:
            connection.execute(sql.RESERVE_AGAIN, [_again(entry, lease) for entry in again])
        if not first:
            return set()
        rows = [{**_columns(entry), "state": "reserved", "lease_until": lease} for entry in first]
        written = {_key(row) for row in connection.execute(self._inserts.entries, rows)}
        return {_key(entry) for entry in first} - written

    def _write(self, notes: Sequence[Note], connection: Connection) -> list[bool]:
        confirmed = self._confirm(connection, [note for note in notes if isinstance(note, Confirm)])
        _roll_back(connection, [note.entry for note in notes if isinstance(note, RollBack)])
        _close(connection, [note.entry for note in notes if isinstance(note, Close)])
        self._handle(connection, [note for note in notes if isinstance(note, Handle)])
        for note in notes:
            if isinstance(note, Release):
                until = self._now(connection) + note.hold
                connection.execute(sql.RELEASE, {"these": [_token(note.entry)], "until": until})
            elif isinstance(note, Move):
                moved = {
                    "of_journey": note.journey,
                    "of_profile": note.profile,
                    "of_workflow": note.workflow_id,
                }
                connection.execute(sql.MOVE, {**moved, "to_version": note.version})
            elif isinstance(note, Adopt):
                values = {**_columns(note.entry), **sql.SETTLED}
                connection.execute(self._inserts.adopt(values, note.over))
        return [note.entry.token in confirmed if isinstance(note, Confirm) else True for note in notes]

    def _confirm(self, connection: Connection, notes: list[Confirm]) -> set[str | None]:
        if not notes:
            return set()
        handled = [
            Handle(n.entry.journey, n.entry.profile, n.entry.event_id, n.at, n.entry.per) for n in notes
        ]
        self._handle(connection, handled)
        rows = connection.execute(sql.CONFIRM, {"these": [_token(note.entry) for note in notes]})
        written = {_key(row) for row in rows}
        return {note.entry.token for note in notes if _key(note.entry) in written}

    def _handle(self, connection: Connection, notes: Iterable[Handle]) -> None:
        rows = {(*_key(n), n.event_id): n.at for n in notes}
        if not rows:
            return
        columns = ("journey", "profile", "per", "event_id", "at")
        values = [dict(zip(columns, (*key, rows[key]), strict=True)) for key in sorted(rows)]
        connection.execute(self._inserts.handled, values)

    def _entries(self, connection: Connection, keys: set[Key], *, lock: bool = False) -> dict[Key, Entry]:
        query = sql.LOCKED_ENTRIES if lock else sql.ENTRIES
        rows = connection.execute(query, {"these": sorted(keys)}).all()
        return self._read(connection, rows)

    def _open(self, connection: Connection, pairs: set[Pair]) -> dict[Pair, dict[Key, Entry]]:
        found: dict[Pair, dict[Key, Entry]] = {}
        if pairs:
            rows = connection.execute(sql.OPEN_ENTRIES, {"these": sorted(pairs)}).all()
            for key, entry in self._read(connection, rows).items():
                found.setdefault(_pair(entry), {})[key] = entry
        return found

    def _read(self, connection: Connection, rows: Sequence[Row[Any]]) -> dict[Key, Entry]:
        now = self._now(connection) if any(row.state == "reserved" for row in rows) else 0.0
        return {_key(row): _entry(row, now) for row in rows}

    def _now(self, connection: Connection) -> float:
        # Leases go by one clock for all processes: on SQLite they share a machine, else it is PostgreSQL's.
        if self._database.sqlite:
            return time.time()
        return float(connection.execute(sql.CLOCK).scalar_one())


def _key(one: Any) -> Key:
    """Return the key of an entry, a claim, a note or a row."""
    return one.journey, one.profile, one.per


def _pair(one: Entry | Claim) -> Pair:
    return one.journey, one.profile


def _number(pair: Pair) -> int:
    """Return a number of 64 bits that stands for a profile in a journey. Two that share one wait for each other."""
    digest = hashlib.blake2b("\x00".join(pair).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def _handled(
    connection: Connection, wanted: list[tuple[str, str, str, str]]
) -> set[tuple[str, str, str, str]]:
    if not wanted:
        return set()
    rows = connection.execute(sql.HANDLED, {"these": wanted})
    return {(*_key(row), row.event_id) for row in rows}


def _roll_back(connection: Connection, gone: list[Entry]) -> None:
    if gone:
        these = {"these": [_token(entry) for entry in gone]}
        connection.execute(sql.FORGET, these)
        connection.execute(sql.BRING_BACK, these)


def _close(connection: Connection, ended: list[Entry]) -> None:
    if ended:
        these = [(*_key(entry), entry.event_id) for entry in ended]
        connection.execute(sql.CLOSE, {"these": these})


def _token(entry: Entry) -> tuple[str, str, str, str]:
    assert entry.token is not None
    return *_key(entry), entry.token


def _reserved(claim: Claim) -> Entry:
    entry = Entry(
        claim.journey,
        claim.profile,
        claim.event_id,
        claim.workflow_id,
        claim.version,
        claim.arrived,
        reserved=True,
        per=claim.per,
    )
    return replace(entry, token=uuid.uuid4().hex)


def _again(entry: Entry, lease: float) -> dict[str, Any]:
    return {
        "of_journey": entry.journey,
        "of_profile": entry.profile,
        "of_per": entry.per,
        "new_event_id": entry.event_id,
        "new_workflow_id": entry.workflow_id,
        "new_version": entry.version,
        "new_entered_at": entry.entered_at,
        "new_token": entry.token,
        "new_lease": lease,
    }


def _columns(entry: Entry) -> dict[str, Any]:
    names = (
        "journey",
        "profile",
        "per",
        "event_id",
        "workflow_id",
        "version",
        "entered_at",
        "closed",
        "token",
    )
    return {name: getattr(entry, name) for name in names}


def _entry(row: Row[Any], now: float) -> Entry:
    reserved = row.state == "reserved"
    return Entry(
        journey=row.journey,
        profile=row.profile,
        per=row.per,
        event_id=row.event_id,
        workflow_id=row.workflow_id,
        version=row.version,
        entered_at=row.entered_at,
        reserved=reserved,
        closed=row.closed,
        token=row.token,
        stale=reserved and (row.lease_until is None or row.lease_until <= now),
    )
