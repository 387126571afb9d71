"""Which actions have a task queue of their own, and which ever had one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from sojourn.store.catalog import Catalog
from sojourn.store.database import Database
from sojourn.store.tables import throttled_actions

if TYPE_CHECKING:
    from sojourn.definitions.kinds.endpoint import Throttle


class Throttles:
    """The throttles of this deployment, as workers serve them.

    An action that was throttled once is never forgotten: its task queue may hold calls, and instances that entered at
    that time will queue more.

    Args:
        database: The database.
        catalog: Returns what is published, the same object until something changes.
    """

    def __init__(self, database: Database, catalog: Callable[[], Awaitable[Catalog]]) -> None:
        self._database = database
        self._catalog = catalog
        self._seen: Catalog | None = None
        self._known: dict[str, Throttle | None] = {}

    async def read(self) -> Mapping[str, Throttle | None]:
        """Return the throttles by the names of their actions; None where only the task queue is left.

        Raises:
            StoreUnavailable: The database cannot be reached.
        """
        catalog = await self._catalog()
        if catalog is not self._seen:
            current = _current(catalog)
            once = await self._remember(current.keys() | _compiled(catalog))
            self._known = {**dict.fromkeys(sorted(once)), **current}
            self._seen = catalog
        return self._known

    async def _remember(self, names: set[str]) -> set[str]:
        """Keep names for good; return all that were ever kept."""
        query = select(throttled_actions.c.name)
        known = set(await self._database.read(lambda connection: connection.scalars(query).all()))
        if names - known:
            await self._database.write(lambda connection: self._insert(connection, names - known))
        return known | names

    def _insert(self, connection: Connection, names: Iterable[str]) -> None:
        insert: Any = sqlite.insert if self._database.sqlite else postgresql.insert
        statement = insert(throttled_actions).on_conflict_do_nothing()
        connection.execute(statement, [{"name": name} for name in sorted(names)])


def _current(catalog: Catalog) -> dict[str, Throttle | None]:
    from sojourn.definitions.durations import STORED
    from sojourn.definitions.kinds.endpoint import Throttle  # heavy, and only workers need it

    return {
        name: Throttle.model_validate(definition["throttle"], context=STORED)
        for (kind, name), definition in catalog.endpoints.items()
        if kind == "action" and definition.get("throttle")
    }


def _compiled(catalog: Catalog) -> set[str]:
    """Return the actions that some version of some journey queues for, whatever their limits are by now."""
    return {
        name
        for journey in catalog.journeys.values()
        for version in journey.versions.values()
        for name, endpoint in (version.definition.get("endpoints") or {}).items()
        if endpoint.get("throttled")
    }
