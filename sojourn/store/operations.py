"""Operations: what is done with all instances of a journey in the background, and how far it has come."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, Row, delete, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from sojourn.store.database import Database
from sojourn.store.tables import entries, operation_items, operations

OperationState = Literal["running", "done", "superseded"]

MOVE = "move"
"""The kind of operation that moves instances to another version."""

RECENT = timedelta(minutes=10)
"""How long before an operation an entry may have been made that Temporal's visibility does not show yet."""


@dataclass(frozen=True, slots=True)
class Operation:
    """Something that is done with all instances of a journey.

    Attributes:
        id: Its number. A later operation has a greater one.
        journey: The journey's name.
        kind: `pause`, `resume`, `stop` or `move`.
        version: Only instances of this version; None: of all versions that there were.
        through: Instances of later versions are none of its business: the newest version when it began, and for a
            move the one before it.
        state: `running`, `done`, or `superseded` by a later one.
        total: How many instances it has found.
        done: With how many of them it has done its work; those that had ended by themselves count.
        failed: With how many it could not.
        options: What else it was told, plain JSON.
        created_at: When it was begun, UTC.
        ended_at: When it was over, UTC; None while it runs.
    """

    id: int
    journey: str
    kind: str
    version: int | None
    through: int
    state: OperationState
    total: int
    done: int
    failed: int
    options: Mapping[str, Any]
    created_at: datetime
    ended_at: datetime | None

    def concerns(self, version: int | None) -> bool:
        """Say whether instances of a version are its business; those of an unknown one may be."""
        if version is None:
            return True
        return version == self.version if self.version is not None else version <= self.through

    def as_dict(self) -> dict[str, Any]:
        """Return the operation as plain JSON."""
        return {
            "id": self.id,
            "journey": self.journey,
            "kind": self.kind,
            "version": self.version,
            "state": self.state,
            "total": self.total,
            "done": self.done,
            "failed": self.failed,
            "created_at": _iso(self.created_at),
            "ended_at": _iso(self.ended_at),
        }


@dataclass(frozen=True, slots=True)
class Item:
    """An instance that an operation has found.

    Attributes:
        workflow_id: The instance.
        run_id: Its first run, by which it is told from a later instance; None where that is not known yet.
    """

    workflow_id: str
    run_id: str | None = None


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why an operation could not do its work with an instance: a stable code, and words for people."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Failure:
    """An instance with which an operation could not do its work, and why. Old ones have no code."""

    workflow_id: str
    code: str | None
    message: str


@dataclass(frozen=True, slots=True)
class OpenEntry:
    """An entry whose instance may still run.

    Attributes:
        workflow_id: The instance.
        profile: As entries have it.
        event_id: The entry event.
        reserved: It is not known yet whether the instance was started.
    """

    workflow_id: str
    profile: str
    event_id: str
    reserved: bool


def begin(
    connection: Connection,
    journey: str,
    kind: str,
    *,
    through: int,
    version: int | None = None,
    options: Mapping[str, Any] | None = None,
) -> Operation:
    """Begin an operation, within the transaction that decides on it.

    One of the same kind that is under way is returned as it is. Any other over the same instances is superseded: where
    both reach an instance, it heeds the later one. Moves take the place of moves alone: which version an instance runs
    has nothing to do with whether it is paused.
    """
    of_kind = operations.c.kind == MOVE if kind == MOVE else operations.c.kind != MOVE
    same = (operations.c.journey == journey) & (operations.c.state == "running") & of_kind
    covered = same if version is None else same & (operations.c.version == version)
    for row in connection.execute(select(operations).where(covered).order_by(operations.c.id)):
        if (row.kind, row.version, row.through) == (kind, version, through) and not options:
            return _operation(row)
    now = datetime.now(UTC)
    connection.execute(update(operations).where(covered).values(state="superseded", ended_at=now))
    values = {
        "journey": journey,
        "kind": kind,
        "version": version,
        "through": through,
        "state": "running",
        "total": 0,
        "done": 0,
        "failed": 0,
        "options": dict(options or {}),
        "created_at": now,
    }
    row = connection.execute(insert(operations).values(**values).returning(operations)).one()
    return _operation(row)


class Operations:
    """The operations of a deployment, and their progress. Every method raises `StoreUnavailable`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, number: int) -> Operation | None:
        """Return an operation, or None where there is none of that number."""
        query = select(operations).where(operations.c.id == number)
        row = await self._database.read(lambda connection: connection.execute(query).first())
        return None if row is None else _operation(row)

    async def list(
        self, *, journey: str | None = None, state: str | None = None, limit: int = 50
    ) -> list[Operation]:
        """Return operations, newest first.

        Args:
            journey: Only those over this journey.
            state: Only those in this state.
            limit: Most to return.
        """
        query = select(operations).order_by(operations.c.id.desc()).limit(limit)
        if journey is not None:
            query = query.where(operations.c.journey == journey)
        if state is not None:
            query = query.where(operations.c.state == state)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [_operation(row) for row in rows]

    async def failures(self, number: int, limit: int = 100, after: str = "") -> Sequence[Failure]:
        """Return instances at which an operation failed, in the order of their ids.

        Args:
            number: The operation.
            limit: Most to return.
            after: Only those whose workflow id comes behind this one.
        """
        of_it = (operation_items.c.operation == number) & (operation_items.c.state == "failed")
        behind = of_it & (operation_items.c.workflow_id > after)
        query = select(operation_items).where(behind).order_by(operation_items.c.workflow_id).limit(limit)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [Failure(row.workflow_id, row.code, row.message or "") for row in rows]

    async def found(self, operation: Operation, items: Iterable[Item]) -> int:
        """Add instances that were found to an operation's work; returns how many are new to it."""
        rows = {
            item.workflow_id: {
                "operation": operation.id,
                "workflow_id": item.workflow_id,
                "run_id": item.run_id,
                "state": "pending",
            }
            for item in items
        }
        if not rows:
            return 0
        dialect: Any = sqlite if self._database.sqlite else postgresql
        statement = dialect.insert(operation_items).on_conflict_do_nothing()
        statement = statement.returning(operation_items.c.workflow_id)

        def add(connection: Connection) -> int:
            new = len(connection.execute(statement, [rows[key] for key in sorted(rows)]).all())
            of_it = operations.c.id == operation.id
            connection.execute(update(operations).where(of_it).values(total=operations.c.total + new))
            return new

        return await self._database.write(add)

    async def pending(self, number: int, limit: int) -> Sequence[Item]:
        """Return some of the instances that are still to be worked on."""
        of_it = (operation_items.c.operation == number) & (operation_items.c.state == "pending")
        query = select(operation_items).where(of_it).order_by(operation_items.c.workflow_id).limit(limit)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [Item(row.workflow_id, row.run_id) for row in rows]

    async def settle(self, number: int, worked: Mapping[str, Obstacle | None]) -> None:
        """Write down what became of instances.

        Args:
            number: The operation.
            worked: By workflow id: None where the work is done, else why it cannot be.
        """
        failed = {key: obstacle for key, obstacle in worked.items() if obstacle is not None}
        of_it = operation_items.c.operation == number
        waiting = of_it & (operation_items.c.state == "pending")

        def write(connection: Connection) -> None:
            items = operation_items.c.workflow_id
            good = waiting & items.in_(worked.keys() - failed.keys())
            done = connection.execute(update(operation_items).where(good).values(state="done")).rowcount
            lost = 0
            for key, obstacle in failed.items():
                values = {"state": "failed", "message": obstacle.message, "code": obstacle.code}
                lost += connection.execute(
                    update(operation_items).where(waiting, items == key).values(**values)
                ).rowcount
            counts = {"done": operations.c.done + done, "failed": operations.c.failed + lost}
            connection.execute(update(operations).where(operations.c.id == number).values(**counts))

        await self._database.write(write)

    async def end(self, operation: Operation) -> None:
        """Write down that an operation is over, unless another one took its place.

        The entries of instances that were stopped are closed.
        """
        running = (operations.c.id == operation.id) & (operations.c.state == "running")
        close = _of(operation) & (entries.c.state == "entered") & ~entries.c.closed

        def write(connection: Connection) -> None:
            values = {"state": "done", "ended_at": datetime.now(UTC)}
            if not connection.execute(update(operations).where(running).values(**values)).rowcount:
                return
            if operation.kind == "stop":
                connection.execute(update(entries).where(close).values(closed=True))

        await self._database.write(write)
        await self.forget(operation.id)

    async def forget(self, number: int) -> None:
        """Forget the instances of an operation that is over, but for those at which it failed."""
        gone = (operation_items.c.operation == number) & (operation_items.c.state != "failed")
        await self._database.write(
            lambda connection: connection.execute(delete(operation_items).where(gone)).rowcount
        )

    async def entered(self, operation: Operation) -> Sequence[Item]:
        """Return the instances that entered so lately that only the ledger is sure to know them."""
        since = operation.created_at - RECENT
        lately = _of(operation) & ~entries.c.closed & (entries.c.entered_at >= since)
        query = select(entries.c.workflow_id).where(lately)
        found = await self._database.read(lambda connection: connection.scalars(query).all())
        return [Item(workflow_id) for workflow_id in found]

    async def entering(self, operation: Operation) -> int:
        """Return how many entries are under way of which it is not known yet whether an instance was started."""
        query = select(func.count()).where(_of(operation), entries.c.state == "reserved")
        return await self._database.read(lambda connection: connection.execute(query).scalar_one())

    async def open_entries(self, journey: str, since: datetime, limit: int) -> Sequence[OpenEntry]:
        """Return entries of a journey, made since a moment, whose instances may still run."""
        lately = (entries.c.journey == journey) & ~entries.c.closed & (entries.c.entered_at >= since)
        query = select(entries).where(lately).order_by(entries.c.profile).limit(limit)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [
            OpenEntry(row.workflow_id, row.profile, row.event_id, row.state == "reserved") for row in rows
        ]

    async def close_entry(self, journey: str, entry: OpenEntry) -> None:
        """Write down that the instance of an entry has ended."""
        same = (entries.c.journey == journey) & (entries.c.profile == entry.profile)
        same &= (entries.c.event_id == entry.event_id) & (entries.c.state == "entered")
        await self._database.write(
            lambda connection: connection.execute(update(entries).where(same).values(closed=True)).rowcount
        )


def _of(operation: Operation) -> Any:
    """Return the condition for entries that may be an operation's business."""
    version = (
        entries.c.version == operation.version
        if operation.version is not None
        else entries.c.version <= operation.through
    )
    return (entries.c.journey == operation.journey) & or_(version, entries.c.version.is_(None))


def _operation(row: Row[Any]) -> Operation:
    return Operation(
        row.id,
        row.journey,
        row.kind,
        row.version,
        row.through,
        row.state,
        row.total,
        row.done,
        row.failed,
        row.options or {},
        row.created_at,
        row.ended_at,
    )


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")
