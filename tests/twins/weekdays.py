"""The twin of `tests/scenarios/weekdays`."""

from __future__ import annotations

from datetime import time

from sojourn import Event, journey


class FormSent(Event, name="form.sent", key="id"):
    """A form was sent."""

    id: str = ""
    zone: str = ""


@journey.defn(name="weekdays", entry=FormSent, timezone="${entry.zone}")
class Weekdays:
    """Writes on weekdays only."""

    @journey.run
    async def run(self, event: FormSent) -> str:
        """Walk through it."""
        with journey.step("weekday"):
            weekday = await journey.within(days=["mon", "tue", "wed", "thu", "fri"])
        if not weekday:
            with journey.step("monday"):
                await journey.sleep_until(time(9), on=["mon"])
        with journey.step("mail"):
            await journey.act("email.send", to=event.id)
        with journey.step("sent"):
            return "sent"
