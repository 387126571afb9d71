"""The twin of `tests/scenarios/steering`."""

from __future__ import annotations

from datetime import timedelta

from sojourn import Event, journey


class Joined(Event, name="joined", key="id"):
    """Somebody joined."""

    id: str = ""


class Replied(Event, name="replied", key="id"):
    """Somebody replied to the mail."""

    id: str = ""
    text: str = ""


@journey.defn(name="welcome", entry=Joined, reentry_after=timedelta(0))
class Welcome:
    """Writes to those who join, and waits for a reply."""

    @journey.run
    async def run(self, joined: Joined) -> str:
        """Walk through it."""
        try:
            with journey.step("member"):
                member = await journey.fetch("crm.member", id=joined.id)
            with journey.step("write"):
                await journey.act("mail.send", to=member.body["name"])
            with journey.step("note"):
                await journey.act("crm.note", text="written")
        except journey.CallError:
            with journey.step("unknown"):
                return "unknown"
        with journey.step("reply"):
            replied = await journey.wait_for(Replied, timeout=timedelta(days=30))
        ending = "silent" if replied is None else "answered"
        with journey.step(ending):
            return ending
