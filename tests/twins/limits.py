"""The twin of `tests/scenarios/limits`."""

from __future__ import annotations

from sojourn import Event, journey


class Began(Event, name="began", key="id"):
    """Somebody began."""

    id: str = ""


@journey.defn(name="limited", entry=Began)
class Limited:
    """Asks what is capped, and does what is throttled."""

    @journey.run
    async def run(self, event: Began) -> str:
        """Walk through it."""
        try:
            with journey.step("ask"):
                await journey.fetch("crm", id=event.id)
            with journey.step("mail"):
                await journey.act("mail", to=event.id)
        except journey.CallError as error:
            with journey.step("later"):
                return error.code
        with journey.step("sent"):
            return "sent"
