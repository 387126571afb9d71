"""Make the first tables: what is published, entries, API keys."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# A migration says what was true on its day, so it spells the columns out and imports no table of ours.
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply the change."""
    meta = op.create_table(
        "meta",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_meta"),
    )
    op.bulk_insert(meta, [{"id": 1, "revision": 1}])
    _published()
    _entries()
    op.create_table(
        "api_keys",
        sa.Column("id", sa.String(16), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("revoked_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_api_keys"),
        sa.UniqueConstraint("hash", name="uq_api_keys_hash"),
    )


def _published() -> None:
    op.create_table(
        "events",
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("definition", sa.JSON(), nullable=False),
        sa.Column("hash", sa.String(128), nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_events"),
    )
    op.create_table(
        "endpoints",
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("definition", sa.JSON(), nullable=False),
        sa.Column("hash", sa.String(128), nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("kind", "name", name="pk_endpoints"),
    )
    op.create_table(
        "journeys",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_journeys"),
    )
    op.create_table(
        "journey_versions",
        sa.Column("journey", sa.String(64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("definition", sa.JSON(), nullable=False),
        sa.Column("sources", sa.JSON(), nullable=True),
        sa.Column("hash", sa.String(128), nullable=False),
        sa.Column("published_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("journey", "version", name="pk_journey_versions"),
    )


def _entries() -> None:
    op.create_table(
        "entries",
        sa.Column("journey", sa.String(64), nullable=False),
        sa.Column("profile", sa.String(128), nullable=False),
        sa.Column("event_id", sa.String(255), nullable=False),
        sa.Column("workflow_id", sa.String(255), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("entered_at", MOMENT, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("closed", sa.Boolean(), nullable=False),
        sa.Column("token", sa.String(36), nullable=True),
        sa.Column("lease_until", sa.Double(), nullable=True),
        sa.Column("previous_event_id", sa.String(255), nullable=True),
        sa.Column("previous_workflow_id", sa.String(255), nullable=True),
        sa.Column("previous_version", sa.Integer(), nullable=True),
        sa.Column("previous_entered_at", MOMENT, nullable=True),
        sa.Column("previous_closed", sa.Boolean(), nullable=True),
        sa.PrimaryKeyConstraint("journey", "profile", name="pk_entries"),
    )
    op.create_index("ix_entries_lease_until", "entries", ["lease_until"])
    op.create_table(
        "handled_events",
        sa.Column("journey", sa.String(64), nullable=False),
        sa.Column("profile", sa.String(128), nullable=False),
        sa.Column("event_id", sa.String(255), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("journey", "profile", "event_id", name="pk_handled_events"),
    )
    op.create_index("ix_handled_events_at", "handled_events", ["at"])
