"""What happens when several things reach an instance in one workflow task, and that it happens again on replay.

Each race is run while no worker runs journeys, so that one task brings all of it; then by a worker that keeps the
instance in memory and by one that replays it at every task; and the history of each is replayed once more.
"""

from __future__ import annotations

import asyncio
import contextlib
from datetime import timedelta

import pytest
from temporalio.testing import WorkflowEnvironment

from sojourn.contract import names
from tests.workflows.profiles import Kept
from tests.workflows.racing import Handle, calls, fired, in_one_task, journeys, replays, send, types
from tests.workflows.support import (
    Runner,
    Shop,
    compiled,
    finish,
    fire,
    project,
    running,
    signal,
    state_of,
    steps,
    until_waiting,
)

CACHED = pytest.mark.parametrize("cached", [1000, 0], ids=["cached", "replayed"])


TIMED = """
journey: j
entry: {event: entered}
steps:
  listen:
    wait_for:
      - {event: answered, when: event.amount == 1}
      - {event: other, restart: true}
    timeout: {after: 1h, next: late}
  nap: {wait: {for: 1h}}
  done: {end: answered}
  late:
    wait_for: [{event: answered, next: afterwards}]
    timeout: {after: 1h, next: never}
  afterwards: {end: afterwards}
  never: {end: never}
"""


@CACHED
@pytest.mark.parametrize(
    ("sent", "seconds", "text"),
    [
        ([("answered", 1)], -0.5, "answered"),
        ([("answered", 1)], 0.5, "afterwards"),
        ([("answered", 2)], -0.5, "never"),
        ([("other", 1)], 0.5, "never"),
        ([("answered", 2), ("answered", 1)], -0.5, "answered"),
    ],
    ids=["happened before", "happened behind", "does not fit", "restart behind", "the second fits"],
)
async def test_an_event_and_the_timer(
    temporal: WorkflowEnvironment,
    unique: str,
    cached: int,
    sent: list[tuple[str, int]],
    seconds: float,
    text: str,
) -> None:
    """The event wins unless it says of itself that it happened behind the timer; then the next wait is offered it."""

    async def meanwhile(handle: Handle) -> None:
        moment = await fired(temporal, handle)
        for name, amount in sent:
            await send(handle, name, moment + timedelta(seconds=seconds), amount=amount)

    _, result = await in_one_task(temporal, unique, project(TIMED), "listen", meanwhile, cached)
    assert result["text"] == text


@CACHED
async def test_the_loser_of_a_race_leaves_no_timer(temporal: WorkflowEnvironment, cached: int) -> None:
    """An event that ends a wait cancels its timer: the history says so, and no timer is left of which nobody knows."""
    loaded = project(TIMED.replace("after: 1h, next: late", "after: 5d, next: late"))
    async with running(temporal.client, loaded, cached=cached) as runner:
        with temporal.with_time_skipping_disabled():
            handle = await runner.start(compiled(loaded))
            await until_waiting(handle, "listen")
            await signal(handle, "answered", {"amount": 1})
            await until_waiting(handle, "nap")
        assert (await finish(temporal, handle))["text"] == "answered"
    found = await types(handle)
    # The wait's timer and that of the nap behind it.
    assert found.count("TIMER_STARTED") == 2
    assert (found.count("TIMER_CANCELED"), found.count("TIMER_FIRED")) == (1, 1)
    await replays(handle)


TWO = """
journey: j
entry: {event: entered}
exit_when: [{event: other, when: "event.amount == 9 || size(steps) > 1"}]
steps:
  listen:
    wait_for:
      - {event: answered, when: event.amount == 1, next: first}
      - {event: answered, when: event.amount == 2, next: second}
  first: {set: {way: one}, next: again}
  second: {set: {way: two}, next: again}
  again:
    wait_for: [{event: answered, next: one-more}]
  one-more: {set: {seen: '${events["answered"].amount}'}}
  done: {end: '${default(steps.first.way, "-")} ${default(steps.second.way, "-")} ${steps["one-more"].seen}'}
"""


@CACHED
@pytest.mark.parametrize(
    ("amounts", "text"), [((1, 2), "one - 2"), ((2, 1), "- two 1"), ((3, 2, 1), "- two 1")]
)
async def test_two_fitting_events(
    temporal: WorkflowEnvironment, unique: str, cached: int, amounts: tuple[int, ...], text: str
) -> None:
    """The one that Temporal recorded first decides; the other one is offered to the next wait."""

    async def meanwhile(handle: Handle) -> None:
        for amount in amounts:
            await signal(handle, "answered", {"amount": amount})

    _, result = await in_one_task(temporal, unique, project(TWO), "listen", meanwhile, cached)
    assert result["text"] == text


@CACHED
@pytest.mark.parametrize(
    ("sent", "outcome", "passed"),
    [
        # The exit ends the instance at the next wait, since the event before it counts.
        ([("answered", 1), ("other", 9)], "exited", ["listen", "first", "again"]),
        # Both waits are over before it: the instance has ended when the exit comes.
        ([("answered", 1), ("answered", 3), ("other", 9)], "completed", ["listen", "first", "again", "one-more", "done"]),
        ([("other", 9), ("answered", 1)], "exited", ["listen"]),
        # An event that does not fit changes nothing.
        ([("answered", 5), ("other", 9)], "exited", ["listen"]),
        # A criterion is judged by what is known when its event has its turn: one result is not more than one.
        ([("other", 1), ("answered", 1), ("answered", 2)], "completed", ["listen", "first", "again", "one-more", "done"]),
    ],
    ids=["behind an event", "behind the end", "before an event", "behind one that does not fit", "judged in turn"],
)  # fmt: skip
async def test_an_exit_and_events(
    temporal: WorkflowEnvironment,
    unique: str,
    cached: int,
    sent: list[tuple[str, int]],
    outcome: str,
    passed: list[str],
) -> None:
    """They take effect in the order in which they came."""

    async def meanwhile(handle: Handle) -> None:
        for name, amount in sent:
            await signal(handle, name, {"amount": amount})

    _, result = await in_one_task(temporal, unique, project(TWO), "listen", meanwhile, cached)
    assert result["outcome"] == outcome
    assert steps(result) == passed


@CACHED
async def test_everything_before_the_first_task(
    temporal: WorkflowEnvironment, unique: str, cached: int
) -> None:
    """Events that came before a worker did find the first wait, in their order; the exit comes behind them."""

    async def meanwhile(handle: Handle) -> None:
        await signal(handle, "answered", {"amount": 2})
        await handle.signal(names.SIGNAL_EXIT, "an operator")
        await signal(handle, "answered", {"amount": 1})

    _, result = await in_one_task(temporal, unique, project(TWO), None, meanwhile, cached)
    assert (result["outcome"], result["text"]) == ("exited", "an operator")
    assert steps(result) == ["listen", "second", "again"]


@CACHED
async def test_a_new_run_between_events_changes_nothing(
    temporal: WorkflowEnvironment, unique: str, cached: int
) -> None:
    """Where Temporal suggests a new run while several events have come, each still has its turn before the exit."""

    async def meanwhile(handle: Handle) -> None:
        for number in range(60):
            await signal(handle, "answered", {"amount": 5}, f"passes by {number}")
        for name, amount in (("answered", 1), ("answered", 7), ("other", 9)):
            await signal(handle, name, {"amount": amount})

    loaded = project(TWO)
    with temporal.with_time_skipping_disabled():
        async with journeys(temporal.client, unique, cached):
            handle = await Runner(temporal.client, unique).start(compiled(loaded))
            await until_waiting(handle, "listen")
        await meanwhile(handle)
        async with journeys(temporal.client, unique, cached):
            result = await asyncio.wait_for(handle.result(), 30)
    assert (result["outcome"], result["text"]) == ("completed", "one - 7")


CALLING = """
journey: j
entry: {event: entered}
exit_when: [{event: other}]
steps:
  listen: {wait_for: [{event: answered}]}
  mail: {action: send, with: {to: x, data: 1}, on_error: wrong}
  again: {wait_for: [{event: answered}], timeout: {after: 1h, next: late}}
  done: {end: done}
  late: {end: late}
  wrong: {end: wrong}
"""


@CACHED
async def test_an_exit_behind_an_event_that_leads_to_a_call(
    temporal: WorkflowEnvironment, shop: Shop, unique: str, cached: int
) -> None:
    """The event ends its wait, and the call behind it is not made."""
    loaded = project(CALLING, shop)

    async def meanwhile(handle: Handle) -> None:
        await signal(handle, "answered")
        await signal(handle, "other")

    async with calls(temporal.client, loaded, unique):
        handle, result = await in_one_task(temporal, unique, loaded, "listen", meanwhile, cached)
    assert (result["outcome"], steps(result)) == ("exited", ["listen", "mail"])
    assert "ACTIVITY_TASK_SCHEDULED" not in await types(handle)
    assert not shop.calls


@CACHED
async def test_an_exit_while_paused(temporal: WorkflowEnvironment, unique: str, cached: int) -> None:
    """A pause does not hold an exit up, and the event before both counts."""

    async def meanwhile(handle: Handle) -> None:
        await signal(handle, "answered", {"amount": 1})
        await handle.signal(names.SIGNAL_PAUSE)
        await signal(handle, "other", {"amount": 9})

    _, result = await in_one_task(temporal, unique, project(TWO), "listen", meanwhile, cached)
    assert (result["outcome"], steps(result)) == ("exited", ["listen", "first"])


@CACHED
@pytest.mark.parametrize("kind", ["action", "fetch"])
async def test_an_exit_while_a_call_is_tried_again(
    temporal: WorkflowEnvironment, shop: Shop, cached: int, kind: str
) -> None:
    """It ends the instance between two attempts of an action, and there is no further one.

    The attempts of a fetch are in one workflow task, which signals do not interrupt: it is behind them that it ends.
    """
    shop.answers = lambda call: (503, {})
    written = "action: send, with: {to: x, data: 1}" if kind == "action" else "fetch: crm, with: {id: a}"
    loaded = project(
        "{journey: j, entry: {event: entered}, exit_when: [{event: other}],"
        f" steps: {{mail: {{{written}, on_error: wrong}}, wrong: {{end: wrong}}}}}}",
        shop,
    )
    async with running(temporal.client, loaded, cached=cached) as runner:
        with temporal.with_time_skipping_disabled():
            handle = await runner.start(compiled(loaded))
            while not shop.calls:
                await asyncio.sleep(0.02)
            await signal(handle, "other")
            result = await asyncio.wait_for(handle.result(), 20)
            made = len(shop.calls)
            assert (result["outcome"], result["text"]) == ("exited", "other")
            assert steps(result) == ["mail"]
            # Of five or more that its window leaves time for; the exit may need a moment to reach an action.
            assert made <= (3 if kind == "action" else 4)
            await asyncio.sleep(1.5)
            assert len(shop.calls) == made
    found = await types(handle)
    assert found.count("ACTIVITY_TASK_CANCEL_REQUESTED") == (1 if kind == "action" else 0)
    await replays(handle)


@CACHED
async def test_events_before_a_wait_during_a_call_and_behind_the_end(
    temporal: WorkflowEnvironment, shop: Shop, cached: int
) -> None:
    """One that came during a plain wait is past; one that came during a call is kept; behind the exit none counts."""
    loaded = project(
        CALLING.replace("listen: {wait_for: [{event: answered}]}", "listen: {wait: {for: 1h}}"), shop
    )
    async with running(temporal.client, loaded, cached=cached) as runner:
        with temporal.with_time_skipping_disabled():
            for during_call in (True, False):
                shop.calls.clear()
                # It holds the call until time stands still again: else the wait behind it would be over at once.
                release = shop.hang()
                handle = await runner.start(compiled(loaded))
                await until_waiting(handle, "listen")
                await signal(handle, "answered", {}, "before")
                await state_of(handle)
                await fire(temporal, handle)
                while not shop.calls:
                    await asyncio.sleep(0.02)
                if during_call:
                    await signal(handle, "answered", {}, "during")
                release.set()
                if during_call:
                    assert (await handle.result())["text"] == "done"
                else:
                    await until_waiting(handle, "again")
                    await signal(handle, "other")
                    with contextlib.suppress(Exception):  # the instance may have ended
                        await signal(handle, "answered", {}, "behind")
                    result = await handle.result()
                    assert (result["outcome"], steps(result)) == ("exited", ["listen", "mail", "again"])
                    assert "TIMER_STARTED" in await types(handle)
                await replays(handle)


@CACHED
async def test_an_exit_and_the_timer(temporal: WorkflowEnvironment, unique: str, cached: int) -> None:
    """An exit event that happened before the timer ends the wait's instance; one behind it comes to the path's end."""
    loaded = project(TIMED.replace("steps:", "exit_when: [{event: other, when: event.amount == 9}]\nsteps:"))
    for seconds, passed in ((-0.5, ["listen"]), (0.5, ["listen", "late"])):

        async def meanwhile(handle: Handle, seconds: float = seconds) -> None:
            await send(handle, "other", await fired(temporal, handle) + timedelta(seconds=seconds), amount=9)

        _, result = await in_one_task(temporal, f"{unique}{seconds}", loaded, "listen", meanwhile, cached)
        assert (result["outcome"], steps(result)) == ("exited", passed)


@CACHED
async def test_the_step_and_the_life_of_an_instance_end_together(
    temporal: WorkflowEnvironment, cached: int
) -> None:
    """Where both are due at the same moment the step's own time is up, and the instance ends before the next one."""
    loaded = project(
        "{journey: j, entry: {event: entered}, timeout: 2h, steps: {nap: {wait: {until: '${journey.entered_at + hours(2)}'}},"
        " done: {end: done}}}"
    )
    async with running(temporal.client, loaded, cached=cached) as runner:
        with temporal.with_time_skipping_disabled():
            handle = await runner.start(compiled(loaded))
            await state_of(handle)
        result = await finish(temporal, handle)
    assert result["outcome"] == "timed_out"
    assert steps(result) == ["nap", "done"]
    await replays(handle)


@CACHED
async def test_an_exit_during_a_call_behind_an_earlier_event(
    temporal: WorkflowEnvironment, shop: Shop, kept: Kept, cached: int
) -> None:
    """A wait that an earlier event ended, with the profile read for it, leaves nothing behind that holds an exit up."""
    release = shop.hang()
    loaded = project(
        """
journey: j
entry: {event: entered}
steps:
  first: {wait_for: [{event: other}], timeout: {after: 1h}}
  second:
    wait_for: [{event: answered, when: "default(profile.visits, 0) == 0"}]
    since: entry
    timeout: {after: 1h}
  mail: {action: send, with: {to: x, data: 1}, on_error: done}
  done: {end: done}
""",
        shop,
    )
    async with running(temporal.client, loaded, cached=cached, profiles=kept) as runner:
        with temporal.with_time_skipping_disabled():
            handle = await runner.start(compiled(loaded))
            await until_waiting(handle, "first")
            await signal(handle, "answered")
            await signal(handle, "other")
            while not shop.calls:
                await asyncio.sleep(0.02)
            await handle.signal(names.SIGNAL_EXIT, "an operator")
            result = await asyncio.wait_for(handle.result(), 15)
            release.set()
    assert (result["outcome"], steps(result)) == ("exited", ["first", "second", "mail"])
    assert result["steps"][1]["result"] == "answered"
    await replays(handle)
