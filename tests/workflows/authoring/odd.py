"""Python journeys that try what an author may get wrong, or rely on."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import date, time, timedelta

from pydantic import BaseModel
from temporalio import activity, workflow
from temporalio.exceptions import ApplicationError

from sojourn import Event, journey


class Began(Event, name="entered", key="customerId"):
    """Somebody began."""

    customerId: str = ""  # noqa: N815 - as it is sent


class Answered(Event, name="answered", key="customerId"):
    """Somebody answered."""

    customerId: str = ""  # noqa: N815 - as it is sent
    amount: float = 0


class Other(Event, name="other", key="customerId"):
    """Something else happened."""

    customerId: str = ""  # noqa: N815 - as it is sent
    amount: float = 0


@journey.defn(name="swallows", entry=Began, timeout=timedelta(days=1), exit_when=["other"])
class Swallows:
    """Catches whatever it can, and tries to go on."""

    @journey.run
    async def run(self, event: Began) -> str:
        """Walk through it."""
        while True:
            try:
                await journey.wait_for(Answered)
            except Exception:
                continue
            finally:
                await journey.act("send", to="behind the end")


@journey.defn(name="leaves", entry=Began)
class Leaves:
    """Asks for its end, and calls behind it."""

    @journey.run
    async def run(self, event: Began) -> str:
        """Walk through it."""
        try:
            with journey.step("goodbye"):
                journey.exit("had enough")
        finally:
            await journey.act("send", to="behind the end")


@journey.defn(name="circles", entry=Began)
class Circles:
    """Tries a call again and again."""

    @journey.run
    async def run(self, event: Began) -> str:
        """Walk through it."""
        while True:
            try:
                await journey.split({"a": 100})
            except Exception:
                continue


@journey.defn(name="gathers", entry=Began)
class Gathers:
    """Is at two places at once."""

    @journey.run
    async def run(self, event: Began) -> str:
        """Walk through it."""
        await asyncio.gather(journey.wait_for(Answered), journey.wait_for(Other))
        return "both"


@activity.defn
async def failing() -> None:
    """Fail for good."""
    raise ApplicationError("the customer's secret", type="Broken", non_retryable=True)


@journey.defn(name="own-way", entry=Began)
class OwnWay:
    """Uses Temporal's own signals, queries, updates, activities and patches."""

    def __init__(self) -> None:
        self.told: list[str] = []

    @workflow.signal
    def tell(self, what: str) -> None:
        """Take a word."""
        self.told.append(what)

    @workflow.signal
    async def misuse(self) -> None:
        """Do what a handler may not."""
        try:
            await journey.act("send", to="a handler")
        except journey.JourneyError as error:
            self.told.append(str(error))

    @workflow.query
    def words(self) -> list[str]:
        """Return the words."""
        return self.told

    @workflow.update
    async def ask(self, what: str) -> str:
        """Answer with where the journey is."""
        return f"{what} {journey.state().name}"

    @journey.run
    async def run(self, event: Began) -> str:
        """Walk through it."""
        await workflow.wait_condition(lambda: len(self.told) > 1)
        if workflow.patched("always"):
            with journey.step("own"):
                await workflow.execute_activity(failing, start_to_close_timeout=timedelta(seconds=5))
        return "never"


class Progress(BaseModel):
    """What is carried over."""

    rounds: int = 0


@journey.defn(name="lives-long", entry=Began)
class LivesLong:
    """Begins a new run behind each answer."""

    @journey.run
    async def run(self, event: Began) -> str:
        """Walk through it."""
        progress = journey.carried(Progress) or Progress()
        while progress.rounds < 2:
            await journey.wait_for(Answered, since="now")
            progress.rounds += 1
            await journey.continue_as_new(progress)
        with journey.step("told"):
            return "two rounds"


@journey.defn(name="clocks", entry=Began, timezone="Europe/Paris", call_timeout=timedelta(seconds=10))
class Clocks:
    """Waits for the next working day at nine."""

    @journey.run
    async def run(self, event: Began) -> str:
        """Walk through it."""
        with journey.step("morning"):
            await journey.sleep_until(time(9), on=["mon", "tue", "wed", "thu", "fri"])
        with journey.step("in-time"):
            early = await journey.within(hours=(time(9), time(10)), dates=(date(2020, 1, 1), None))
        with journey.step("decided", kind="condition") as decided:
            decided.result = "branch 1" if early else "else"
        with journey.step("over"):
            return "early" if early else "late"


@journey.defn(name="renews", entry=Began)
class Renews:
    """Starts its timer again whenever something else happens."""

    @journey.run
    async def run(self, event: Began) -> str:
        """Walk through it."""
        answer = await journey.wait_for(
            Answered,
            journey.on(Other, restart=True),
            when=lambda answer: answer.amount > 5,
            timeout=timedelta(hours=1),
        )
        return "nothing" if answer is None else "answered"


@journey.defn(name="closes", entry=Began)
class Closes:
    """Closes a generator of its own that calls when it is closed."""

    @journey.run
    async def run(self, event: Began) -> str:
        """Walk through it."""

        async def answers() -> AsyncIterator[int]:
            try:
                yield 1
            finally:
                await journey.act("send", to="closed", data=1)

        async with contextlib.aclosing(answers()) as found:
            async for _ in found:
                break
        return "closed"
