"""A signal that arrives in one of the interpreter's own callbacks ends a command all the same."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.cli.support import environment

PROGRAM = """
import signal, sys, time, weakref
from sojourn.api import server
from sojourn.cli import main

class Thing:
    pass

def doze(number):
    thing = Thing()
    kept = weakref.ref(thing, lambda _: signal.raise_signal(number))
    del thing
    print("Still there", flush=True)
    time.sleep(60)

@main.app.command("doze")
def command():
    doze(signal.SIGINT)

server.serve = lambda settings, announce: doze(signal.SIGTERM)
main.main()
"""


def ran(program: str, command: str) -> subprocess.CompletedProcess[str]:
    """Run a program with a command to its end."""
    return subprocess.run(
        [sys.executable, "-c", program, command],
        env=environment({"SOJOURN_SEARCH_ATTRIBUTES": "false"}),
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )


@pytest.mark.parametrize(("command", "status"), [("doze", 130), ("api", 0)])
def test_a_signal_that_the_interpreter_ignores_comes_again(command: str, status: int) -> None:
    """The command goes on, as Python would have it, and is ended a moment later; nothing is said of that."""
    done = ran(PROGRAM, command)
    assert (done.returncode, done.stderr) == (status, "")
    assert done.stdout == "Still there\n"


def test_what_else_is_ignored_is_still_told() -> None:
    """The error of a finalizer is shown as Python shows it."""
    program = PROGRAM.replace("signal.raise_signal(number)", "1 / 0").replace("time.sleep(60)", "")
    done = ran(program, "doze")
    assert done.returncode == 0
    assert "ZeroDivisionError" in done.stderr
