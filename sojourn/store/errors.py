"""What can go wrong with the database."""

from __future__ import annotations


class StoreError(Exception):
    """Base of the store's errors: the message says what is wrong and what to do."""


class StoreUnavailable(StoreError):
    """The database could not be reached or did not answer in time. Trying again later is safe."""
