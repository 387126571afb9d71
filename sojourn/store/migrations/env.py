"""Alembic's entry point: runs the migrations on the connection that `sojourn.store.migrate` opened."""

from __future__ import annotations

from alembic import context

from sojourn.store.tables import metadata

connection = context.config.attributes["connection"]
if connection is None:
    raise SystemExit("Run migrations by starting Sojourn, or by Store.migrate().")
# The connection is in a transaction already: all migrations happen, or none.
context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
context.run_migrations()
