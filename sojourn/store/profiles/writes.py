"""The transactions of the profile store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import BindParameter, Connection, Row, bindparam, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from sojourn.contract import names
from sojourn.store.profiles.checks import SchemaCheck, Violation, merged, same, too_large
from sojourn.store.tables import profile_writes, profiles

if TYPE_CHECKING:
    from sojourn.store.profiles.profiles import Profile

Status = Literal["created", "updated", "unchanged", "refused", "conflict"]

THERE = -1
"""In the place of a version that is expected: any, but the profile must be there."""

_THESE: BindParameter[Any] = bindparam("these", expanding=True)
_PRESENT = select(profiles.c.id).where(profiles.c.id.in_(_THESE))
_ROWS = select(profiles).where(profiles.c.id.in_(_THESE))
_LOCKED = _ROWS.order_by(profiles.c.id).with_for_update()
"""Sorted, so that transactions that lock the same rows do so in the same order."""
_UPDATE = (
    update(profiles)
    .where(profiles.c.id == bindparam("of_id"))
    .values({name: bindparam(f"new_{name}") for name in ("attributes", "version", "updated_at")})
)
_FORGET = delete(profile_writes).where(profile_writes.c.operation.in_(_THESE))

PURGE_AT_ONCE = 10_000
_OLD = (
    select(profile_writes.c.operation).where(profile_writes.c.at < bindparam("before")).limit(PURGE_AT_ONCE)
)
_PURGE = delete(profile_writes).where(profile_writes.c.operation.in_(_OLD))


@dataclass(frozen=True, slots=True)
class Request:
    """A write whose parts are right in themselves.

    Attributes:
        id: `names.profile_part` of the key.
        key: The profile key.
        mode: Whether the attributes replace all that is there, or are a merge patch.
        attributes: The attributes, or the patch.
        expected: The version that the profile must have; 0: it must not be there.
        operation: Names the write, which is then made once; None: it has no name.
    """

    id: str
    key: str
    mode: Literal["put", "patch"]
    attributes: dict[str, Any]
    expected: int | None
    operation: str | None


@dataclass(frozen=True, slots=True)
class WriteResult:
    """What became of a write.

    Attributes:
        key: The profile key, where one could be read.
        status: `unchanged`: the profile says so already. `refused`: see `violations`. `conflict`: it has
            another version than expected.
        version: The profile's version afterwards; None where it is not there.
        attributes: Its attributes afterwards, likewise; not told of refusals and conflicts.
        violations: For `refused`: what is wrong.
    """

    key: str | None
    status: Status
    version: int | None
    attributes: dict[str, Any] | None = None
    violations: tuple[Violation, ...] = ()


@dataclass(frozen=True, slots=True)
class _State:
    attributes: dict[str, Any]
    version: int


def read(keys: Sequence[str], connection: Connection) -> list[Profile | None]:
    """Return profiles in the order of their keys."""
    from sojourn.store.profiles.profiles import Profile

    ids = [names.profile_part(key) for key in keys]
    rows = connection.execute(_ROWS, {"these": list(dict.fromkeys(ids))})
    found = {
        row.id: Profile(row.key, row.attributes, row.version, row.created_at, row.updated_at) for row in rows
    }
    return [found.get(id_) for id_ in ids]


def erase(keys: Sequence[str], expected: int | None, connection: Connection) -> list[tuple[bool, int | None]]:
    """Erase profiles that are as expected; returns for each key whether it was erased, and its version."""
    ids = [names.profile_part(key) for key in keys]
    wanted = {"these": list(dict.fromkeys(ids))}
    # Locked in order first: a plain delete would lock in any.
    versions = {row.id: row.version for row in connection.execute(_LOCKED, wanted)}
    gone = {id_ for id_, version in versions.items() if _as_expected(expected, version)}
    connection.execute(delete(profiles).where(profiles.c.id.in_(_THESE)), {"these": list(gone)})
    return [(id_ in gone, versions.get(id_)) for id_ in ids]


def _as_expected(expected: int | None, version: int | None) -> bool:
    if expected == THERE:
        return version is not None
    return expected is None or expected == (version or 0)


def purge(before: datetime, connection: Connection) -> int:
    """Forget some updates that were made before a moment; returns how many."""
    return connection.execute(_PURGE, {"before": before}).rowcount


def write(
    requests: Sequence[Request], connection: Connection, *, check: SchemaCheck, now: datetime, on_sqlite: bool
) -> list[WriteResult]:
    """Write profiles in one transaction. Returns a result for each request, in order.

    Args:
        requests: Those with the same key take effect in their order.
        connection: In a transaction.
        check: The published schema, which each whole profile has to fit after each request.
        now: The moment of the write.
        on_sqlite: Which of the two databases it is.
    """
    writing = _Writing(connection, check, now, sqlite.insert if on_sqlite else postgresql.insert)
    return writing.run(requests)


class _Writing:
    """One transaction.

    New rows are inserted before others are locked, both in the order of ids. So each transaction waits only
    for one that is further on, and two batches with the same profiles in them do not wait for each other.
    """

    def __init__(self, connection: Connection, check: SchemaCheck, now: datetime, insert: Any) -> None:
        self._connection = connection
        self._check = check
        self._now = now
        self._insert = insert
        self._done: set[str] = set()

    def run(self, requests: Sequence[Request]) -> list[WriteResult]:
        self._done = self._already_done([r.operation for r in requests if r.operation is not None])
        groups: dict[str, list[int]] = {}
        for index, request in enumerate(requests):
            groups.setdefault(request.id, []).append(index)
        results: dict[int, WriteResult] = {}
        waiting = sorted(groups)
        while waiting:
            waiting = self._round(waiting, groups, requests, results)
        refused: set[str] = set()
        taken: set[str] = set()
        for index, request in enumerate(requests):
            if request.operation is not None:
                (refused if results[index].status == "refused" else taken).add(request.operation)
        if refused - taken:
            self._connection.execute(_FORGET, {"these": sorted(refused - taken)})
        return [results[index] for index in range(len(requests))]

    def _already_done(self, operations: list[str]) -> set[str]:
        """Write down that operations are made, and return those that were made before."""
        if not operations:
            return set()
        statement = (
            self._insert(profile_writes).on_conflict_do_nothing().returning(profile_writes.c.operation)
        )
        rows = [{"operation": operation, "at": self._now} for operation in sorted(set(operations))]
        return set(operations) - {row.operation for row in self._connection.execute(statement, rows)}

    def _round(
        self,
        ids: list[str],
        groups: Mapping[str, list[int]],
        requests: Sequence[Request],
        results: dict[int, WriteResult],
    ) -> list[str]:
        """Deal with as many profiles as possible; return those that were erased at the same moment."""
        present = {row.id for row in self._connection.execute(_PRESENT, {"these": ids})}
        new: dict[str, tuple[_State, list[WriteResult]]] = {}
        for id_ in ids:
            if id_ in present:
                continue
            state, answers = self._play(None, [requests[index] for index in groups[id_]])
            if state is None:
                results.update(zip(groups[id_], answers, strict=True))
            else:
                new[id_] = state, answers
        inserted = self._insert_new([(requests[groups[id_][0]], state) for id_, (state, _) in new.items()])
        for id_ in inserted:
            results.update(zip(groups[id_], new[id_][1], strict=True))
        rest = [id_ for id_ in ids if id_ in present or (id_ in new and id_ not in inserted)]
        found = self._update(rest, groups, requests, results)
        return [id_ for id_ in rest if id_ not in found]

    def _insert_new(self, rows: Iterable[tuple[Request, _State]]) -> set[str]:
        """Insert profiles; return the ids of those that nobody else was faster with."""
        values = [
            {
                "id": request.id,
                "key": request.key,
                "attributes": state.attributes,
                "version": state.version,
                "created_at": self._now,
                "updated_at": self._now,
            }
            for request, state in rows
        ]
        if not values:
            return set()
        statement = self._insert(profiles).on_conflict_do_nothing().returning(profiles.c.id)
        return {row.id for row in self._connection.execute(statement, values)}

    def _update(
        self,
        ids: list[str],
        groups: Mapping[str, list[int]],
        requests: Sequence[Request],
        results: dict[int, WriteResult],
    ) -> set[str]:
        """Lock and change profiles that are there; return their ids."""
        if not ids:
            return set()
        rows: Sequence[Row[Any]] = self._connection.execute(_LOCKED, {"these": ids}).all()
        changed = []
        for row in rows:
            state, answers = self._play(
                _State(row.attributes, row.version), [requests[index] for index in groups[row.id]]
            )
            results.update(zip(groups[row.id], answers, strict=True))
            if state is not None and state.version != row.version:
                changed.append(
                    {
                        "of_id": row.id,
                        "new_attributes": state.attributes,
                        "new_version": state.version,
                        "new_updated_at": self._now,
                    }
                )
        if changed:
            self._connection.execute(_UPDATE, changed)
        return {row.id for row in rows}

    def _play(
        self, state: _State | None, requests: Sequence[Request]
    ) -> tuple[_State | None, list[WriteResult]]:
        """Return a profile after requests, one after the other, and their results."""
        answers = []
        made: set[str] = set()
        for request in requests:
            again = request.operation is not None and (request.operation in self._done | made)
            state, answer = self._one(state, request, again)
            if request.operation is not None and answer.status != "refused":
                made.add(request.operation)
            answers.append(answer)
        return state, answers

    def _one(self, state: _State | None, request: Request, again: bool) -> tuple[_State | None, WriteResult]:
        version = None if state is None else state.version
        before = None if state is None else state.attributes
        if again:
            return state, WriteResult(request.key, "unchanged", version, before)
        if not _as_expected(request.expected, version):
            return state, WriteResult(request.key, "conflict", version)
        after = request.attributes if request.mode == "put" else merged(before, request.attributes)
        # What was sent is bounded already; together with what is there it may be too much.
        violations = (too_large(after) if before else []) or self._check.violations(after)
        if violations:
            return state, WriteResult(request.key, "refused", version, None, tuple(violations))
        if before is not None and same(before, after):
            return state, WriteResult(request.key, "unchanged", version, before)
        new = _State(after, (version or 0) + 1)
        return new, WriteResult(request.key, "updated" if state else "created", new.version, after)
