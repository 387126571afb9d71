"""Journeys that begin in various ways, and journeys that end while nothing may go on."""

from __future__ import annotations

from datetime import timedelta

from sojourn import Event, journey


class Began(Event, name="entered", key="customerId"):
    """Somebody began."""

    customerId: str = ""  # noqa: N815 - as it is sent


class Answered(Event, name="answered", key="customerId"):
    """Somebody answered."""

    customerId: str = ""  # noqa: N815 - as it is sent


class Other(Event, name="other", key="customerId"):
    """Somebody did something else."""

    customerId: str = ""  # noqa: N815 - as it is sent


def decide(event: Began) -> bool:
    """Take a decision."""
    with journey.step("decided", kind="condition"):
        return bool(event.customerId)


def prepare(event: Began) -> str:
    """Do what is no step."""
    return event.customerId.lower()


async def ask(event: Began) -> None:
    """Ask for something."""
    await journey.fetch("crm.customer", id=prepare(event))


@journey.defn(name="in-method", entry=Began)
class InMethod:
    """Its first step is in a method that it calls."""

    @journey.run
    async def run(self, event: Began) -> None:
        """Walk through it."""
        await self.begin(event)
        await journey.sleep(timedelta(hours=1))

    async def begin(self, event: Began) -> None:
        """Begin."""
        async with journey.step("begun"):
            await ask(event)


@journey.defn(name="in-function", entry=Began)
class InFunction:
    """Its first step is in a function without `await`."""

    @journey.run
    async def run(self, event: Began) -> None:
        """Walk through it."""
        prepare(event)
        if decide(event):
            await ask(event)


@journey.defn(name="in-functions", entry=Began)
class InFunctions:
    """Its first step is in a function that calls others."""

    @journey.run
    async def run(self, event: Began) -> None:
        """Walk through it."""
        await journey.profile()
        await ask(event)


@journey.defn(name="computed", entry=Began)
class Computed:
    """The name of its first step is computed."""

    @journey.run
    async def run(self, event: Began) -> None:
        """Walk through it."""
        for number in range(3):
            with journey.step(f"step-{number}"):
                await journey.sleep(timedelta(hours=1))
        with journey.step("last"):
            await journey.sleep(timedelta(hours=1))


@journey.defn(name="makes", entry=Began)
class Makes:
    """Makes an event for another journey, and waits for none."""

    @journey.run
    async def run(self, event: Began) -> None:
        """Walk through it."""
        await journey.jump("elsewhere", Answered(customerId=event.customerId))


@journey.defn(name="makes-and-waits", entry=Began)
class MakesAndWaits:
    """Makes an event, and waits for one of that kind as well."""

    @journey.run
    async def run(self, event: Began) -> None:
        """Walk through it."""
        await journey.jump("elsewhere", Answered(customerId=event.customerId))
        await self.listen([Other])

    async def listen(self, events: list[type[Event]]) -> None:
        """Wait for events."""
        await journey.wait_for(*[Answered, *events])


@journey.defn(name="returns", entry=Began)
class Returns:
    """Ends behind a wait."""

    @journey.run
    async def run(self, event: Began) -> str:
        """Walk through it."""
        with journey.step("listen"):
            await journey.wait_for(Answered)
        return "answered"


@journey.defn(name="leaves", entry=Began)
class Leaves:
    """Exits behind a wait."""

    @journey.run
    async def run(self, event: Began) -> str:
        """Walk through it."""
        with journey.step("listen"):
            await journey.wait_for(Answered)
        journey.exit("answered")


@journey.defn(name="lasts", entry=Began, timeout=timedelta(hours=1))
class Lasts:
    """Its last wait is over when its time is."""

    @journey.run
    async def run(self, event: Began) -> str:
        """Walk through it."""
        with journey.step("listen"):
            await journey.wait_for(Answered, timeout=timedelta(hours=1))
        return "nobody answered"
