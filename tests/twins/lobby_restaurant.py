"""The twin of `tests/scenarios/lobby-restaurant`."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from pydantic import Field

from sojourn import Event, journey


class Lobby(Event, name="lobby.beacon", key="ecid"):
    """A guest is in the lobby."""

    ecid: str = ""
    tokens: list[dict[str, str]] = Field(default_factory=list)


class Restaurant(Event, name="restaurant.beacon", key="ecid"):
    """A guest is in the restaurant."""

    ecid: str = ""


@journey.defn(name="marlton", entry=Lobby)
class Marlton:
    """A guest in the lobby, a booking, a restaurant."""

    @journey.run
    async def run(self, event: Lobby) -> str | None:
        """Walk through it."""
        try:
            with journey.step("guest"):
                guest = (await journey.fetch("crm.guest", id=event.ecid)).body
        except journey.CallError:
            with journey.step("unknown"):
                return "unknown guest"
        with journey.step("rested", kind="set") as rested:
            rested.result = "set"
            tired = any(send["value"] > 0 and recent(send["at"]) for send in guest["sends"])
        with journey.step("member", kind="condition") as member:
            member.result = "else" if tired else "branch 1" if guest["loyaltyMember"] else "branch 2"
        if tired:
            return None
        if not guest["loyaltyMember"]:
            with journey.step("membership"):
                await journey.act("email.send", to=guest["email"], template="loyalty-membership")
            with journey.step("informed"):
                return "informed"
        return await self.member(event)

    async def member(self, event: Lobby) -> str:
        """Go on with a member."""
        with journey.step("booking"):
            booking = await journey.fetch("marlton.reservation", id=event.ecid)
        with journey.step("booked", kind="condition") as booked:
            booked.result = "branch 1" if booking.body["reservation"] else "else"
        if not booking.body["reservation"]:
            await push("rates", event, "room-rates")
            with journey.step("informed"):
                return "informed"
        await push("welcome", event, "welcome")
        with journey.step("restaurant"):
            dinner = await journey.wait_for(Restaurant, timeout=timedelta(hours=6))
        if dinner is None:
            with journey.step("not-hungry"):
                return "no restaurant"
        await push("meal", event, "meal-discount")
        with journey.step("eaten"):
            return "meal discount"


async def push(step: str, event: Lobby, template: str) -> journey.Result:
    """Send a push message."""
    with journey.step(step):
        return await journey.act("push.send", token=event.tokens[0]["token"], template=template)


def recent(at: Any) -> bool:
    """Say whether a moment is within the last day."""
    return timedelta() <= journey.now() - datetime.fromisoformat(at) <= timedelta(hours=24)
