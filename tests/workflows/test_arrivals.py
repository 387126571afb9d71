"""Arrivals: events and exits take effect in their order, each once, whenever they are processed."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.workflows.engine.arrivals import Arrivals
from sojourn.workflows.engine.endings import Ending, StepError
from sojourn.workflows.engine.instance import Instance
from sojourn.workflows.engine.messages import EventMessage
from sojourn.workflows.engine.state import State
from sojourn.workflows.start import parse_start
from tests.workflows.test_carried import scenario_start

AT_ONCE, BY_PROFILE = "event.order == 99", 'profile.tier == "gold"'


class ReadProfile:
    """A profile whose reading takes some turns of the event loop, and may fail."""

    def __init__(self, turns: int = 1, failures: int = 0) -> None:
        self.turns, self.failures, self.reads = turns, failures, 0

    def forget(self) -> None:
        """Do nothing: every reading here is new."""

    def named_in(self, when: str | None) -> bool:
        """Return whether a condition names the profile."""
        return when is not None and "profile" in when

    async def read(self, *, patient: bool = False) -> None:
        """Read, unless it is to fail; patient readings fail only if all do."""
        self.reads += 1
        for _ in range(self.turns):
            await asyncio.sleep(0)
        if self.failures and not patient:
            self.failures -= 1
            raise StepError("network", "no worker")


@dataclass
class Host:
    """What arrivals need of an instance."""

    state: State
    profile: ReadProfile
    cancelled: int = 0
    fitted: list[str] = field(default_factory=list)

    def fits(self, criterion: dict[str, Any], event: EventMessage, place: str) -> bool:
        """Say of each event itself whether it meets a criterion."""
        self.fitted.append(place)
        return bool(event.data.get("gold" if criterion["when"] == BY_PROFILE else "leaves"))

    def cancel_steps(self) -> None:
        """Count the cancellations."""
        self.cancelled += 1


def made(profile: ReadProfile | None = None, *, pending: int = 100) -> tuple[Arrivals, Host]:
    """Return the arrivals of an instance that just began, with an exit of each kind."""
    start = scenario_start()
    del start["state"]
    start["definition"]["max_pending"] = pending
    host = Host(State(parse_start(start)), profile or ReadProfile())
    return Arrivals(cast("Instance", host)), host


def event(identity: str, name: str = "answered", **data: Any) -> EventMessage:
    """Return an event."""
    return EventMessage(identity, name, datetime(2026, 5, 1, 9, 30, tzinfo=UTC), data)


async def settled() -> None:
    """Let everything happen that can."""
    for _ in range(60):
        await asyncio.sleep(0)


def pending(host: Host) -> list[str]:
    """Take all pending events; return their ids."""
    ids = []
    while (one := host.state.inbox.take()) is not None:
        ids.append(one.id)
    return ids


ARRIVALS = st.lists(
    st.one_of(
        st.builds(
            event,
            st.sampled_from([f"e{number}" for number in range(1, 9)]),
            st.sampled_from(["answered", "left", "unheard"]),
            gold=st.sampled_from([False, False, True]),
            leaves=st.sampled_from([False, False, False, True]),
        ),
        st.builds(Ending, st.just("exited"), st.sampled_from(["stop", "end"])),
    ),
    max_size=10,
)


def expected(arrivals: list[EventMessage | Ending]) -> tuple[bool, list[str]]:
    """Return whether the instance ends, and which events its steps get before that, at the most."""
    known, heard = set[str](), list[str]()
    for arrival in arrivals:
        if isinstance(arrival, Ending):
            return True, heard
        if arrival.id in known:
            continue
        known.add(arrival.id)
        if arrival.name == "left" and (arrival.data["gold"] or arrival.data["leaves"]):
            return True, heard
        if arrival.name != "unheard":
            heard.append(arrival.id)
    return False, heard


@given(
    arrivals=ARRIVALS,
    modes=st.lists(
        st.sampled_from(["one by one", "drain", "next", "turn", "nothing"]), min_size=10, max_size=10
    ),
    turns=st.integers(0, 3),
    failures=st.integers(0, 2),
)
def test_order_and_exits_do_not_depend_on_when_arrivals_are_processed(
    arrivals: list[EventMessage | Ending], modes: list[str], turns: int, failures: int
) -> None:
    """However steps and signals interleave: an exit ends the instance, and without one no event is lost or reordered."""

    async def play() -> tuple[Arrivals, Host]:
        found, host = made(ReadProfile(turns, failures))
        found.set_one_by_one(False)
        for arrival, mode in zip(arrivals, modes, strict=False):
            if mode == "one by one":
                found.set_one_by_one(True)
            elif mode == "drain":
                found.set_one_by_one(False)
            if isinstance(arrival, Ending):
                found.enqueue(arrival)
            else:
                found.receive(arrival)
            if mode == "next" and found and found.ending is None:
                found.process_next()
            elif mode == "turn":
                await asyncio.sleep(0)
        found.drain()
        await settled()
        return found, host

    found, host = asyncio.run(play())
    ends, heard = expected(arrivals)
    got = pending(host)
    assert (found.ending is not None) == ends
    assert host.cancelled == int(ends)
    if not ends:
        assert not found.holding
        assert got == heard
        assert not found
        assert not host.state.undecided
    elif failures == 0:
        # Only what came before the exit; what was held until the exit was decided is gone with the instance.
        assert got == heard[: len(got)]


async def test_the_first_exit_wins() -> None:
    """A second one changes nothing, and later events are not even counted as known."""
    found, host = made()
    found.set_one_by_one(False)
    found.enqueue(Ending("exited", "first"))
    found.enqueue(Ending("exited", "second"))
    found.receive(event("e1"))
    assert found.ending == Ending("exited", "first")
    assert host.cancelled == 1
    assert not host.state.inbox.knows("e1")
    with pytest.raises(asyncio.CancelledError):
        found.check_ended()


async def test_an_event_before_an_exit_is_looked_at_first_by_a_wait() -> None:
    """While a wait processes arrivals one by one, an exit does not undo the event before it."""
    found, host = made()
    found.receive(event("e1"))
    found.enqueue(Ending("exited", "operator"))
    assert found.ending is None
    assert cast("EventMessage", found.coming).id == "e1"
    found.process_next()
    assert (found.ending, pending(host)) == (None, ["e1"])
    assert isinstance(found.coming, Ending)
    found.process_next()
    assert found.ending == Ending("exited", "operator")


async def test_pending_events_come_before_arrivals() -> None:
    """What was processed already is offered first."""
    found, host = made()
    found.receive(event("e1"))
    found.process_next()
    found.receive(event("e2"))
    assert cast("EventMessage", found.coming).id == "e1"
    assert pending(host) == ["e1"]
    assert cast("EventMessage", found.coming).id == "e2"


async def test_leaving_a_wait_processes_what_is_left_only_if_no_other_wait_begins() -> None:
    """A wait that follows at once finds the arrivals in their order; otherwise they are processed."""
    found, host = made()
    found.receive(event("e1"))
    found.set_one_by_one(False)
    found.set_one_by_one(True)
    await settled()
    assert len(found) == 1
    found.set_one_by_one(False)
    await settled()
    assert len(found) == 0
    assert pending(host) == ["e1"]


async def test_no_event_overtakes_one_that_is_held() -> None:
    """Until the profile is read, later events are held too, and no step begins."""
    found, host = made(ReadProfile(turns=3))
    found.set_one_by_one(False)
    found.receive(event("e1", "left", gold=False))
    found.receive(event("e2"))
    assert found.holding
    assert pending(host) == []
    await settled()
    assert not found.holding
    assert pending(host) == ["e1", "e2"]
    assert host.profile.reads == 1


async def test_a_held_exit_ends_the_instance_and_drops_what_came_after() -> None:
    """Its text is the criterion."""
    found, host = made(ReadProfile(turns=3))
    found.set_one_by_one(False)
    for one in (event("e1", "left", gold=True), event("e2")):
        found.receive(one)
    await settled()
    assert found.ending == Ending("exited", f"left when {BY_PROFILE}")
    assert pending(host) == []


async def test_an_exit_that_needs_no_profile_does_not_wait_for_one_that_does() -> None:
    """It ends the instance while an earlier event is still held."""
    found, _ = made(ReadProfile(turns=50))
    found.set_one_by_one(False)
    found.receive(event("e1", "left", gold=False))
    found.receive(event("e2", "left", leaves=True))
    assert found.ending == Ending("exited", f"left when {AT_ONCE}")


async def test_events_go_on_if_the_profile_cannot_be_read_and_are_decided_later() -> None:
    """The steps get them, and the exit takes effect as soon as a worker can read the profile."""
    found, host = made(ReadProfile(turns=1, failures=1))
    found.set_one_by_one(False)
    found.receive(event("e1", "left", gold=True))
    found.receive(event("e2"))
    await settled()
    assert pending(host) == ["e1", "e2"]
    assert found.ending == Ending("exited", f"left when {BY_PROFILE}")
    assert any("decided later" in record["result"] for record in host.state.trace.entries)


@pytest.mark.parametrize("most", [1, 2, 5])
async def test_what_is_held_is_bounded(most: int) -> None:
    """Above the bound, events are dropped and counted; the trace says so once for each visit of a step."""
    found, host = made(ReadProfile(turns=3), pending=most)
    found.set_one_by_one(False)
    found.receive(event("first", "left", gold=False))
    for number in range(10):
        found.receive(event(f"x{number}"))
    await settled()
    assert len(pending(host)) == most
    assert host.state.inbox.dropped == 11 - most
    assert sum("dropped" in record["result"] for record in host.state.trace.entries) == 1
    assert found.fit_in_inbox()


async def test_a_burst_fits_or_does_not() -> None:
    """What waits in the queue fits if all of it could be pending; exits and unheard events take no room."""
    found, _ = made(pending=2)
    for one in (event("e1"), event("u1", "unheard"), event("e2")):
        found.receive(one)
    found.enqueue(Ending("exited", "x"))
    assert found.fit_in_inbox()
    found.receive(event("e3"))
    assert not found.fit_in_inbox()
