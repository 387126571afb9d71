"""`sojourn dev` says what fails in the developer's own code, in its terminal."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import pytest

from sojourn.cli.dev.failures.pipe import Mishap, Pipe, Writer
from sojourn.cli.dev.failures.report import MOST, Telling
from tests.cli.conftest import DevRun, dev_ports
from tests.cli.support import quickly, running

BREAK = "        if order is not None:\n"
BROKEN = '        if order is not None and order.nosuch == "x":\n'


def stands(instance: str, line: int = 7, worker: int = 1) -> Mishap:
    """An instance that stands still at a line."""
    message, place = f"KeyError: '{instance}'", f"journeys.py:{line}"
    return Mishap("stands", "welcome", instance, "code_error", message, place, worker=worker)


def signs_up(dev: DevRun, name: str) -> None:
    """Send the event with which the journey begins, and the order that it waits for."""
    for event, data in (
        ("customer.signed-up", {"customer_id": name, "name": name}),
        ("order.placed", {"customer_id": name, "total": 120}),
    ):
        result = dev.sojourn("send", event, "--id", f"{event}-{name}", "--data", json.dumps(data))
        assert result.code == 0, result.err


@pytest.mark.slow
def test_dev_says_what_fails_in_a_journey_and_in_its_action(tmp_path: Path) -> None:
    """A journey that raises is told with its line and goes on when mended; so is what an action raises."""
    assert quickly("init", "--python", "shop", cwd=tmp_path).code == 0
    project = tmp_path / "shop"
    journeys = project / "journeys.py"
    text = journeys.read_text().replace("seconds=20", "days=20")
    assert BREAK in text
    journeys.write_text(text.replace(BREAK, BROKEN))
    line = text[: text.index(BREAK)].count("\n") + 1
    with running("dev", ".", *dev_ports(), cwd=project) as process:
        process.until("Running.")
        dev = DevRun(project, process)
        signs_up(dev, "ada")
        said = process.until("`sojourn instances welcome:ada` shows more.")
        assert (
            "welcome:ada stands still: AttributeError: 'OrderPlaced' object has no attribute 'nosuch'" in said
        )
        assert f", at journeys.py:{line}.\n    {BROKEN.strip()}\n  Mend the file: " in said
        assert "Traceback" not in said

        # Mended, it goes on; what it does next is wrong as well, this time in the action.
        mended = text.replace('return "large first order" if order.total >= 100 else "first order"', "pass")
        mended = mended.replace("    print(f", "    raise KeyError(template)\n    print(f")
        journeys.write_text(mended)
        said = process.until("welcome:ada goes on.", timeout=90)
        line = mended[: mended.index("    raise KeyError")].count("\n") + 1
        said = process.until("welcome:ada has failed: ", timeout=90)
        told = f"The action email.send raised KeyError: 'come-back', at journeys.py:{line}, called by welcome:ada."
        assert said.count(told) == 1
        assert said.count("welcome:ada stands still: ") == 1


async def test_a_flood_of_failures_is_a_few_lines() -> None:
    """The first instance is named, those alike are counted, mistakes of many kinds are limited."""
    said: list[str] = []
    telling = Telling(said.append, pause=0.01)
    for number in range(1000):
        telling.take(stands(f"welcome:{number}"))
        telling.take(stands(f"welcome:{number}"))
    assert len(said) == 1
    assert said[0].startswith("welcome:0 stands still: KeyError: 'welcome:0', at journeys.py:7.\n")
    telling.close()
    assert said[1:] == ["999 more instances of welcome standing still at journeys.py:7."]
    for number in range(1000):
        telling.take(Mishap("goes_on", "welcome", f"welcome:{number}"))
    telling.close()
    assert said[2:] == ["1,000 instances of welcome that stood still: going on."]
    # Another worker has other code, in which the mistake may be left.
    telling.take(stands("welcome:1", worker=2))
    assert said[3].startswith("welcome:1 stands still: ")
    for number in range(100, 200):
        telling.take(stands("welcome:1", line=number))
    telling.close()
    assert len(said) == 1 + 1 + 1 + MOST
    assert said[-1] == f"{100 - (MOST - 2)} further mistakes not shown: see .sojourn/logs/worker.log."


async def test_going_on_without_having_stood_still_is_not_said() -> None:
    """Every instance that a worker takes up goes on: that is no news."""
    said: list[str] = []
    telling = Telling(said.append)
    telling.take(Mishap("goes_on", "welcome", "welcome:ada"))
    telling.close()
    assert said == []


async def test_the_pipe_takes_what_it_can_and_never_blocks() -> None:
    """Lines arrive whole, long texts cut; a full pipe loses lines instead of holding up the worker."""
    pipe, taken = Pipe(), list[Mishap]()
    writer = Writer(pipe.writing)
    try:
        written = [writer.write(stands("\u20ac" * 5000)) for _ in range(1000)]
        assert written[0] is True
        assert written[-1] is False
        pipe.open(taken.append)
        deadline = time.monotonic() + 10
        while len(taken) < sum(written) and time.monotonic() < deadline:
            await asyncio.sleep(0.01)
        assert len(taken) == sum(written)
        assert {len(mishap.instance or "") for mishap in taken} == {300}
        assert writer.write(stands("welcome:ada"))
    finally:
        pipe.close()
    assert writer.write(stands("welcome:ada")) is False
