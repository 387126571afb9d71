"""The twin of `tests/scenarios/spa-beacon`."""

from __future__ import annotations

from datetime import date

from sojourn import Event, journey


class SpaBeacon(Event, name="spa.beacon", key="ecid"):
    """Somebody is near the spa."""

    ecid: str = ""
    beacon: str = ""


@journey.defn(
    name="spa",
    entry=SpaBeacon,
    start=date(2026, 12, 1),
    end=date(2026, 12, 31),
    timezone="Europe/Paris",
)
class Spa:
    """Gives women a discount in December."""

    @journey.run
    async def run(self, event: SpaBeacon) -> str | None:
        """Walk through it."""
        try:
            with journey.step("person"):
                person = (await journey.fetch("crm.person", id=event.ecid)).body
            with journey.step("woman", kind="condition") as woman:
                woman.result = "branch 1" if person["gender"] == "Female" else "else"
            if person["gender"] != "Female":
                return None
            subject = f"{person['firstName']} {person['lastName']}, a discount for you"
            with journey.step("discount"):
                await journey.act("email.send", to=person["email"], subject=subject)
        except journey.CallError:
            with journey.step("unknown"):
                return "not sent"
        with journey.step("sent"):
            return "sent"
