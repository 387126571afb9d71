"""A database for each test: migrated once in a process, and copied from then on."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from sojourn.store import Store


async def new_store(folder: Path) -> Store:
    """Open an empty database with all tables in a folder."""
    path = folder / "sojourn.db"
    path.write_bytes(await _empty_database())
    # A long lease: a test may be stopped in a debugger.
    return await Store.open(f"sqlite:///{path}", catalog_refresh=0.01, lease=600.0)


@cache
def _kept() -> dict[str, bytes]:
    return {}


async def _empty_database() -> bytes:
    if "database" not in _kept():
        with tempfile.TemporaryDirectory(prefix="sojourn-test-") as folder:
            store = await Store.open(f"sqlite:///{folder}/sojourn.db")
            await store.migrate()
            await store.close()
            _kept()["database"] = Path(folder, "sojourn.db").read_bytes()  # noqa: ASYNC240 - once, and small
    return _kept()["database"]
