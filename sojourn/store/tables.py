"""The tables, as SQLAlchemy sees them. The migrations make them; a test holds the two together."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Double,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)
from sqlalchemy.types import TypeDecorator

metadata = MetaData(
    naming_convention={"ix": "ix_%(column_0_label)s", "uq": "uq_%(table_name)s_%(column_0_name)s"}
)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime, kept in UTC. SQLite keeps no zone, so it is put on again when read."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Turn the value into UTC; without a zone for SQLite."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a time zone cannot be stored")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Return an aware UTC datetime."""
        if value is None:
            return None
        moment: datetime = value
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


# One row: the revision grows with every publication, change of state and change of keys. Reading it is how
# a process learns that what it holds in memory is out of date.
meta = Table(
    "meta", metadata, Column("id", Integer, primary_key=True), Column("revision", Integer, nullable=False)
)

events = Table(
    "events",
    metadata,
    Column("name", String(128), primary_key=True),
    Column("definition", JSON, nullable=False),
    Column("hash", String(128), nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)

endpoints = Table(
    "endpoints",
    metadata,
    Column("kind", String(16), primary_key=True),
    Column("name", String(128), primary_key=True),
    Column("definition", JSON, nullable=False),
    Column("hash", String(128), nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)

journeys = Table(
    "journeys",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)

journey_versions = Table(
    "journey_versions",
    metadata,
    Column("journey", String(64), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("definition", JSON, nullable=False),
    Column("sources", JSON, nullable=True),
    Column("hash", String(128), nullable=False),
    Column("published_at", UtcDateTime, nullable=False),
)

# The entry ledger: the last entry of a profile into a journey, for as long as re-entry rules may ask for it. In a
# journey with a second key there is one for each of its values: `per` is `names.per_part` of it, "" in all others.
# `profile` is `names.profile_part` of the key, never private: plain ASCII whatever the key holds, and the
# same when a deployment changes its mind about privacy. While `state` is "reserved", `token` says by whom,
# `lease_until` for how long (seconds since 1970 by the database's own clock), and previous_* hold the entry
# that comes back if nothing was started.
entries = Table(
    "entries",
    metadata,
    Column("journey", String(64), primary_key=True),
    Column("profile", String(128), primary_key=True),
    Column("per", String(64), primary_key=True),
    Column("event_id", String(255), nullable=False),
    Column("workflow_id", String(255), nullable=False),
    Column("version", Integer, nullable=False),
    Column("entered_at", UtcDateTime, nullable=False),
    Column("state", String(16), nullable=False),
    Column("closed", Boolean, nullable=False),
    Column("token", String(36), nullable=True),
    Column("lease_until", Double, nullable=True),
    Column("previous_event_id", String(255), nullable=True),
    Column("previous_workflow_id", String(255), nullable=True),
    Column("previous_version", Integer, nullable=True),
    Column("previous_entered_at", UtcDateTime, nullable=True),
    Column("previous_closed", Boolean, nullable=True),
    # Few rows are reserved at any time: the hourly clean-up finds abandoned ones by this.
    Index("ix_entries_lease_until", "lease_until"),
)

# Entry events that had their effect (an instance started, or a running one got them), so that a resend is
# told from a new event after the instance has ended.
handled_events = Table(
    "handled_events",
    metadata,
    Column("journey", String(64), primary_key=True),
    Column("profile", String(128), primary_key=True),
    Column("per", String(64), primary_key=True),
    Column("event_id", String(255), primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Index("ix_handled_events_at", "at"),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("label", Text, nullable=False),
    Column("hash", String(64), nullable=False, unique=True),
    Column("scopes", JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("revoked_at", UtcDateTime, nullable=True),
)

# Calls made lately to a capped endpoint, by all workers: how many in each slot of time, by the database's clock.
call_caps = Table(
    "call_caps",
    metadata,
    Column("kind", String(16), primary_key=True),
    Column("name", String(128), primary_key=True),
    Column("slots", JSON, nullable=False),
)

# Actions that were throttled at any time: their task queues are served for ever, since calls may wait in them.
throttled_actions = Table("throttled_actions", metadata, Column("name", String(128), primary_key=True))

# Caps and throttles that an operator set in place of those that were published.
endpoint_limits = Table(
    "endpoint_limits",
    metadata,
    Column("kind", String(16), primary_key=True),
    Column("name", String(128), primary_key=True),
    Column("limits", JSON, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
)

# The last failed attempts of calls to each endpoint; no parameters, no answers.
endpoint_errors = Table(
    "endpoint_errors",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("kind", String(16), nullable=False),
    Column("name", String(128), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("code", String(32), nullable=False),
    Column("status", Integer, nullable=True),
    Column("message", Text, nullable=False),
    Column("journey", String(64), nullable=True),
    Column("step", String(128), nullable=True),
    Column("attempt", Integer, nullable=False),
    Column("final", Boolean, nullable=False),
    Index("ix_endpoint_errors_kind", "kind", "name", "at"),
)

# The built-in profiles. `id` is `names.profile_part` of the key; `key` is the key itself, as a JSON text, so that
# PostgreSQL takes whatever it holds.
profiles = Table(
    "profiles",
    metadata,
    Column("id", String(128), primary_key=True),
    Column("key", JSON, nullable=False),
    Column("attributes", JSON, nullable=False),
    Column("version", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)

# Writes that journeys made, by their idempotency keys, so that one that is made again does not undo a later one.
profile_writes = Table(
    "profile_writes",
    metadata,
    Column("operation", String(128), primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Index("ix_profile_writes_at", "at"),
)

# One row: the schema of profiles that was published.
profile_schema = Table(
    "profile_schema",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("definition", JSON, nullable=False),
    Column("hash", String(128), nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)

# The next version of a journey, which nobody enters. `project` has the events, endpoints and profile schema that it was
# saved with: they are published with it.
journey_drafts = Table(
    "journey_drafts",
    metadata,
    Column("journey", String(64), primary_key=True),
    Column("definition", JSON, nullable=False),
    Column("project", JSON, nullable=False),
    Column("sources", JSON, nullable=True),
    Column("hash", String(128), nullable=False),
    Column("saved_at", UtcDateTime, nullable=False),
)

# What is done with all instances of a journey, up to the version `through` or of one `version`, in the background.
# Numbers are never used again: instances know by them which of two operations is the later one.
operations = Table(
    "operations",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("journey", String(64), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("version", Integer, nullable=True),
    Column("through", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("total", Integer, nullable=False),
    Column("done", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("options", JSON, nullable=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime, nullable=True),
    Index("ix_operations_journey", "journey"),
    Index("ix_operations_state", "state"),
    sqlite_autoincrement=True,
)

# The instances that an operation has found; kept while it runs, afterwards only those that it failed at.
operation_items = Table(
    "operation_items",
    metadata,
    Column("operation", Integer, primary_key=True, autoincrement=False),
    Column("workflow_id", String(255), primary_key=True),
    Column("run_id", String(64), nullable=True),
    Column("state", String(16), nullable=False),
    Column("message", Text, nullable=True),
    Column("code", String(32), nullable=True),
)
