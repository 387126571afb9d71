"""The twins of `tests/scenarios/fatigue`."""

from __future__ import annotations

from typing import Any

from sojourn import Event, journey


class NewsletterDue(Event, name="newsletter.due", key="id"):
    """Somebody is to get a newsletter."""

    id: str = ""
    fatigue: Any = None
    vip: bool = False
    gender: str = ""


@journey.defn(name="fatigue", entry=NewsletterDue)
class Fatigue:
    """The more somebody has had, the less comes; who has no level gets nothing."""

    @journey.run
    async def run(self, event: NewsletterDue) -> str | None:
        """Walk through it."""
        levels = ["low", "medium", "high"]
        with journey.step("level", kind="condition") as level:
            known = event.fatigue in levels
            level.result = f"branch {levels.index(event.fatigue) + 1}" if known else "else"
        if not known:
            return None
        if event.fatigue == "high":
            with journey.step("quiet"):
                return "quiet"
        template = "full" if event.fatigue == "low" else "short"
        with journey.step(template):
            await journey.act("email.send", to=event.id, template=template)
        with journey.step("sent"):
            return "sent"


@journey.defn(name="vip-first", entry=NewsletterDue)
class VipFirst:
    """Asks who is a VIP before it asks who is a man."""

    @journey.run
    async def run(self, event: NewsletterDue) -> str:
        """Walk through it."""
        return greet("vip" if event.vip else None, "male" if event.gender == "male" else None)


@journey.defn(name="male-first", entry=NewsletterDue)
class MaleFirst:
    """Asks who is a man before it asks who is a VIP."""

    @journey.run
    async def run(self, event: NewsletterDue) -> str:
        """Walk through it."""
        return greet("male" if event.gender == "male" else None, "vip" if event.vip else None)


def greet(first: str | None, second: str | None) -> str:
    """Go where the first condition that holds leads."""
    with journey.step("who", kind="condition") as who:
        who.result = "branch 1" if first else "branch 2" if second else "else"
    found = first or second or "other"
    with journey.step(found):
        return found
