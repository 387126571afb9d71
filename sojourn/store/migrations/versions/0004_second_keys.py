"""Let a profile have several entries into one journey, one for each second key."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change. The entries that are there are those of journeys without a second key."""
    for table, rest in (("entries", []), ("handled_events", ["event_id"])):
        # On SQLite the table is copied into a new one; on PostgreSQL each line is a statement.
        with op.batch_alter_table(table) as batch:
            batch.add_column(sa.Column("per", sa.String(64), nullable=False, server_default=""))
            batch.drop_constraint(f"pk_{table}", type_="primary")
            batch.create_primary_key(f"pk_{table}", ["journey", "profile", "per", *rest])
        with op.batch_alter_table(table) as batch:
            # Whoever writes says which entry it is.
            batch.alter_column(
                "per", server_default=None, existing_type=sa.String(64), existing_nullable=False
            )
