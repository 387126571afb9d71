"""What breaks the rules of Python journeys is refused when its module is imported, with what to write instead."""

from __future__ import annotations

import sys
import types

import pytest

from sojourn.workflows.authoring.errors import JourneyError
from sojourn.workflows.authoring.events import EventError

HEAD = """
from datetime import timedelta
from temporalio import workflow
from sojourn import Event, journey

class Began(Event, name="began", key="who"):
    who: str

class Ended(Event, name="ended", key="who"):
    who: str

class Base(Event):
    who: str

"""
GOOD = """
@journey.defn(name="j", entry=Began{more})
class J:
    {before}
    @journey.run
    {line}
        return "done"
    {after}
"""
LINE = "async def run(self, event: Began) -> str:"


def code(*, more: str = "", line: str = LINE, before: str = "", after: str = "") -> str:
    """Return a journey's code with something else in it."""
    return GOOD.format(more=more and f", {more}", line=line, before=before, after=after)


CASES = {
    "no run": (code().replace("@journey.run", ""), "J has no method marked with @journey.run: mark one"),
    "two": (code(after="@journey.run\n    async def other(self, event: Began) -> str: ..."), "J has 2 methods"),
    "not async": (code(line="def run(self, event):"), "J.run must be `async def`: a journey waits"),
    "no event": (code(line="async def run(self) -> str:"), "write async def run(self, event: EntryEvent)"),
    "too many": (code(line="async def run(self, a, b) -> str:"), "must take the entry event and nothing else"),
    "another event": (code(line="async def run(self, event: Ended) -> str:"), "takes a Ended, and its journey is"),
    "result": (code(line="async def run(self, event: Began) -> int:"), "J.run returns int: a journey returns"),
    "workflow.run": (
        code(after="@workflow.run\n    async def main(self): ..."),
        "J has a method marked with @workflow.run: @journey.run takes its place",
    ),
    "init": (code(before="def __init__(self, x): ..."), "J.__init__ must take nothing but self"),
    "signal": (
        code(after="@workflow.signal\n    def pause(self): ..."),
        "J has a signal 'pause', which journeys have already: rename it",
    ),
    "query": (code(after="@workflow.query\n    def state(self): ..."), "J has a query 'state', which journeys"),
    "two signals": (
        code(
            after="@workflow.signal(name='a')\n    def a(self): ...\n    @workflow.signal(name='a')\n    def b(self): ..."
        ),
        "Multiple signal methods found for a",
    ),
    "name": (code().replace('"j"', '"No Name"'), "name: 'No Name' cannot be the name of a journey"),
    "entry": (code().replace("entry=Began", "entry=dict"), "dict is not an event: write class dict(Event, name=…"),
    "entry base": (code().replace("entry=Began", "entry=Base"), "Base is not an event"),
    "exits": (code(more='exit_when="ended"'), "exit_when of @journey.defn must be a list: exit_when=[…]"),
    "listens": (code(more="listens=Ended"), "listens of @journey.defn must be a list"),
    "listened": (code(more="listens=['ended']"), "'ended' is not an event"),
    "reentry": (code(more="reentry_after=60"), "reentry_after must be a timedelta such as timedelta(days=1)"),
    "reentry type": (code(more="reentry='no'"), "reentry: Input should be a valid boolean"),
    "timeout": (code(more="timeout=timedelta(0)"), "timeout: "),
    "local": ("def f():\n" + code().replace("\n", "\n    ") + "\nf()\n", "J is defined in a function"),
    "no class": ("@journey.defn(name='j', entry=Began)\ndef f(): ...\n", "stands on something that is no class"),
    "event name": ("class X(Event, key='who'):\n    who: str\n", "X has no name: write class X(Event, name="),
    "event key": ("class X(Event, name='x'):\n    who: str\n", "X has no key: write class X(Event, name='x', key="),
    "event field": ("class X(Event, name='x', key='me'):\n    who: str\n", "X has no field 'me' for its key"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_refusal_says_what_to_write(case: str) -> None:
    """The message names the class or the argument, what is wrong, and what to write."""
    text, message = CASES[case]
    module = types.ModuleType(f"refused_{case.replace(' ', '_')}")
    sys.modules[module.__name__] = module
    try:
        with pytest.raises((JourneyError, EventError)) as caught:
            exec(compile(HEAD + text, module.__name__, "exec"), vars(module))
    finally:
        del sys.modules[module.__name__]
    assert message in str(caught.value)


def test_what_keeps_the_rules_is_taken() -> None:
    """The code on which the cases are built is a journey itself."""
    module = types.ModuleType("kept")
    sys.modules["kept"] = module
    try:
        exec(compile(HEAD + code(), "kept", "exec"), vars(module))
    finally:
        del sys.modules["kept"]
