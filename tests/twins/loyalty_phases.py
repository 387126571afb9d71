"""The twins of `tests/scenarios/loyalty-phases`."""

from __future__ import annotations

from datetime import timedelta

from sojourn import Event, journey


class Downloaded(Event, name="app.downloaded", key="member"):
    """A member has the app."""

    member: str
    campaign: str | None = None


class Purchased(Event, name="purchased", key="member"):
    """A member bought something."""

    member: str
    amount: float
    source: str | None = None


class TierReached(Event, name="tier.reached", key="member", when="event.points >= 10"):
    """A member has points enough."""

    member: str = ""
    points: float


@journey.defn(name="download", entry=Downloaded)
class Download:
    """Leads on to the purchases."""

    @journey.run
    async def run(self, event: Downloaded) -> str:
        """Walk through it."""
        try:
            with journey.step("remind"):
                await journey.act("push.send", member=event.member, text="Your first purchase earns double")
        except journey.CallError:
            with journey.step("failed"):
                return "failed"
        with journey.step("a-day"):
            await journey.sleep(timedelta(days=1))
        first = Purchased(member=event.member, amount=0, source=event.campaign or "none")
        try:
            with journey.step("first-purchase"):
                await journey.jump("purchases", first)
        except journey.CallError as error:
            with journey.step("not-let-in"):
                return f"{error.code}: {error.message}"
        with journey.step("still-here"):
            await journey.sleep(timedelta(days=1))
        with journey.step("done"):
            return "went on to purchases"


@journey.defn(name="purchases", entry=Purchased, reentry=False)
class Purchases:
    """Counts points, and leads on to the tier."""

    @journey.run
    async def run(self, event: Purchased) -> str:
        """Walk through it."""
        with journey.step("count-points", kind="set") as counted:
            points = event.amount * 2
            counted.result = "set"
        with journey.step("wait-for-more"):
            await journey.sleep(timedelta(days=5))
        try:
            with journey.step("next-phase"):
                await journey.jump("tier", {"member": event.member, "points": points})
        except journey.CallError as error:
            with journey.step("not-yet"):
                return error.message
        with journey.step("reached"):
            return f"on to the tier, from {event.source or 'the shop'}"


@journey.defn(name="tier", entry=TierReached)
class Tier:
    """Lasts a month."""

    @journey.run
    async def run(self, event: TierReached) -> str:
        """Walk through it."""
        with journey.step("enjoy"):
            await journey.sleep(timedelta(days=30))
        with journey.step("over"):
            return f"had {event.points:g} points"
