"""Publishing: new versions of what changed, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection, Table, and_, delete, func, insert, select, update

from sojourn.contract.journey_states import JourneyState
from sojourn.definitions.compiled import jump_targets
from sojourn.definitions.hashing import content_hash
from sojourn.store import version_rules
from sojourn.store.limits import read_limits
from sojourn.store.revision import bump_revision, lock_revision
from sojourn.store.tables import (
    endpoints,
    entries,
    events,
    journey_drafts,
    journey_versions,
    journeys,
    profile_schema,
)


@dataclass(slots=True)
class PublishResult:
    """What a publication changed.

    Attributes:
        published: Name and number of each new journey version.
        drafts: Name and number of each draft that was saved: the version that it is to become.
        unchanged: Journeys whose newest version says the same already.
        events_changed: Names of new and changed event definitions.
        endpoints_changed: New and changed endpoints, as `source:NAME` or `action:NAME`.
        overridden: Endpoints of the publication, as (kind, name), with the limits that operators set for them:
            those stay in force.
        profile_changed: Whether what is said of profiles is new.
    """

    published: list[tuple[str, int]] = field(default_factory=list)
    drafts: list[tuple[str, int]] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    events_changed: list[str] = field(default_factory=list)
    endpoints_changed: list[str] = field(default_factory=list)
    overridden: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    profile_changed: bool = False

    @property
    def changed(self) -> bool:
        """Whether anything is new."""
        return bool(self.published or self.events_changed or self.endpoints_changed or self.profile_changed)


@dataclass(frozen=True, slots=True)
class Publication:
    """What is to be published, as plain JSON.

    Attributes:
        events: Event definitions, by name.
        endpoints: Endpoint definitions, by (kind, name).
        journeys: Compiled journeys without version, by name.
        sources: The texts of the project's files, kept with each new version.
        profile: What it says of profiles; None leaves what is there.
        unless_since: Events, endpoints and profile schemas that were changed since then stay as they are.
    """

    events: Mapping[str, Any] = field(default_factory=dict)
    endpoints: Mapping[tuple[str, str], Any] = field(default_factory=dict)
    journeys: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    sources: Mapping[str, str] | None = None
    profile: Mapping[str, Any] | None = None
    unless_since: datetime | None = None


def publish(connection: Connection, publication: Publication) -> PublishResult:
    """Store what is new in a publication.

    What an earlier publication had and this one has not stays: several projects may share a database.

    Args:
        connection: In a transaction of its own.
        publication: What to store.

    Returns:
        What changed. A journey whose compiled definition is that of its newest version gets no new one.

    Raises:
        PublicationRefused: A new version breaks a rule of versions.
    """
    # One publisher at a time: two that publish the same at once must not both make a version of it.
    lock_revision(connection)
    result = PublishResult()
    for name, definition in sorted(publication.events.items()):
        if _put(connection, events, {"name": name}, definition, publication.unless_since):
            result.events_changed.append(name)
    for (kind, name), definition in sorted(publication.endpoints.items()):
        key = {"kind": kind, "name": name}
        if _put(connection, endpoints, key, definition, publication.unless_since):
            result.endpoints_changed.append(f"{kind}:{name}")
    set_by_operators = read_limits(connection) if publication.endpoints else {}
    result.overridden = {
        key: limits.values()
        for key, limits in sorted(set_by_operators.items())
        if key in publication.endpoints
    }
    if publication.profile is not None:
        profile = dict(publication.profile)
        result.profile_changed = _put(
            connection, profile_schema, {"id": 1}, profile, publication.unless_since
        )
    broken = [rule for rule in map(partial(_broken, connection), publication.journeys.values()) if rule]
    if any(map(jump_targets, publication.journeys.values())):
        broken += version_rules.jumps(_newest(connection), publication.journeys)
    if broken:
        raise version_rules.PublicationRefused(broken)
    for name, definition in sorted(publication.journeys.items()):
        version = _publish_journey(connection, name, definition, publication.sources)
        if version is None:
            result.unchanged.append(name)
        else:
            result.published.append((name, version))
    if result.changed:
        bump_revision(connection)
    return result


def set_state(connection: Connection, journey: str, state: JourneyState) -> bool:
    """Set the state of a journey's newest version. Returns False where there is no such journey."""
    values = {"state": state, "updated_at": datetime.now(UTC)}
    result = connection.execute(update(journeys).where(journeys.c.name == journey).values(**values))
    bump_revision(connection)
    return bool(result.rowcount)


def save_drafts(connection: Connection, publication: Publication) -> PublishResult:
    """Keep the journeys of a publication as drafts, in place of earlier ones. Nothing that is live changes.

    Args:
        connection: In a transaction of its own.
        publication: What to keep. Its events, endpoints and profile schema are kept with each draft.

    Returns:
        What was kept. A journey whose compiled definition is that of its newest version has no draft afterwards.
    """
    lock_revision(connection)
    result = PublishResult()
    project = {
        "events": dict(publication.events),
        "endpoints": [[kind, name, value] for (kind, name), value in publication.endpoints.items()],
        "profile": None if publication.profile is None else dict(publication.profile),
    }
    for name, definition in sorted(publication.journeys.items()):
        plain = {key: value for key, value in definition.items() if key != "version"}
        digest, latest = content_hash(plain), _latest(connection, name)
        connection.execute(delete(journey_drafts).where(journey_drafts.c.journey == name))
        if latest is not None and latest.hash == digest:
            result.unchanged.append(name)
            continue
        values = {"definition": plain, "project": project, "hash": digest, "saved_at": datetime.now(UTC)}
        sources = None if publication.sources is None else dict(publication.sources)
        connection.execute(insert(journey_drafts).values(journey=name, sources=sources, **values))
        result.drafts.append((name, 1 if latest is None else latest.version + 1))
    bump_revision(connection)
    return result


def _put(
    connection: Connection,
    table: Table,
    key: dict[str, Any],
    definition: Any,
    unless_since: datetime | None = None,
) -> bool:
    digest = content_hash(definition)
    same_key = and_(*(table.c[column] == value for column, value in key.items()))
    found = connection.execute(select(table.c.hash, table.c.updated_at).where(same_key)).first()
    stored = None if found is None else found.hash
    if found is not None and unless_since is not None and found.updated_at > unless_since:
        return False
    if stored == digest:
        return False
    values = {"definition": definition, "hash": digest, "updated_at": datetime.now(UTC)}
    statement = insert(table).values(**key, **values)
    connection.execute(statement if stored is None else update(table).where(same_key).values(**values))
    return True


def _publish_journey(
    connection: Connection, name: str, definition: dict[str, Any], sources: Mapping[str, str] | None
) -> int | None:
    plain = {key: value for key, value in definition.items() if key != "version"}
    digest, latest = content_hash(plain), _latest(connection, name)
    if latest is not None and latest.hash == digest:
        return None
    version = 1 if latest is None else latest.version + 1
    add_version(connection, name, version, plain, sources, digest)
    connection.execute(delete(journey_drafts).where(journey_drafts.c.journey == name))
    now = datetime.now(UTC)
    if latest is None:
        connection.execute(insert(journeys).values(name=name, state="live", updated_at=now))
    else:
        # A paused journey stays paused: a correction must not let customers in before someone resumes it.
        revived = (journeys.c.name == name) & (journeys.c.state != "paused")
        connection.execute(update(journeys).where(revived).values(state="live", updated_at=now))
    return version


def _broken(connection: Connection, definition: dict[str, Any]) -> version_rules.BrokenRule | None:
    """Return the rule of versions that a journey breaks, if it breaks one."""
    name = definition["name"]
    latest = _latest(connection, name)
    state = connection.execute(select(journeys.c.state).where(journeys.c.name == name)).scalar()
    if latest is None or state is None:
        return None
    entered = connection.execute(select(entries.c.journey).where(entries.c.journey == name).limit(1)).first()
    return version_rules.second_key(latest.definition, definition, state) or version_rules.once_only(
        latest.definition, definition, entered=entered is not None
    )


def _newest(connection: Connection) -> dict[str, dict[str, Any]]:
    """Return the definition of each journey's newest version."""
    kept = journey_versions.c
    rows = connection.execute(select(kept.journey, kept.definition).order_by(kept.journey, kept.version))
    return {row.journey: row.definition for row in rows}


def _latest(connection: Connection, name: str) -> Any:
    """Return number, hash and definition of a journey's newest version."""
    of_journey = journey_versions.c.journey == name
    newest = select(func.max(journey_versions.c.version)).where(of_journey).scalar_subquery()
    query = select(journey_versions.c.version, journey_versions.c.hash, journey_versions.c.definition)
    found: Any = connection.execute(query.where(of_journey, journey_versions.c.version == newest)).first()
    return found


def add_version(
    connection: Connection,
    name: str,
    version: int,
    plain: dict[str, Any],
    sources: Mapping[str, str] | None,
    digest: str,
) -> None:
    """Store a version of a journey.

    Args:
        connection: In a transaction.
        name: The journey's name.
        version: The number.
        plain: The compiled journey, without version.
        sources: The texts of the project's files.
        digest: `content_hash` of the compiled journey.
    """
    connection.execute(
        insert(journey_versions).values(
            journey=name,
            version=version,
            definition={**plain, "version": version},
            sources=None if sources is None else dict(sources),
            hash=digest,
            published_at=datetime.now(UTC),
        )
    )
