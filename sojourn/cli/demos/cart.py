"""`sojourn demo`: twenty customers and their carts."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sojourn.cli.demos.cart_check import judge
from sojourn.cli.demos.cart_expected import Posted
from sojourn.cli.demos.cart_story import Planned, story
from sojourn.cli.demos.finding import answer_of, list_instances, outcomes
from sojourn.cli.demos.people import PEOPLE
from sojourn.cli.demos.posting import post_events
from sojourn.cli.demos.screen import Screen
from sojourn.cli.demos.stage import Stage
from sojourn.cli.demos.verdict import Verdict

JOURNEY = "cart-abandonment"
GROUND = "the events demand"

POLL_SECONDS = 0.4
PATIENCE = 60.0
"""Seconds after the last event for the instances to end."""


async def run(stage: Stage, screen: Screen) -> Verdict:
    """Publish the example, play the story, and compare.

    Raises:
        CliError: The API or the shop did not answer, or refused what they must not refuse.
    """
    for version in await stage.publish():
        screen.note(f"published {version['journey']}, version {version['version']}")
    events = story()
    now = [event for event in events if event.at is not None]
    later = [event for event in events if event.at is None]
    play = Play(stage, screen)
    screen.note(f"posting {len(events)} events of {len(PEOPLE)} customers; each waits 3 seconds for an order")
    with screen.board(["customer", "", "instance"]) as show:
        watch = asyncio.create_task(play.watch(show))
        try:
            await play.post_in_time(now)
            await play.all_ended(watch)
            # One after the other: nothing runs any more, so nothing depends on the moment.
            for event in later:
                await play.post([event], over=True)
            await play.look()
            show(play.rows())
        finally:
            watch.cancel()
    log = await stage.shop("/log")
    return judge(play.posted, play.answers, play.found(), log)


class Play:
    """The story while it is played: what was posted, what was answered, what became of the instances."""

    def __init__(self, stage: Stage, screen: Screen) -> None:
        """Begin with nothing posted."""
        self.posted: list[Posted] = []
        self.answers: list[str] = []
        self._stage = stage
        self._screen = screen
        self._instances: list[dict[str, Any]] = []
        self._outcomes: dict[str, str] = {}
        self._started: set[str] = set()

    async def post_in_time(self, events: Sequence[Planned]) -> None:
        """Post events at their moments; those of one moment and different customers in one request."""
        began: float | None = None
        for at, group in itertools.groupby(events, key=lambda event: event.at):
            if began is not None:
                await asyncio.sleep(began + (at or 0.0) - time.monotonic())
            await self.post(list(group))
            began = began or time.monotonic()

    async def post(self, events: Sequence[Planned], *, over: bool = False) -> None:
        """Post events in one request, and keep when and what was answered."""
        sent = time.monotonic()
        results, _ = await post_events(self._stage, [event.envelope() for event in events])
        answered = time.monotonic()
        for event, result in zip(events, results, strict=True):
            self.posted.append(Posted(event.id, event.name, event.data, sent, answered, over))
            self.answers.append(answer_of(result))
            self._started |= {i["workflow_id"] for i in result["instances"] if i["effect"] == "started"}
        if not self._screen.moving:
            recent = zip(events, self.answers[-len(events) :], strict=True)
            shown = ", ".join(f"{event.id} {answer}" for event, answer in recent)
            if len(events) > 4:
                shown = f"{len(events)} events, {len(self._started)} instances started"
            self._screen.note(f"posted {shown}")

    async def look(self) -> None:
        """Read from the API what became of the instances."""
        self._instances = await list_instances(self._stage, JOURNEY)
        ended = [i for i in self._instances if i["status"] != "running" and i["run_id"] not in self._outcomes]
        for instance, outcome in zip(ended, await outcomes(self._stage, ended), strict=True):
            self._outcomes[instance["run_id"]] = outcome
            if not self._screen.moving:
                self._screen.note(f"{instance['profile']}: {outcome}")

    async def watch(self, show: Callable[[list[list[str]]], None]) -> None:
        """Look again and again, and show it."""
        while True:
            await self.look()
            show(self.rows())
            await asyncio.sleep(POLL_SECONDS)

    async def all_ended(self, watch: asyncio.Task[None]) -> None:
        """Return when `watch` has seen every instance end that was started, or after `PATIENCE`."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if watch.done():
                # It never ends by itself: this raises the reason.
                watch.result()
            ended = {i["workflow_id"] for i in self._instances if i["run_id"] in self._outcomes}
            if self._started <= ended:
                return
            await asyncio.sleep(POLL_SECONDS / 2)

    def found(self) -> dict[str, list[str]]:
        """Return the outcomes of each customer's instances."""
        found: dict[str, list[str]] = {}
        for instance in self._instances:
            outcome = self._outcomes.get(instance["run_id"], "running")
            found.setdefault(_person(instance), []).append(outcome)
        return found

    def rows(self) -> list[list[str]]:
        """Return the table as it is now."""
        now = {_person(instance): self._state(instance) for instance in self._instances}
        return [[person.id, person.peculiarity, now.get(person.id, "")] for person in PEOPLE]

    def _state(self, instance: Mapping[str, Any]) -> str:
        outcome = self._outcomes.get(instance["run_id"])
        return outcome or f"... {instance['step'] or 'running'}"


def _person(instance: Mapping[str, Any]) -> str:
    return str(instance["workflow_id"]).partition(":")[2]
