"""API keys: made once, kept as a hash, checked without a query."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, insert, select, update

from sojourn.store.errors import StoreError
from sojourn.store.revision import bump_revision
from sojourn.store.tables import api_keys

SCOPES = ("events", "operate", "read")
"""What a key may be good for: posting events, publishing and steering, looking."""

PREFIX = "sjk_"
"""What every key starts with, so that people and secret scanners know one when they see it."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it is kept. The key itself is not.

    Attributes:
        id: Short public name, by which it is revoked.
        label: Whose key it is, for people.
        scopes: What it is good for, see `SCOPES`.
        created_at: When it was made, UTC.
        revoked_at: When it was revoked, UTC; None while it is good.
    """

    id: str
    label: str
    scopes: frozenset[str]
    created_at: datetime
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class CreatedKey:
    """A new key. `secret` is shown to its owner now and never again."""

    secret: str
    key: ApiKey

    def __repr__(self) -> str:
        """Leave the secret out, so that no log gets it."""
        return f"CreatedKey(key={self.key!r})"


class KeyRing:
    """The keys that are good, as of one revision."""

    def __init__(self, stored: Iterable[tuple[str, ApiKey]]) -> None:
        pairs = list(stored)
        self.any = bool(pairs)
        self._good = {digest: key for digest, key in pairs if key.revoked_at is None}

    def verify(self, secret: str) -> ApiKey | None:
        """Return the key that this is, or None for one that is unknown or revoked.

        What is looked up is a hash of what the sender gave, so the time it takes tells nothing of any key.
        """
        digest = _digest(secret)
        for stored, key in self._good.items():
            if hmac.compare_digest(stored, digest):
                return key
        return None


def create_key(connection: Connection, label: str, scopes: Iterable[str]) -> CreatedKey:
    """Make a key and keep its hash.

    Raises:
        StoreError: No scope is given, or one that does not exist.
    """
    wanted = frozenset(scopes)
    unknown = sorted(wanted - set(SCOPES))
    if unknown or not wanted:
        what = f"there is no scope {', '.join(map(repr, unknown))}" if unknown else "a key needs a scope"
        raise StoreError(f"{what}: choose from {', '.join(SCOPES)}")
    secret = PREFIX + secrets.token_urlsafe(32)
    key = ApiKey(secrets.token_hex(4), label, wanted, datetime.now(UTC), None)
    values = {"id": key.id, "label": label, "scopes": sorted(wanted), "created_at": key.created_at}
    connection.execute(insert(api_keys).values(**values, hash=_digest(secret)))
    bump_revision(connection)
    return CreatedKey(secret, key)


def revoke_key(connection: Connection, key_id: str) -> bool:
    """Make a key worthless from now on. Returns False where there is no such good key."""
    good = (api_keys.c.id == key_id) & api_keys.c.revoked_at.is_(None)
    result = connection.execute(update(api_keys).where(good).values(revoked_at=datetime.now(UTC)))
    bump_revision(connection)
    return bool(result.rowcount)


def read_keys(connection: Connection) -> list[tuple[str, ApiKey]]:
    """Return every key ever made, oldest first, with its hash."""
    rows = connection.execute(select(api_keys).order_by(api_keys.c.created_at, api_keys.c.id))
    return [
        (row.hash, ApiKey(row.id, row.label, frozenset(row.scopes), row.created_at, row.revoked_at))
        for row in rows
    ]


def _digest(secret: str) -> str:
    # 256 random bits cannot be guessed, so a plain hash is as good as a slow one, at each request.
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
