"""What is kept in the database: events, endpoints, journey versions, entries, API keys."""

from __future__ import annotations

from sojourn.store.call_failures import ErrorRecorder
from sojourn.store.catalog import Catalog, JourneyRecord, JourneyVersion, OperatorLimits
from sojourn.store.errors import StoreError, StoreUnavailable
from sojourn.store.keys import SCOPES, ApiKey, CreatedKey
from sojourn.store.limits import LimitError
from sojourn.store.publish import PublishResult
from sojourn.store.store import Store

__all__ = [
    "SCOPES",
    "ApiKey",
    "Catalog",
    "CreatedKey",
    "ErrorRecorder",
    "JourneyRecord",
    "JourneyVersion",
    "LimitError",
    "OperatorLimits",
    "PublishResult",
    "Store",
    "StoreError",
    "StoreUnavailable",
]
