"""The store: one object for all that a process asks of the database."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select

from sojourn.contract.journey_states import JourneyState
from sojourn.store import keys as key_store
from sojourn.store import limits as limit_store
from sojourn.store import publish as publishing
from sojourn.store.call_failures import EndpointErrors
from sojourn.store.caps import StoredCaps
from sojourn.store.catalog import Catalog, JourneyRecord, JourneyVersion
from sojourn.store.database import Answer, Database, Work, ping
from sojourn.store.entries.ledger import Ledger
from sojourn.store.keys import ApiKey, CreatedKey, KeyRing
from sojourn.store.operations import Operations
from sojourn.store.profiles.checks import SchemaCheck, no_schema
from sojourn.store.profiles.profiles import Profiles
from sojourn.store.publish import Publication, PublishResult
from sojourn.store.revision import read_revision
from sojourn.store.tables import (
    endpoints,
    events,
    journey_drafts,
    journey_versions,
    journeys,
    profile_schema,
)
from sojourn.store.throttles import Throttles

if TYPE_CHECKING:
    from sojourn.definitions import EndpointDefinition, Project
    from sojourn.definitions.kinds.endpoint import Throttle


NEVER = float("-inf")


class Store:
    """The database of one deployment, as one process uses it. Open it with `Store.open`.

    Every method that asks the database raises `StoreUnavailable` when it cannot be reached.

    Attributes:
        ledger: The entries of profiles into journeys.
        operations: What is done with all instances of a journey.
        endpoint_errors: The last failed calls of each endpoint.
        profiles: The built-in profiles.
        caps: Counts the calls of capped endpoints.
    """

    def __init__(self, database: Database, *, catalog_refresh: float, lease: float) -> None:
        self._database = database
        self._refresh = catalog_refresh
        self._reloading: asyncio.Task[None] | None = None
        self._catalog: Catalog | None = None
        self._keys: KeyRing | None = None
        self._endpoints: dict[tuple[str, str], EndpointDefinition] = {}
        self._checked = NEVER
        self._changes = 0
        self.ledger = Ledger(database, lease=lease)
        self.operations = Operations(database)
        self.endpoint_errors = EndpointErrors(database)
        self.caps = StoredCaps(database)
        self._throttles = Throttles(database, self.catalog)
        self.profiles = Profiles(database, self._profile_check)
        self._profile_checks: tuple[Catalog, SchemaCheck] | None = None

    @classmethod
    async def open(cls, url: str, *, catalog_refresh: float = 1.0, lease: float = 15.0) -> Store:
        """Open a database. Call `migrate` before anything else, and `close` at the end.

        Args:
            url: `sqlite:///PATH` or `postgresql://USER@HOST/DATABASE`.
            catalog_refresh: Seconds for which what was published is taken from memory without asking.
            lease: Seconds for which a reserved entry belongs to the process that reserved it. Longer than
                any call to Temporal may take.

        Raises:
            StoreError: The URL is none that the store can open.
        """
        return cls(Database(url), catalog_refresh=catalog_refresh, lease=lease)

    @property
    def database(self) -> Database:
        """The connection itself, for tests and for stores built beside this one."""
        return self._database

    async def migrate(self) -> None:
        """Bring the tables to this version of Sojourn. Safe when several processes do so at once.

        Raises:
            StoreError: The database was made by a newer version.
        """
        from sojourn.store.migrate import migrate  # Alembic is slow to import, and needed once

        await migrate(self._database)
        self._changed()

    async def ping(self) -> None:
        """Ask the database for nothing, to see that it answers."""
        await self._database.read(ping)

    async def close(self) -> None:
        """Close all connections."""
        if self._reloading is not None:
            await asyncio.wait([self._reloading])
        await self.ledger.close()
        await self.profiles.close()
        await self.caps.close()
        await self._database.close()

    # Publishing

    async def publish(self, project: Project, *, draft: bool = False) -> PublishResult:
        """Store new versions of what changed in a project, all of it or nothing.

        Args:
            project: A project without errors (`project.ok`).
            draft: Keep its journeys as drafts, which nobody enters, and leave all that is published as it is.

        Raises:
            ValueError: The project has errors.
        """
        if not project.ok:
            raise ValueError("a project with errors cannot be published")
        return await self.publish_json(
            Publication(
                events={name: definition.dump() for name, definition in project.events.items()},
                endpoints={
                    _endpoint_key(key): definition.dump() for key, definition in project.endpoints.items()
                },
                journeys=project.compiled(),
                sources=project.files,
                profile=None if project.profile is None else project.profile.dump(),
            ),
            draft=draft,
        )

    async def publish_json(self, publication: Publication, *, draft: bool = False) -> PublishResult:
        """Store new versions of what changed, or drafts, from plain JSON that is known to be right."""
        store = publishing.save_drafts if draft else publishing.publish
        return await self.change(lambda connection: store(connection, publication))

    async def change(self, work: Work[Answer]) -> Answer:
        """Change something that processes hold in memory: run one of `steering` as a transaction."""
        answer = await self._database.write(work)
        self._changed()
        return answer

    async def set_state(self, journey: str, state: JourneyState) -> bool:
        """Set the state of a journey's newest version. Returns False where there is no such journey."""
        return await self.change(lambda connection: publishing.set_state(connection, journey, state))

    # What was published

    async def revision(self) -> int:
        """Return the number that grows with every change to what is published, to states and to keys."""
        return await self._database.read(read_revision)

    async def catalog(self, *, newest: bool = False) -> Catalog:
        """Return what is published: from memory, or as of at most `catalog_refresh` seconds ago.

        The same object is returned until something changes.

        Args:
            newest: Ask the database whether something was published since, however short a time ago.
        """
        catalog, _ = await self._current(0.0 if newest else self._refresh)
        return catalog

    async def endpoint(self, kind: str, name: str, *, newest: bool = False) -> EndpointDefinition | None:
        """Return the live definition of an endpoint, with the limits that operators set, or None.

        Args:
            kind: `source` or `action`.
            name: Its name.
            newest: Ask the database whether something was published since, however short a time ago.
        """
        from sojourn.definitions import EndpointDefinition  # heavy, and only workers need it

        catalog, _ = await self._current(0.0 if newest else self._refresh)
        found = self._endpoints.get((kind, name))
        if found is None and (stored := catalog.endpoints.get((kind, name))) is not None:
            found = self._endpoints[kind, name] = EndpointDefinition.load(stored)
        return found

    async def set_limits(self, kind: str, name: str, changes: Mapping[str, Any]) -> bool:
        """Set limits of an endpoint in place of the published ones; those that are not named stay as they are.

        Workers notice within `catalog_refresh` seconds. A publication leaves what is set here alone.

        Args:
            kind: `source` or `action`.
            name: Its name.
            changes: `cap` and `throttle`, each `{"calls", "per"}`, a throttle also with `expire`; seconds.

        Returns:
            False where there is no such endpoint.

        Raises:
            LimitError: A limit makes no sense; the message says what to write.
        """
        known = await self._database.write(
            lambda connection: limit_store.set_limits(connection, kind, name, changes)
        )
        self._changed()
        return known

    async def reset_limits(self, kind: str, name: str, which: Iterable[str] = limit_store.KINDS) -> bool:
        """Put limits of an endpoint back to what was published. Returns False where none of them was set."""
        wanted = tuple(which)
        reset = await self._database.write(
            lambda connection: limit_store.reset_limits(connection, kind, name, wanted)
        )
        self._changed()
        return reset

    async def throttles(self) -> Mapping[str, Throttle | None]:
        """Return the throttles by the names of their actions, as of now; see `Throttles`.

        None for an action that is throttled no longer, but whose task queue is still to be served.
        """
        return await self._throttles.read()

    async def sources(self, journey: str, version: int) -> dict[str, str] | None:
        """Return the texts of the files that a version was published from, by path, where they were kept."""
        wanted = (journey_versions.c.journey == journey) & (journey_versions.c.version == version)
        query = select(journey_versions.c.sources).where(wanted)
        found: dict[str, str] | None = await self._database.read(lambda connection: connection.scalar(query))
        return found

    async def _profile_check(self) -> SchemaCheck:
        """Return the check of profiles by the schema that is published, compiled once for each."""
        catalog = await self.catalog()
        if self._profile_checks is None or self._profile_checks[0] is not catalog:
            schema = catalog.profile_schema
            self._profile_checks = catalog, no_schema() if schema is None else SchemaCheck(schema)
        return self._profile_checks[1]

    # API keys

    async def create_key(self, label: str, scopes: Iterable[str]) -> CreatedKey:
        """Make an API key. What it returns holds the key itself, which is kept nowhere.

        Args:
            label: Whose key it is, for people.
            scopes: What it is good for: `events`, `operate`, `read`.

        Raises:
            StoreError: No scope is given, or one that does not exist.
        """
        created = await self._database.write(
            lambda connection: key_store.create_key(connection, label, scopes)
        )
        self._changed()
        return created

    async def verify_key(self, secret: str) -> ApiKey | None:
        """Return the key that this is, or None for one that is unknown or revoked. Answers from memory."""
        _, ring = await self._current()
        return ring.verify(secret)

    async def list_keys(self) -> list[ApiKey]:
        """Return every key ever made, oldest first, the revoked ones too."""
        return [key for _, key in await self._database.read(key_store.read_keys)]

    async def has_keys(self) -> bool:
        """Say whether any key was ever made. A revoked one counts: revoking the last opens no door."""
        _, ring = await self._current()
        return ring.any

    async def revoke_key(self, key_id: str) -> bool:
        """Make a key worthless. Returns False where there is no such good key.

        Other processes notice within `catalog_refresh` seconds.
        """
        revoked = await self._database.write(lambda connection: key_store.revoke_key(connection, key_id))
        self._changed()
        return revoked

    # Memory

    async def _current(self, age: float | None = None) -> tuple[Catalog, KeyRing]:
        # Measured from the call: what was asked for after it is new enough, however long the answer took.
        oldest = time.monotonic() - (self._refresh if age is None else age)
        while self._catalog is None or self._keys is None or self._checked <= oldest:
            # A task that is done is awaited without a turn of the loop, in which it would be put away: for ever.
            if self._reloading is None or self._reloading.done():
                self._reloading = asyncio.create_task(self._reload())
                self._reloading.add_done_callback(self._reloaded)
            # One asks for all who wait: when the database is gone, they learn it together, not one by one.
            await asyncio.shield(self._reloading)
        return self._catalog, self._keys

    def _reloaded(self, task: asyncio.Task[None]) -> None:
        if self._reloading is task:
            self._reloading = None
        if not task.cancelled():
            task.exception()  # Seen, even if all who waited have gone.

    async def _reload(self) -> None:
        asked, changes = time.monotonic(), self._changes
        if self._catalog is None or await self.revision() != self._catalog.revision:
            self._catalog, keys = await self._database.snapshot(_published)
            self._keys, self._endpoints = KeyRing(keys), {}
        # What this process changed while it was reading, it must not miss: then the next one reads again.
        self._checked = asked if changes == self._changes else NEVER

    def _changed(self) -> None:
        self._changes += 1
        self._checked = NEVER


def _published(connection: Connection) -> tuple[Catalog, list[tuple[str, ApiKey]]]:
    return read_catalog(connection), key_store.read_keys(connection)


def read_catalog(connection: Connection) -> Catalog:
    """Read all that is published, as of one moment.

    Args:
        connection: One that sees a snapshot.
    """
    revision = read_revision(connection)
    event_rows = connection.execute(select(events.c.name, events.c.definition).order_by(events.c.name))
    endpoint_rows = connection.execute(select(endpoints.c.kind, endpoints.c.name, endpoints.c.definition))
    published = {(row.kind, row.name): row.definition for row in endpoint_rows}
    limits = limit_store.read_limits(connection)
    versions: dict[str, dict[int, JourneyVersion]] = {}
    kept = journey_versions.c
    columns = select(kept.journey, kept.version, kept.definition, kept.published_at)
    for row in connection.execute(columns.order_by(kept.journey, kept.version)):
        definition = limit_store.limited_journey(row.definition, limits)
        version = JourneyVersion(row.version, definition, row.published_at)
        versions.setdefault(row.journey, {})[row.version] = version
    journey_rows = connection.execute(select(journeys.c.name, journeys.c.state).order_by(journeys.c.name))
    return Catalog(
        profile=connection.scalar(select(profile_schema.c.definition)),
        revision=revision,
        events={row.name: row.definition for row in event_rows},
        endpoints={key: limit_store.limited(value, limits.get(key)) for key, value in published.items()},
        journeys={row.name: JourneyRecord(row.name, row.state, versions[row.name]) for row in journey_rows},
        published_endpoints=published,
        limits=limits,
        drafts=dict(_drafts(connection, versions)),
    )


def _drafts(
    connection: Connection, versions: Mapping[str, Mapping[int, JourneyVersion]]
) -> Iterator[tuple[str, JourneyVersion]]:
    kept = journey_drafts.c
    columns = select(kept.journey, kept.definition, kept.saved_at).order_by(kept.journey)
    for row in connection.execute(columns):
        number = max(versions.get(row.journey, {0: None})) + 1
        yield row.journey, JourneyVersion(number, {**row.definition, "version": number}, row.saved_at)


def _endpoint_key(key: str) -> tuple[str, str]:
    kind, _, name = key.partition(":")
    return kind, name
