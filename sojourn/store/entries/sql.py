"""The ledger's statements, made once: making one anew costs more than running it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BindParameter, Select, bindparam, delete, func, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite

from sojourn.store.tables import entries, handled_events, journeys

_PREVIOUS = ("event_id", "workflow_id", "version", "entered_at", "closed")
_PAIR = tuple_(entries.c.journey, entries.c.profile)
_KEY = tuple_(*entries.primary_key.columns)
_EVENT = tuple_(*entries.primary_key.columns, entries.c.event_id)
_TOKEN = tuple_(*entries.primary_key.columns, entries.c.token)
_HANDLED = tuple_(*handled_events.primary_key.columns)
_THESE: BindParameter[Any] = bindparam("these", expanding=True)
_NO_LEASE = {"token": None, "lease_until": None}
_NO_PREVIOUS = {f"previous_{name}": None for name in _PREVIOUS}

SETTLED = {"state": "entered", **_NO_LEASE, **_NO_PREVIOUS}
"""The columns of an entry that is no reservation (any more)."""

# Each takes `these`: a list of (journey, profile, per), followed by event id or token where it says so.

ENTRIES = select(entries).where(_KEY.in_(_THESE))

LOCKED_ENTRIES = ENTRIES.order_by(*entries.primary_key.columns).with_for_update()
"""Sorted, so that transactions that lock the same rows do so in the same order."""

OPEN_ENTRIES = (
    select(entries)
    .where(_PAIR.in_(_THESE), entries.c.closed.is_(False))
    .order_by(*entries.primary_key.columns)
)
"""By journey and profile alone: the entries by all second keys whose instances are not known to have ended."""

LOCK_PROFILE: Select[Any] = select(func.pg_advisory_xact_lock(bindparam("number")))
"""PostgreSQL: held to the end of the transaction. What it counts among rows that others may insert stays true."""

HANDLED: Select[Any] = select(*handled_events.primary_key.columns).where(_HANDLED.in_(_THESE))
"""By event id: those of the events that were handled."""

STATES = (
    select(journeys.c.name, journeys.c.state)
    .where(journeys.c.name.in_(_THESE))
    .order_by(journeys.c.name)
    .with_for_update(read=True)
)
"""Takes `these`: names of journeys. Several entries share the lock; a change of state waits for them."""

RESERVE_AGAIN = (
    update(entries)
    .where(
        entries.c.journey == bindparam("of_journey"),
        entries.c.profile == bindparam("of_profile"),
        entries.c.per == bindparam("of_per"),
    )
    .values({name: bindparam(f"new_{name}") for name in ("event_id", "workflow_id", "version", "entered_at")})
    .values({f"previous_{name}": entries.c[name] for name in _PREVIOUS})
    .values(state="reserved", closed=False, token=bindparam("new_token"), lease_until=bindparam("new_lease"))
)
"""Turns an entry into a reservation that remembers it. One set of parameters for each."""

CONFIRM = update(entries).where(_TOKEN.in_(_THESE)).values(SETTLED).returning(*_KEY.clauses)
"""By token. The token is wiped out by it, so the keys are what comes back."""

FORGET = delete(entries).where(_TOKEN.in_(_THESE), entries.c.previous_event_id.is_(None))
"""By token: rolls back reservations with nothing before them."""

BRING_BACK = (
    update(entries)
    .where(_TOKEN.in_(_THESE))
    .values({**SETTLED, **{name: entries.c[f"previous_{name}"] for name in _PREVIOUS}})
)
"""By token: rolls back the other reservations."""

RELEASE = update(entries).where(_TOKEN.in_(_THESE)).values(lease_until=bindparam("until"))
"""By token."""

CLOSE = update(entries).where(_EVENT.in_(_THESE), entries.c.state == "entered").values(closed=True)
"""By event id."""

MOVE = (
    update(entries)
    .where(
        entries.c.journey == bindparam("of_journey"),
        entries.c.profile == bindparam("of_profile"),
        entries.c.workflow_id == bindparam("of_workflow"),
        entries.c.version < bindparam("to_version"),
    )
    .values(version=bindparam("to_version"))
)
"""The instance of an entry goes on in another version. Of all second keys, it is the one with the workflow id."""

PURGE_AT_ONCE = 10_000
_OLD = handled_events.c.at < bindparam("before")
PURGE = delete(handled_events).where(
    _HANDLED.in_(select(*handled_events.primary_key.columns).where(_OLD).limit(PURGE_AT_ONCE))
)
"""Takes `before`, a moment."""

OVERDUE = select(entries).where(entries.c.lease_until <= bindparam("then")).limit(bindparam("most"))

CLOCK: Select[Any] = select(func.extract("epoch", func.clock_timestamp()))
"""PostgreSQL's clock, in seconds since 1970."""


class Inserts:
    """The statements that the two databases have in common, but SQLAlchemy has twice."""

    def __init__(self, *, on_sqlite: bool) -> None:
        self._insert: Any = sqlite.insert if on_sqlite else postgresql.insert
        self.entries = self._insert(entries).on_conflict_do_nothing().returning(*_KEY.clauses)
        self.handled = self._insert(handled_events).on_conflict_do_nothing()

    def adopt(self, values: dict[str, Any], over: str | None) -> Any:
        """Return the statement that writes an entry over anything but a reservation other than `over`."""
        free = (entries.c.state == "entered") | (entries.c.token == over)
        statement = self._insert(entries).values(values)
        key = [column.name for column in entries.primary_key.columns]
        return statement.on_conflict_do_update(index_elements=key, set_=values, where=free)
