"""The measured journeys of `benchmarks.journeys` in Python."""

from __future__ import annotations

from datetime import timedelta

from sojourn import Event, journey


class Started(Event, name="bench.started", key="customerId"):
    """Somebody began."""

    customerId: str = ""  # noqa: N815 - as it is sent


class Answered(Event, name="bench.answered", key="customerId"):
    """Somebody answered."""

    customerId: str = ""  # noqa: N815 - as it is sent


class PassedBy(Event, name="bench.passed-by", key="customerId"):
    """Somebody passed by."""

    customerId: str = ""  # noqa: N815 - as it is sent


async def send(step: str, event: Started, template: str) -> None:
    """Send a message."""
    with journey.step(step):
        await journey.act("bench.send", to=event.customerId, template=template)


@journey.defn(name="one-action", entry=Started)
class OneAction:
    """One action."""

    @journey.run
    async def run(self, event: Started) -> str:
        """Walk through it."""
        await send("send", event, "hello")
        with journey.step("done"):
            return "sent"


@journey.defn(name="two-actions", entry=Started)
class TwoActions:
    """An action, a wait, a split, an action."""

    @journey.run
    async def run(self, event: Started) -> str:
        """Walk through it."""
        await send("first", event, "first")
        with journey.step("pause"):
            await journey.sleep(timedelta(seconds=1))
        with journey.step("halves"):
            await journey.split({"branch 1": 50, "branch 2": 50})
        await send("second", event, "second")
        with journey.step("done"):
            return "sent"


@journey.defn(name="wait-for-event", entry=Started, reentry_after=timedelta(0))
class WaitForEvent:
    """Waits for an event, with a timeout."""

    @journey.run
    async def run(self, event: Started) -> str:
        """Walk through it."""
        with journey.step("listen"):
            found = await journey.wait_for(
                Answered,
                journey.on(Started, restart=True),
                journey.on(PassedBy, when=lambda passed: passed.customerId == "nobody"),
                timeout=timedelta(hours=1),
            )
        if found is None:
            with journey.step("late"):
                return "late"
        await send("send", event, "answered")
        with journey.step("done"):
            return "answered"
