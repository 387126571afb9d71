"""What publishing refuses of a new version."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from sojourn.store.entries.records import Claim, Confirm, Move
from sojourn.store.publish import Publication
from sojourn.store.version_rules import PublicationRefused
from tests.routing.world import journey
from tests.store.databases import OpenStore

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def jumping(name: str, *others: str, **more: Any) -> dict[str, Any]:
    """A journey that jumps to others."""
    steps = {
        f"to-{other}": {"kind": "jump", "journey": other, "with": None, "next": None} for other in others
    }
    return journey(name, steps={"only": {"kind": "end"}, **steps}, **more)


def of(*journeys: dict[str, Any]) -> Publication:
    """A project with these journeys."""
    return Publication(journeys={item["name"]: item for item in journeys})


async def test_re_entry_stays_as_it_is_once_somebody_has_entered(open_store: OpenStore) -> None:
    """Before that, and how long after, it may change."""
    store = await open_store()
    once, again = ({"allow": allow, "after": 300} for allow in (False, True))
    await store.publish_json(of(journey("j", reentry=once)))
    await store.publish_json(of(journey("j", reentry=again)))
    verdict = await store.ledger.reserve(Claim("j", "ada", "e1", "j:ada", 2, NOW, allow=True, after=0))
    assert verdict.entry is not None
    await store.ledger.write(Confirm(verdict.entry, NOW))
    with pytest.raises(PublicationRefused) as caught:
        await store.publish_json(of(journey("j", reentry=once), journey("new")))
    (rule,) = caught.value.rules
    assert (rule.journey, rule.field, rule.code) == ("j", "reentry.allow", "E503")
    assert "another name" in rule.hint
    assert sorted((await store.catalog()).journeys) == ["j"]
    result = await store.publish_json(of(journey("j", reentry={"allow": True, "after": 60})))
    assert result.published == [("j", 3)]


async def test_jumps_lead_somewhere(open_store: OpenStore) -> None:
    """A journey of another project will do, if it is published."""
    store = await open_store()
    with pytest.raises(PublicationRefused, match="no journey of that name is published") as caught:
        await store.publish_json(of(jumping("a", "b")))
    assert [rule.code for rule in caught.value.rules] == ["E307"]
    await store.publish_json(of(jumping("b")))
    assert (await store.publish_json(of(jumping("a", "b")))).published == [("a", 1)]


async def test_jumps_over_several_projects_close_no_circle(open_store: OpenStore) -> None:
    """The newest version of each journey counts."""
    store = await open_store()
    await store.publish_json(of(jumping("c")))
    await store.publish_json(of(jumping("b", "c")))
    await store.publish_json(of(jumping("a", "b")))
    with pytest.raises(PublicationRefused, match="`c` → `a` → `b` → `c` jump in a circle") as caught:
        await store.publish_json(of(jumping("c", "a")))
    assert [rule.code for rule in caught.value.rules] == ["E310"]
    await store.publish_json(of(jumping("b")))
    assert (await store.publish_json(of(jumping("c", "a")))).published == [("c", 2)]


async def test_an_entry_follows_its_instance(open_store: OpenStore) -> None:
    """Of a moved instance, the ledger knows the version; what comes late sets it back no more."""
    store = await open_store()
    await store.publish_json(of(journey("j")))
    verdict = await store.ledger.reserve(Claim("j", "ada", "e1", "j:ada", 1, NOW, allow=True, after=0))
    assert verdict.entry is not None
    await store.ledger.write(Confirm(verdict.entry, NOW))
    for version in (3, 2):
        await store.ledger.write(Move("j", "ada", "j:ada", version))
    await store.ledger.write(Move("j", "ada", "j:another", 9))
    look = await store.ledger.look("j", "ada", None)
    assert look.entry is not None
    assert look.entry.version == 3
