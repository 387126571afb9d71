"""Limits that an operator set: caps and throttles in force in place of those that were published.

They are kept beside the endpoints, so a publication leaves them alone, and they are laid over what was published
when the catalog is read: whoever asks for an endpoint gets it as it is to be called now.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from sojourn.definitions.rate_limits import DEFAULT_EXPIRE, SOURCE_THROTTLED, check_limit
from sojourn.store.catalog import OperatorLimits
from sojourn.store.revision import bump_revision, lock_revision
from sojourn.store.tables import endpoint_limits, endpoints

KINDS = ("cap", "throttle")
"""The limits that an endpoint may have."""


class LimitError(ValueError):
    """A limit that cannot be set. The message says what to write instead.

    Attributes:
        field: Which part of the limits is wrong, such as `throttle.per`.
    """

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def set_limits(connection: Connection, kind: str, name: str, changes: Mapping[str, Any]) -> bool:
    """Set limits of an endpoint; those that are not named stay as they are.

    Args:
        connection: In a transaction of its own.
        kind: `source` or `action`.
        name: The endpoint's name.
        changes: `cap` and `throttle`, each with `calls`, `per` in seconds and, for a throttle, `expire` in seconds.

    Returns:
        False where there is no such endpoint.

    Raises:
        LimitError: A limit makes no sense, or not for this kind of endpoint.
    """
    _check(kind, changes)
    lock_revision(connection)  # as publishing does: what is published and what is set must fit together
    of_endpoint = (endpoints.c.kind == kind) & (endpoints.c.name == name)
    published = connection.scalar(select(endpoints.c.definition).where(of_endpoint))
    if published is None:
        return False
    before = _stored(connection, kind, name)
    limits = dict(before or {})
    for limit, value in changes.items():
        limits[limit] = _complete(limit, value, limits.get(limit) or published.get(limit) or {})
    _write(connection, kind, name, limits, known=before is not None)
    bump_revision(connection)
    return True


def reset_limits(connection: Connection, kind: str, name: str, which: Iterable[str] = KINDS) -> bool:
    """Put limits of an endpoint back to what was published.

    Args:
        connection: In a transaction of its own.
        kind: `source` or `action`.
        name: The endpoint's name.
        which: `cap`, `throttle` or both.

    Returns:
        False where none of them was set.
    """
    gone = set(which)
    lock_revision(connection)
    before = _stored(connection, kind, name) or {}
    left = {limit: value for limit, value in before.items() if limit not in gone}
    if left == before:
        return False
    if left:
        _write(connection, kind, name, left, known=True)
    else:
        connection.execute(delete(endpoint_limits).where(_of(kind, name)))
    bump_revision(connection)
    return True


def read_limits(connection: Connection) -> dict[tuple[str, str], OperatorLimits]:
    """Return every limit that operators set, by (kind, name) of the endpoint."""
    rows = connection.execute(select(endpoint_limits))
    return {
        (row.kind, row.name): OperatorLimits(
            row.limits.get("cap"), row.limits.get("throttle"), row.changed_at
        )
        for row in rows
    }


def limited(definition: dict[str, Any], limits: OperatorLimits | None) -> dict[str, Any]:
    """Return the stored JSON of an endpoint with the operator's limits in the place of the published ones."""
    return definition if limits is None else {**definition, **limits.values()}


def limited_journey(
    definition: dict[str, Any], limits: Mapping[tuple[str, str], OperatorLimits]
) -> dict[str, Any]:
    """Return a compiled journey that knows the limits of its endpoints as they are now.

    A journey says of each endpoint whether its calls wait in a queue. Where an operator throttles one that was
    published without, instances that begin from then on queue their calls.
    """
    known = definition.get("endpoints")
    if not limits or not isinstance(known, dict):
        return definition
    changed = {}
    for name, entry in known.items():
        found = limits.get((entry.get("kind", ""), name))
        if found is None:
            continue
        extra: dict[str, Any] = {}
        if found.cap is not None:
            extra["capped"] = True
        if found.throttle is not None:
            extra |= {"throttled": True, "expire": found.throttle["expire"]}
        changed[name] = {**entry, **extra}
    return {**definition, "endpoints": {**known, **changed}} if changed else definition


def _check(kind: str, changes: Mapping[str, Any]) -> None:
    if not changes:
        raise LimitError("", "name a limit to set: cap or throttle")
    for limit, value in changes.items():
        if limit not in KINDS:
            raise LimitError(limit, f"there is no limit {limit!r}: set cap or throttle")
        found = SOURCE_THROTTLED if (kind, limit) == ("source", "throttle") else check_limit(limit, value)
        if found is not None:
            raise LimitError(f"{limit}.{found.field}".rstrip("."), str(found))


def _complete(limit: str, value: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """Return a limit as it is stored: with the `expire` of the one before where none is given."""
    stored = {"calls": value["calls"], "per": value["per"]}
    if limit == "throttle":
        stored["expire"] = value.get("expire") or before.get("expire") or DEFAULT_EXPIRE
    return stored


def _of(kind: str, name: str) -> Any:
    return (endpoint_limits.c.kind == kind) & (endpoint_limits.c.name == name)


def _stored(connection: Connection, kind: str, name: str) -> dict[str, Any] | None:
    found: dict[str, Any] | None = connection.scalar(select(endpoint_limits.c.limits).where(_of(kind, name)))
    return found


def _write(connection: Connection, kind: str, name: str, limits: dict[str, Any], *, known: bool) -> None:
    values = {"limits": limits, "changed_at": datetime.now(UTC)}
    if known:
        connection.execute(update(endpoint_limits).where(_of(kind, name)).values(**values))
    else:
        connection.execute(insert(endpoint_limits).values(kind=kind, name=name, **values))
