"""The twins of `tests/scenarios/waits`."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from sojourn import Event, journey


class Begun(Event, name="begun", key="id"):
    """An invoice was sent."""

    id: str = ""
    due: datetime
    amount: float = 0


class Nudged(Event, name="nudged", key="id"):
    """Somebody was talked to."""

    id: str = ""
    amount: float = 0


class Complained(Event, name="complained", key="id"):
    """Somebody complained."""

    id: str = ""


class Paid(Event, name="paid", key="id"):
    """Somebody paid."""

    id: str = ""
    amount: float = 0


@journey.defn(name="deadline", entry=Begun, timezone="America/New_York")
class Deadline:
    """Waits for a moment, and for a time of day."""

    @journey.run
    async def run(self, event: Begun) -> str:
        """Walk through it."""
        with journey.step("due"):
            await journey.sleep_until(event.due)
        with journey.step("morning"):
            await journey.sleep_until(time(2, 30))
        with journey.step("called"):
            return "called"


@journey.defn(name="dunning", entry=Begun, timeout=timedelta(days=60))
class Dunning:
    """Reminds who does not pay."""

    @journey.run
    async def run(self, event: Begun) -> str:
        """Walk through it."""
        with journey.step("quiet"):
            complaint = await journey.wait_for(
                journey.on(Nudged, restart=True), Complained, timeout=timedelta(days=7)
            )
        if complaint is not None:
            with journey.step("complaint"):
                return "complaint"
        with journey.step("paid-before"):
            paid = await journey.wait_for(
                Paid, when=lambda paid: paid.amount >= event.amount, since="entry", timeout=timedelta(days=1)
            )
        if paid is not None:
            with journey.step("paid-early"):
                return "paid early"
        with journey.step("remind"):
            await journey.act("email.send", to=event.id, template="reminder")
        with journey.step("pay"):
            await journey.wait_for(Paid, when=lambda paid: paid.amount >= event.amount)
        with journey.step("paid-late"):
            return "paid"
