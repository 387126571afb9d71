"""API keys: shown once, kept as a hash, revoked for good."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text

from sojourn.store import Store, StoreError
from tests.store.databases import OpenStore


async def test_a_key_is_verified_and_its_scopes_are_told(store: Store) -> None:
    """The key that was shown works, and nothing near it does."""
    created = await store.create_key("shop", ["read", "events"])
    assert created.secret.startswith("sjk_")
    assert len(created.secret) >= 36
    assert await store.verify_key(created.secret) == created.key
    assert created.key.scopes == {"events", "read"}
    for wrong in ("", "sjk_", created.secret[:-1], created.secret + "x", created.secret.upper(), "\ud800"):
        assert await store.verify_key(wrong) is None


async def test_the_key_itself_is_kept_nowhere(store: Store) -> None:
    """Neither the database nor what is printed has the secret."""
    created = await store.create_key("shop", ["read"])
    query = text("SELECT * FROM api_keys")
    rows = await store.database.read(lambda connection: connection.execute(query).all())
    assert len(rows) == 1
    assert created.secret[4:] not in str(rows)
    assert created.secret[4:] not in repr(created)


async def test_a_revoked_key_is_worthless_at_once_here_and_soon_elsewhere(open_store: OpenStore) -> None:
    """Another process notices within its refresh time."""
    here, there = await open_store(), await open_store(catalog_refresh=0.05)
    created = await here.create_key("shop", ["read"])
    await asyncio.sleep(0.06)
    assert await there.verify_key(created.secret) is not None
    assert await here.revoke_key(created.key.id)
    assert await here.verify_key(created.secret) is None
    await asyncio.sleep(0.06)
    assert await there.verify_key(created.secret) is None
    assert not await here.revoke_key(created.key.id)
    assert not await here.revoke_key("no-such")
    assert [key.revoked_at is not None for key in await here.list_keys()] == [True]


async def test_revoking_the_last_key_opens_no_door(store: Store) -> None:
    """A deployment that ever had keys goes on to ask for one."""
    assert not await store.has_keys()
    created = await store.create_key("shop", ["read"])
    assert await store.has_keys()
    await store.revoke_key(created.key.id)
    assert await store.has_keys()


@pytest.mark.parametrize("scopes", [[], ["admin"], ["read", "Read"]])
async def test_unknown_scopes_are_refused_with_the_known_ones(store: Store, scopes: list[str]) -> None:
    """A key that is good for nothing, or for what does not exist, is a mistake."""
    with pytest.raises(StoreError, match="events, operate, read"):
        await store.create_key("shop", scopes)
    assert await store.list_keys() == []
