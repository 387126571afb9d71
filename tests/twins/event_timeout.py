"""The twins of `tests/scenarios/event-timeout`."""

from __future__ import annotations

from datetime import timedelta

from sojourn import Event, journey

DAY = timedelta(days=1)


class Arrived(Event, name="guest.arrived", key="id"):
    """A guest came."""

    id: str = ""


class Restaurant(Event, name="restaurant.entered", key="id"):
    """A guest sat down."""

    id: str = ""
    table: float = 0


class Bar(Event, name="bar.entered", key="id"):
    """A guest stood at the bar."""

    id: str = ""


@journey.defn(name="with-path", entry=Arrived)
class WithPath:
    """What comes behind the timeout is a path of its own."""

    @journey.run
    async def run(self, event: Arrived) -> str:
        """Walk through it."""
        with journey.step("anywhere"):
            found = await journey.wait_for(
                journey.on(Restaurant, when=lambda restaurant: restaurant.table > 0), Bar, timeout=DAY
            )
        if found is None:
            with journey.step("nowhere"):
                return "nowhere"
        name, template = ("restaurant", "discount") if isinstance(found, Restaurant) else ("bar", "drink")
        with journey.step(template):
            await journey.act("push.send", to=event.id, template=template)
        if name == "restaurant":
            with journey.step(name):
                return "restaurant"
        with journey.step(name):
            return "bar"


@journey.defn(name="without-path", entry=Arrived)
class WithoutPath:
    """The timeout leads to what comes next."""

    @journey.run
    async def run(self, event: Arrived) -> str:
        """Walk through it."""
        with journey.step("restaurant"):
            await journey.wait_for(Restaurant, timeout=DAY)
        with journey.step("discount"):
            await journey.act("push.send", to=event.id, template="discount")
        with journey.step("done"):
            return "discount"
