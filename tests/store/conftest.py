"""Fixtures of the store's tests."""

from __future__ import annotations

from tests.store.databases import database_url, open_store, postgres_url, store

__all__ = ["database_url", "open_store", "postgres_url", "store"]
