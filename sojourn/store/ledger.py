"""The entry ledger: who entered which journey when, and who is about to."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection, Row

from sojourn.store import statements
from sojourn.store.coalesce import Coalescer
from sojourn.store.engine import Database
from sojourn.store.entries import (
    Adopt,
    Claim,
    Close,
    Confirm,
    Entry,
    Handle,
    Look,
    Note,
    Release,
    RollBack,
    Verdict,
    judge,
    shut,
)

Key = tuple[str, str]


class Ledger:
    """Entries and handled events, read and written in batches that form by themselves.

    Each change to an entry names what it believes to be there (its token, or its event), so that a process
    that was asleep for a while changes nothing that others have decided meanwhile.
    """

    def __init__(self, database: Database, *, lease: float) -> None:
        self._database = database
        self._inserts = statements.Inserts(on_sqlite=database.sqlite)
        self._looks: Coalescer[tuple[str, str, str | None], Look] = Coalescer(
            lambda wanted: database.read(partial(self._look, wanted))
        )
        self._claims: Coalescer[Claim, Verdict] = Coalescer(
            lambda claims: database.write(partial(self._reserve, claims))
        )
        self._notes: Coalescer[Note, bool] = Coalescer(
            lambda notes: database.write(partial(self._write, notes))
        )
        self.lease = lease

    async def look(self, journey: str, profile: str, event_id: str | None = None) -> Look:
        """Return what is known of a profile in a journey.

        Args:
            journey: The journey's name.
            profile: The profile, as entries have it.
            event_id: An event of which to say whether it was handled; None: no entry event.
        """
        return await self._looks.submit((journey, profile, event_id))

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
            return [_entry(row, now) for row in connection.execute(statements.OVERDUE, wanted)]

        return await self._database.read(find)

    async def purge(self, before: datetime) -> int:
        """Forget events that were handled before a moment. Returns how many they were."""

        def forget(connection: Connection) -> int:
            return connection.execute(statements.PURGE, {"before": before}).rowcount

        count = 0
        while True:
            # In slices, so that admission never waits long for the write lock of SQLite.
            gone = await self._database.write(forget)
            count += gone
            if gone < statements.PURGE_AT_ONCE:
                return count

    async def close(self) -> None:
        """Wait for what is being written."""
        for coalescer in (self._looks, self._claims, self._notes):
            await coalescer.close()

    # Each of the following is one transaction.

    def _look(self, wanted: Sequence[tuple[str, str, str | None]], connection: Connection) -> list[Look]:
        found = self._entries(connection, {(journey, profile) for journey, profile, _ in wanted})
        events = [(journey, profile, event) for journey, profile, event in wanted if event is not None]
        handled = _handled(connection, events)
        return [Look(found.get(item[:2]), item in handled) for item in wanted]

    def _reserve(self, claims: Sequence[Claim], connection: Connection) -> list[Verdict]:
        found = self._entries(connection, {(claim.journey, claim.profile) for claim in claims}, lock=True)
        # Read after the rows are locked: what the last holder of a row wrote is seen here.
        handled = _handled(connection, [(claim.journey, claim.profile, claim.event_id) for claim in claims])
        states = self._states(connection, {claim.journey for claim in claims})
        verdicts: list[Verdict] = []
        granted: dict[Key, Entry] = {}
        for claim in claims:
            key = (claim.journey, claim.profile)
            known = (claim.journey, claim.profile, claim.event_id) in handled
            look = Look(granted.get(key) or found.get(key), known)
            if (state := states.get(claim.journey, "live")) != "live":
                verdicts.append(shut(look, state))
                continue
            verdict = judge(claim, look)
            if verdict is None:
                granted[key] = _reserved(claim)
                verdict = Verdict("reserved", granted[key])
            verdicts.append(verdict)
        lost = self._grant(connection, granted, found)
        return [
            Verdict("busy")
            if verdict.kind == "reserved" and (claim.journey, claim.profile) in lost
            else verdict
            for claim, verdict in zip(claims, verdicts, strict=True)
        ]

    def _states(self, connection: Connection, journeys: set[str]) -> dict[str, str]:
        """Return the states of journeys as they stay until this transaction ends.

        Without the lock, a journey could be paused between this look and the commit, and the operation that freezes its
        instances could miss the entry.
        """
        rows = connection.execute(statements.STATES, {"these": sorted(journeys)})
        return {row.name: row.state for row in rows}

    def _grant(self, connection: Connection, granted: dict[Key, Entry], found: dict[Key, Entry]) -> set[Key]:
        """Write the reservations. Returns those that another process was faster with."""
        lease = self._now(connection) + self.lease
        again = [granted[key] for key in sorted(granted) if key in found]
        first = [granted[key] for key in sorted(granted) if key not in found]
        if again:
            connection.execute(statements.RESERVE_AGAIN, [_again(entry, lease) for entry in again])
        if not first:
            return set()
        rows = [{**_columns(entry), "state": "reserved", "lease_until": lease} for entry in first]
        written = {(row.journey, row.profile) for row in connection.execute(self._inserts.entries, rows)}
        return {(entry.journey, entry.profile) for entry in first} - written

    def _write(self, notes: Sequence[Note], connection: Connection) -> list[bool]:
        confirmed = self._confirm(connection, [note for note in notes if isinstance(note, Confirm)])
        _roll_back(connection, [note.entry for note in notes if isinstance(note, RollBack)])
        _close(connection, [note.entry for note in notes if isinstance(note, Close)])
        self._handle(connection, [note for note in notes if isinstance(note, Handle)])
        for note in notes:
            if isinstance(note, Release):
                until = self._now(connection) + note.hold
                connection.execute(statements.RELEASE, {"these": [_token(note.entry)], "until": until})
            elif isinstance(note, Adopt):
                values = {**_columns(note.entry), **statements.SETTLED}
                connection.execute(self._inserts.adopt(values, note.over))
        return [note.entry.token in confirmed if isinstance(note, Confirm) else True for note in notes]

    def _confirm(self, connection: Connection, notes: list[Confirm]) -> set[str | None]:
        if not notes:
            return set()
        handled = [Handle(n.entry.journey, n.entry.profile, n.entry.event_id, n.at) for n in notes]
        self._handle(connection, handled)
        rows = connection.execute(statements.CONFIRM, {"these": [_token(note.entry) for note in notes]})
        written = {(row.journey, row.profile) for row in rows}
        return {note.entry.token for note in notes if (note.entry.journey, note.entry.profile) in written}

    def _handle(self, connection: Connection, notes: Iterable[Handle]) -> None:
        rows = {(n.journey, n.profile, n.event_id): n.at for n in notes}
        if not rows:
            return
        columns = ("journey", "profile", "event_id", "at")
        values = [dict(zip(columns, (*key, rows[key]), strict=True)) for key in sorted(rows)]
        connection.execute(self._inserts.handled, values)

    def _entries(self, connection: Connection, keys: set[Key], *, lock: bool = False) -> dict[Key, Entry]:
        query = statements.LOCKED_ENTRIES if lock else statements.ENTRIES
        rows = connection.execute(query, {"these": sorted(keys)}).all()
        now = self._now(connection) if any(row.state == "reserved" for row in rows) else 0.0
        return {(row.journey, row.profile): _entry(row, now) for row in rows}

    def _now(self, connection: Connection) -> float:
        # Leases go by one clock for all processes: on SQLite they share a machine, else it is PostgreSQL's.
        if self._database.sqlite:
            return time.time()
        return float(connection.execute(statements.CLOCK).scalar_one())


def _handled(connection: Connection, wanted: list[tuple[str, str, str]]) -> set[tuple[str, str, str]]:
    if not wanted:
        return set()
    rows = connection.execute(statements.HANDLED, {"these": wanted})
    return {(row.journey, row.profile, row.event_id) for row in rows}


def _roll_back(connection: Connection, gone: list[Entry]) -> None:
    if gone:
        these = {"these": [_token(entry) for entry in gone]}
        connection.execute(statements.FORGET, these)
        connection.execute(statements.BRING_BACK, these)


def _close(connection: Connection, ended: list[Entry]) -> None:
    if ended:
        these = [(entry.journey, entry.profile, entry.event_id) for entry in ended]
        connection.execute(statements.CLOSE, {"these": these})


def _token(entry: Entry) -> tuple[str, str, str]:
    assert entry.token is not None
    return entry.journey, entry.profile, entry.token


def _reserved(claim: Claim) -> Entry:
    entry = Entry(
        claim.journey,
        claim.profile,
        claim.event_id,
        claim.workflow_id,
        claim.version,
        claim.arrived,
        reserved=True,
    )
    return replace(entry, token=uuid.uuid4().hex)


def _again(entry: Entry, lease: float) -> dict[str, Any]:
    return {
        "of_journey": entry.journey,
        "of_profile": entry.profile,
        "new_event_id": entry.event_id,
        "new_workflow_id": entry.workflow_id,
        "new_version": entry.version,
        "new_entered_at": entry.entered_at,
        "new_token": entry.token,
        "new_lease": lease,
    }


def _columns(entry: Entry) -> dict[str, Any]:
    names = ("journey", "profile", "event_id", "workflow_id", "version", "entered_at", "closed", "token")
    return {name: getattr(entry, name) for name in names}


def _entry(row: Row[Any], now: float) -> Entry:
    reserved = row.state == "reserved"
    return Entry(
        journey=row.journey,
        profile=row.profile,
        event_id=row.event_id,
        workflow_id=row.workflow_id,
        version=row.version,
        entered_at=row.entered_at,
        reserved=reserved,
        closed=row.closed,
        token=row.token,
        stale=reserved and (row.lease_until is None or row.lease_until <= now),
    )
