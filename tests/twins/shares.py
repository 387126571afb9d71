"""The twins of `tests/scenarios/shares`."""

from __future__ import annotations

from datetime import timedelta

from sojourn import Event, journey


class Joined(Event, name="joined", key="id"):
    """Somebody joined."""

    id: str
    level: int = 0


class Left(Event, name="left", key="id"):
    """Somebody left."""

    id: str = ""
    why: str = ""


@journey.defn(
    name="trial",
    entry=Joined,
    reentry_after=timedelta(days=1),
    exit_when=[(Left, 'event.why == "moved" && entry.level > 1')],
)
class Trial:
    """Tries two ways."""

    @journey.run
    async def run(self, event: Joined) -> str:
        """Walk through it."""
        with journey.step("half"):
            branch = await journey.split({"branch 1": 50, "branch 2": 50})
        way = "old" if branch == "branch 1" else "new"
        with journey.step(way, kind="set") as chosen:
            chosen.result = "set"
        try:
            with journey.step("tell"):
                await journey.act("push.send", to=event.id, text=f"the {way} way, level {event.level}")
        except journey.CallError as error:
            return await self.again(event, error)
        with journey.step("rest"):
            await journey.sleep(timedelta(days=2))
        with journey.step("done"):
            return "told"

    async def again(self, event: Joined, error: journey.CallError) -> str:
        """Try it once more."""
        try:
            with journey.step("again"):
                await journey.act("push.send", to=event.id, text=f"{error.step}: {error.code} {error.status}")
        except journey.CallError as second:
            with journey.step("unreached"):
                return f"{second.step}: {second.code} {second.status}"
        with journey.step("told-late"):
            return "told late"


class Counted(Event, name="counted", key="id"):
    """Somebody is to be counted."""

    id: str


@journey.defn(name="forty", entry=Counted)
class Forty:
    """Has a trace of forty steps."""

    @journey.run
    async def run(self, event: Counted) -> str:
        """Walk through it."""
        for number in range(journey.carried(int) or 1, 14):
            async with journey.step(f"s{number}", kind="set") as counted:
                counted.result = "set"
            async with journey.step(f"c{number}", kind="condition") as condition:
                condition.result = "branch 1"
            with journey.step(f"w{number}"):
                await journey.sleep(timedelta(hours=1))
            if journey.continue_as_new_suggested():
                await journey.continue_as_new(number + 1)
        with journey.step("last"):
            return "forty"
