"""A Python journey as an author writes it, with all that it names in one module."""

from __future__ import annotations

from datetime import timedelta

from sojourn import Event, action, journey


class Began(Event, name="began", key="id"):
    """Somebody begins."""

    id: str


class Answered(Event, name="answered", key="id"):
    """Somebody answers."""

    id: str
    text: str


@action.defn(name="mail")
async def mail(to: str, at: str) -> None:
    """Fails a test that calls it: in tests a script answers."""
    raise AssertionError("a test called the function")


@journey.defn(name="month", entry=Began)
class Month:
    """Waits for an answer for a month, and then until a day eight weeks later."""

    @journey.run
    async def run(self, began: Began) -> str:
        """Walk through it."""
        with journey.step("answer"):
            answer = await journey.wait_for(Answered, timeout=timedelta(days=30))
        if answer is not None:
            return answer.text
        await journey.sleep_until(journey.now() + timedelta(days=55))
        await journey.act(mail, to=began.id, at=journey.now().isoformat())
        return "nobody answered"


@journey.defn(name="mistaken", entry=Began)
class Mistaken:
    """Fails where nobody answers."""

    @journey.run
    async def run(self, began: Began) -> str:
        """Walk through it."""
        answer = await journey.wait_for(Answered, timeout=timedelta(days=1))
        return answer.text  # type: ignore[union-attr]


@journey.defn(name="first", entry=Began)
class First:
    """Jumps to a journey of YAML, which jumps to another one of Python."""

    @journey.run
    async def run(self, began: Began) -> str:
        """Walk through it."""
        await journey.sleep(timedelta(days=7))
        return "jumped" if await journey.jump("second") else "was there"
