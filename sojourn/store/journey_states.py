"""Changing the state of journeys: each change is one transaction, and the table of the lifecycle decides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, delete, func, select, update

from sojourn.contract.journey_states import Act, ActRefused, JourneyState, Kind, allow, refused_draft
from sojourn.definitions.hashing import content_hash
from sojourn.store import operations as work
from sojourn.store.operations import Operation
from sojourn.store.publish import Publication, PublishResult, add_version, publish
from sojourn.store.revision import bump_revision, lock_revision
from sojourn.store.tables import journey_drafts, journey_versions, journeys


@dataclass(frozen=True, slots=True)
class Steered:
    """What an act did to a journey.

    Attributes:
        state: The journey's state now.
        version: Its newest version.
        operation: What is done with the instances in the background, where anything is.
    """

    state: JourneyState
    version: int
    operation: Operation | None = None


class UnknownVersion(Exception):
    """The journey has no such version.

    Attributes:
        latest: Its newest one.
    """

    def __init__(self, latest: int) -> None:
        super().__init__(f"the latest version is {latest}")
        self.latest = latest


class NoDraft(Exception):
    """The journey has no draft."""


def act(connection: Connection, journey: str, what: Act) -> Steered | None:
    """Close, pause, resume, stop or reopen a journey; None where there is none of that name.

    Raises:
        ActRefused: Its state does not allow that.
    """
    lock_revision(connection)
    found = _standing(connection, journey)
    if found is None:
        return None
    state, version = found
    cell = allow(journey, state, what)
    if what == "reopen":
        version = _again(connection, journey, version)
    _set(connection, journey, cell.state)
    operation = (
        work.begin(connection, journey, cell.operation, through=version)
        if cell.operation is not None
        else None
    )
    return Steered(cell.state, version, operation)


def act_on_version(connection: Connection, journey: str, what: Kind, version: int) -> Steered | None:
    """Pause, resume or stop the instances of one version; None where there is no journey of that name.

    Raises:
        ActRefused: Profiles enter that version, or the journey is a draft.
        UnknownVersion: The journey has no such version.
    """
    found = _with_versions(connection, journey)
    if found is None:
        return None
    state, latest = found
    if not 1 <= version <= latest:
        raise UnknownVersion(latest)
    if version == latest and state == "live" and what != "resume":
        raise ActRefused(
            f"{journey} is live, and version {version} is the one that profiles enter. "
            f"{what.capitalize()} the journey, or publish a new version first.",
            state,
        )
    return Steered(state, latest, work.begin(connection, journey, what, through=latest, version=version))


def move(connection: Connection, journey: str, version: int | None) -> Steered | None:
    """Move instances to the newest version; None where there is no journey of that name.

    Args:
        connection: A transaction.
        journey: The journey's name.
        version: Only those in this version; None: those in all earlier ones.

    Raises:
        ActRefused: The journey is a draft, or the version is its newest.
        UnknownVersion: It has no such version.
    """
    found = _with_versions(connection, journey)
    if found is None:
        return None
    state, latest = found
    if version is not None and not 1 <= version <= latest:
        raise UnknownVersion(latest)
    if version == latest:
        raise ActRefused(
            f"Version {latest} of {journey} is the newest: there is none to move its instances to.", state
        )
    operation = work.begin(connection, journey, work.MOVE, through=latest - 1, version=version)
    return Steered(state, latest, operation)


def publish_draft(connection: Connection, journey: str) -> PublishResult | None:
    """Make a draft a version, with the events and endpoints that it was saved with; None where there is no journey.

    What was published since the draft was saved stays as it is.

    Raises:
        NoDraft: The journey has none.
    """
    lock_revision(connection)
    row = connection.execute(select(journey_drafts).where(journey_drafts.c.journey == journey)).first()
    if row is None:
        if _standing(connection, journey) is None:
            return None
        raise NoDraft
    project: Mapping[str, Any] = row.project
    publication = Publication(
        events=project["events"],
        endpoints={(kind, name): value for kind, name, value in project["endpoints"]},
        journeys={journey: row.definition},
        sources=row.sources,
        profile=project["profile"],
        unless_since=row.saved_at,
    )
    return publish(connection, publication)


def discard_draft(connection: Connection, journey: str) -> bool | None:
    """Forget a draft. Returns False where the journey has none, None where there is no journey."""
    lock_revision(connection)
    gone = connection.execute(delete(journey_drafts).where(journey_drafts.c.journey == journey)).rowcount
    if gone:
        bump_revision(connection)
        return True
    return None if _standing(connection, journey) is None else False


def finish(connection: Connection, journey: str, state: JourneyState, version: int) -> bool:
    """Set a journey to finished, if it is still as it was when that was found out. Returns whether it was."""
    lock_revision(connection)
    if _standing(connection, journey) != (state, version):
        return False
    _set(connection, journey, "finished")
    return True


def _standing(connection: Connection, journey: str) -> tuple[JourneyState, int] | None:
    """Return the state of a journey and its newest version, 0 for one that is a draft only."""
    of_journey = journeys.c.name == journey
    # Entries that are being reserved read the state under a shared lock: behind this one, they see the new state.
    state = connection.execute(select(journeys.c.state).where(of_journey).with_for_update()).scalar()
    if state is None:
        draft = select(journey_drafts.c.journey).where(journey_drafts.c.journey == journey)
        return None if connection.execute(draft).first() is None else ("draft", 0)
    newest = select(func.max(journey_versions.c.version)).where(journey_versions.c.journey == journey)
    return state, int(connection.execute(newest).scalar_one())


def _with_versions(connection: Connection, journey: str) -> tuple[JourneyState, int] | None:
    """Return the state and the newest version of a journey whose instances are to be steered, behind the lock.

    Raises:
        ActRefused: The journey is a draft.
    """
    lock_revision(connection)
    found = _standing(connection, journey)
    if found is not None and found[0] == "draft":
        raise refused_draft(journey)
    return found


def _set(connection: Connection, journey: str, state: JourneyState) -> None:
    values = {"state": state, "updated_at": datetime.now(UTC)}
    connection.execute(update(journeys).where(journeys.c.name == journey).values(**values))
    bump_revision(connection)


def _again(connection: Connection, journey: str, version: int) -> int:
    """Publish the newest version once more, under the next number."""
    kept = journey_versions.c
    query = select(kept.definition, kept.sources).where(kept.journey == journey, kept.version == version)
    row = connection.execute(query).one()
    plain = {key: value for key, value in row.definition.items() if key != "version"}
    add_version(connection, journey, version + 1, plain, row.sources, content_hash(plain))
    return version + 1
