"""The twin of `tests/scenarios/onboarding`."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field

from sojourn import Event, journey


class Joined(Event, name="loyalty.joined", key="id"):
    """Somebody became a member."""

    id: str = ""
    email: str = ""
    mobile: str | None = None
    sms_consent: bool = Field(False, alias="smsConsent")


class Opened(Event, name="app.opened", key="id"):
    """A member opened the app."""

    id: str = ""


class GoalReached(Event, name="goal.reached", key="id"):
    """A member did what was hoped for."""

    id: str = ""
    goal: str = ""


@journey.defn(
    name="onboarding",
    entry=Joined,
    reentry=False,
    exit_when=[(GoalReached, 'event.goal == "first-purchase"')],
)
class Onboarding:
    """Welcomes a new member, and reminds who has not opened the app after a day."""

    @journey.run
    async def run(self, event: Joined) -> str:
        """Walk through it."""
        with journey.step("welcome"):
            await journey.act("email.send", to=event.email, template="welcome")
        with journey.step("opened"):
            opened = await journey.wait_for(Opened, timeout=timedelta(days=1))
        if opened is not None:
            with journey.step("done"):
                return "opened"
        with journey.step("reachable", kind="condition") as reachable:
            by_message = event.mobile is not None and event.sms_consent
            reachable.result = "branch 1" if by_message else "else"
        if by_message:
            with journey.step("sms"):
                await journey.act("sms.send", to=event.mobile)
        else:
            with journey.step("reminder"):
                await journey.act("email.send", to=event.email, template="reminder")
        with journey.step("reminded"):
            return "reminded"
