"""What a type checker infers of Python journeys."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.repo.tree import ROOT

CODE = """\
from datetime import UTC, datetime, time, timedelta
from sojourn import Event, journey


class Began(Event, name="began", key="who"):
    who: str


class Paid(Event, name="paid", key="who"):
    who: str
    amount: float


class Left(Event, name="left", key="who"):
    who: str


@journey.defn(name="j", entry=Began)
class J:
    @journey.run
    async def run(self, event: Began) -> str | None:
        hour = timedelta(hours=1)
        reveal_type(await journey.wait_for(Paid))
        reveal_type(await journey.wait_for(Paid, timeout=hour))
        reveal_type(await journey.wait_for(Paid, Left))
        reveal_type(await journey.wait_for(Paid, Left, timeout=hour))
        reveal_type(await journey.wait_for(Paid, journey.on(Began, restart=True), timeout=hour))
        reveal_type(await journey.wait_for(journey.on(Paid, when=lambda paid: paid.amount > 1), Left))
        reveal_type(journey.entry(Began).who)
        reveal_type(journey.carried(Paid))
        reveal_type(await journey.split({"a": 10, "b": 90}))
        reveal_type(await journey.within(hours=(time(9), time(18)), days=["mon"]))
        reveal_type((await journey.fetch("crm")).status)
        await journey.sleep_until(time(9), on=["mon"])
        await journey.sleep_until(datetime.now(UTC))
        await journey.wait_for(Paid, when=lambda paid: paid.amuont > 1)
        await journey.wait_for(Paid, timeout=3600)
        await journey.wait_for(str)
        await journey.sleep(60)
        await journey.sleep_until(time(9), on=["monday"])
        with journey.step("x", kind="fetch"):
            return None


reveal_type(J)
journey.defn(name="k")
"""

REVEALED = [
    "Paid",
    "Paid | None",
    "Paid | Left",
    "Paid | Left | None",
    "Paid | None",
    "Paid | Left",
    "str",
    "Paid | None",
    "str",
    "bool",
    "int",
    "def () -> J",
]

WRONG = {
    'has no attribute "amuont"': "a condition about a field that the event has not",
    'No overload variant of "wait_for" matches argument types "type[Paid]", "int"': "a timeout in seconds",
    'Value of type variable "E" of "wait_for" cannot be "str"': "a class that is no event",
    'Argument 1 to "sleep" has incompatible type "int"': "a sleep in seconds",
    "\"Literal['monday']\"; expected": "a weekday that is none",
    'Argument "kind" to "step" has incompatible type': "a kind of step that only Sojourn gives",
    'Missing named argument "entry" for "defn"': "a journey that nobody enters",
}


def test_what_a_strict_checker_infers(tmp_path: Path) -> None:
    """It knows the event that a wait returns, and finds what is wrong."""
    path = tmp_path / "example.py"
    path.write_text(CODE)
    options = ["--strict", "--follow-imports=silent", "--cache-dir", str(tmp_path / "cache")]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *options, str(path)],
        cwd=tmp_path,
        # It does not find what is installed in editable form.
        env=os.environ | {"MYPYPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )
    said = done.stdout.replace("builtins.", "").replace("example.", "")
    revealed = [
        line.partition('type is "')[2].rstrip('"') for line in said.splitlines() if "Revealed" in line
    ]
    assert revealed == REVEALED, said
    missing = [what for message, what in WRONG.items() if message not in said]
    assert not missing, said
    assert said.rstrip().splitlines()[-1].startswith(f"Found {len(WRONG)} errors"), said
