"""What can be done in which state: every cell of the table, on both databases; drafts; the page made of the table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sojourn.contract.journey_states import (
    ACTS,
    STATES,
    TABLE,
    Act,
    ActRefused,
    Allowed,
    Refused,
    markdown,
    possible,
)
from sojourn.store import Store, journey_states
from sojourn.store.journey_states import NoDraft, Steered, UnknownVersion
from sojourn.store.publish import Publication
from tests.routing.world import event_definition, journey

ROOT = Path(__file__).parents[2]
PUBLISHED = [state for state in STATES if state != "draft"]
STEERING: list[Act] = [act for act in ACTS if act != "publish"]


def publication(name: str = "j", **more: Any) -> Publication:
    """A journey with its event; other texts make other versions."""
    events = {"cart.updated": event_definition("cart.updated")}
    return Publication(events=events, journeys={name: journey(name, **more)})


async def steer(store: Store, what: Act, name: str = "j") -> Steered | None:
    """Do something with a journey."""
    return await store.change(lambda connection: journey_states.act(connection, name, what))


async def in_state(store: Store, state: Any) -> None:
    """Bring the journey into a state, with version 1; or save it as a draft."""
    await store.publish_json(publication(), draft=state == "draft")
    if state != "draft":
        await store.set_state("j", state)


async def state_of(store: Store) -> str:
    """The state as routing and the API see it."""
    catalog = await store.catalog()
    return catalog.journeys["j"].state if "j" in catalog.journeys else "draft"


def test_every_cell_of_the_table_is_filled() -> None:
    """No state and no act is forgotten, and what is refused says what is possible instead."""
    assert set(TABLE) == set(STATES)
    for state, row in TABLE.items():
        assert set(row) == set(ACTS), state
        for cell in row.values():
            if isinstance(cell, Refused):
                assert cell.reason.startswith("is ")
                assert cell.instead.endswith(".")
                assert possible(state)


@pytest.mark.parametrize("what", STEERING)
@pytest.mark.parametrize("state", STATES)
async def test_each_act_does_in_each_state_what_the_table_says(store: Store, state: Any, what: Act) -> None:
    """It leads to the state in the table with the operation in the table, or is refused and changes nothing."""
    await in_state(store, state)
    cell = TABLE[state][what]
    if isinstance(cell, Refused):
        with pytest.raises(ActRefused) as refused:
            await steer(store, what)
        assert refused.value.message == f"j {cell.reason}. {cell.instead}"
        assert (refused.value.state, refused.value.possible) == (state, possible(state))
        assert await state_of(store) == state
        assert await store.operations.list() == []
        return
    steered = await steer(store, what)
    assert steered is not None
    assert steered.state == cell.state == await state_of(store)
    assert [operation.kind for operation in await store.operations.list()] == (
        [] if cell.operation is None else [cell.operation]
    )
    assert steered.version == (2 if what == "reopen" else 1)


@pytest.mark.parametrize("state", STATES)
async def test_publishing_does_in_each_state_what_the_table_says(store: Store, state: Any) -> None:
    """A new version of a project, in every state; what has not changed makes none, and leaves the state alone."""
    await in_state(store, state)
    if state != "draft":
        assert (await store.publish_json(publication())).unchanged == ["j"]
        assert await state_of(store) == state
    result = await store.publish_json(publication(description="other"))
    cell = TABLE[state]["publish"]
    assert isinstance(cell, Allowed)
    assert result.published == [("j", 1 if state == "draft" else 2)]
    assert await state_of(store) == cell.state


@pytest.mark.parametrize("state", STATES)
async def test_a_draft_does_the_same_when_it_is_published(store: Store, state: Any) -> None:
    """It changes nothing while it is one; then it is the next version."""
    await in_state(store, state)
    await store.publish_json(publication(description="draft"), draft=True)
    assert await state_of(store) == state
    catalog = await store.catalog()
    number = 1 if state == "draft" else 2
    assert catalog.drafts["j"].version == number
    result = await store.change(lambda connection: journey_states.publish_draft(connection, "j"))
    assert result is not None
    assert result.published == [("j", number)]
    cell = TABLE[state]["publish"]
    assert isinstance(cell, Allowed)
    assert await state_of(store) == cell.state
    catalog = await store.catalog()
    assert catalog.drafts == {}
    assert catalog.journeys["j"].latest.definition["description"] == "draft"


async def test_a_draft_takes_the_place_of_the_one_before(store: Store) -> None:
    """There is one draft of a journey; the same as what is published is none."""
    await store.publish_json(publication())
    for text in ("first", "second"):
        result = await store.publish_json(publication(description=text), draft=True)
        assert result.drafts == [("j", 2)]
    assert (await store.catalog()).drafts["j"].definition["description"] == "second"
    assert (await store.publish_json(publication(), draft=True)).unchanged == ["j"]
    assert (await store.catalog()).drafts == {}
    with pytest.raises(NoDraft):
        await store.change(lambda connection: journey_states.publish_draft(connection, "j"))


async def test_a_draft_leaves_events_alone_until_it_is_published(store: Store) -> None:
    """Its events and endpoints come with it, but for those that were published in between."""
    await store.publish_json(publication())
    changed = Publication(
        events={
            "cart.updated": event_definition("cart.updated", key="event.other"),
            "cart.left": event_definition("cart.left"),
        },
        journeys={"j": journey("j", description="draft")},
    )
    await store.publish_json(changed, draft=True)
    catalog = await store.catalog()
    assert catalog.events == {"cart.updated": event_definition("cart.updated")}
    between = event_definition("cart.updated", key="event.between")
    await store.publish_json(Publication(events={"cart.updated": between}))
    await store.change(lambda connection: journey_states.publish_draft(connection, "j"))
    catalog = await store.catalog()
    assert catalog.events == {"cart.updated": between, "cart.left": event_definition("cart.left")}


async def test_a_draft_can_be_discarded(store: Store) -> None:
    """A journey that was nothing else is gone with it."""
    await store.publish_json(publication(), draft=True)
    discard = lambda connection: journey_states.discard_draft(connection, "j")  # noqa: E731
    assert await store.change(discard) is True
    assert (await store.catalog()).drafts == {}
    assert await store.change(discard) is None
    await store.publish_json(publication())
    assert await store.change(discard) is False


async def test_only_a_version_that_nobody_enters_is_paused_alone(store: Store) -> None:
    """The newest of a live journey is refused, a version that there is not is another problem."""
    await store.publish_json(publication())
    await store.publish_json(publication(description="second"))

    async def on(version: int, what: Any = "pause") -> Steered | None:
        return await store.change(
            lambda connection: journey_states.act_on_version(connection, "j", what, version)
        )

    steered = await on(1)
    assert steered is not None
    assert steered.operation is not None
    assert (steered.state, steered.operation.version) == ("live", 1)
    with pytest.raises(ActRefused, match="version 2 is the one that profiles enter"):
        await on(2)
    with pytest.raises(UnknownVersion):
        await on(3)
    assert await on(2, "resume") is not None
    await steer(store, "close")
    assert await on(2, "stop") is not None


@pytest.mark.parametrize(
    ("first", "second", "superseded"),
    [
        ((None, "pause"), (None, "resume"), True),
        ((1, "pause"), (None, "stop"), True),
        ((1, "pause"), (1, "resume"), True),
        ((None, "pause"), (1, "resume"), False),
    ],
)
async def test_an_operation_supersedes_those_over_the_same_instances(
    store: Store, first: Any, second: Any, superseded: bool
) -> None:
    """One over all instances those over one version; never the other way round."""
    await store.publish_json(publication())
    await store.publish_json(publication(description="second"))
    for version, what in (first, second):
        if version is None:
            await steer(store, what)
        else:
            await store.change(
                lambda connection, what=what: journey_states.act_on_version(connection, "j", what, 1)  # type: ignore[misc]
            )
    later, earlier = await store.operations.list()
    assert (later.state, earlier.state) == ("running", "superseded" if superseded else "running")


async def test_nothing_is_done_with_a_journey_that_there_is_not(store: Store) -> None:
    """None says so."""
    assert await steer(store, "pause", "nobody") is None
    assert await store.change(lambda connection: journey_states.publish_draft(connection, "nobody")) is None


def test_the_page_is_up_to_date() -> None:
    """Made from the code: `python -m sojourn.contract.journey_states > docs/reference/lifecycle.md`."""
    assert (ROOT / "docs/reference/lifecycle.md").read_text("utf-8") == markdown()
