"""Let operations say by a code, beside the words, why they could not do their work with an instance."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change. What failed before says it in words only."""
    with op.batch_alter_table("operation_items") as batch:
        batch.add_column(sa.Column("code", sa.String(32), nullable=True))
