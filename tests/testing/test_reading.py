"""Reading scenario files: what is wrong, where, and what to write instead."""

from __future__ import annotations

import pytest

from sojourn.definitions import load_texts
from sojourn.testing import read_scenarios
from tests.testing.test_command import PROJECT

BEGIN = "scenario: s\nevents: [{event: began, data: {id: ada}}]\nexpect: {text: done}\n"

CASES = {
    "no scenario": ("steps: x\n", "1:1: E110", "Begin it with `scenario: NAME`"),
    "scenario not on top": ("expect: {}\nscenario: x\n", "1:1: E110", "Move `scenario: NAME` to the top"),
    "a list": ("- a\n", "1:1: E109", "Begin it with `scenario: NAME`"),
    "no events": ("scenario: s\nexpect: {text: x}\n", "1:1: E202", "Add `events:`"),
    "empty events": ("scenario: s\nevents: []\nexpect: {text: x}\n", "2:9: E203", "Write 1 or more"),
    "unknown key": (BEGIN + "answer: {}\n", "4:1: E201", "Did you mean `answers`?"),
    "unknown key inside": (BEGIN.replace("text", "txet"), "3:10: E201", "Did you mean `text`?"),
    "unknown outcome": (
        BEGIN.replace("text: done", "outcome: finished"),
        "3:19: E203",
        "Write one of `completed`",
    ),
    "unknown event": (BEGIN.replace("event: began", "event: begun"), "2:18: E304", "Did you mean `began`?"),
    "unknown step": (BEGIN.replace("text: done", "steps: [monht]"), "3:18: E303", "Did you mean `month`?"),
    "unknown journey": (
        BEGIN.replace("text: done", "journey: mnth"),
        "3:19: E307",
        "Did you mean `month`?",
    ),
    "unknown endpoint": (BEGIN + "answers: {mial: {}}\n", "4:11: E305", "Did you mean `mail`?"),
    "unknown reason": (
        BEGIN.replace("text: done", "refusals: [no_kay]"),
        "3:21: E203",
        "Did you mean `no_key`?",
    ),
    "no duration": (BEGIN.replace("{event", "{at: soon, event"), "2:15: E206", "such as 0s, 90m or 1d12h"),
    "no offset": (BEGIN + "now: 2026-03-27T09:00:00\n", "4:6: E209", "Write 2026-03-27T09:00:00Z"),
    "no moment": (BEGIN + "now: tomorrow\n", "4:6: E209", "Write date, time and offset"),
    "before now": (
        BEGIN.replace("{event", "{at: 2020-01-01T00:00:00Z, event"),
        "2:15: E209",
        "Write a later moment",
    ),
    "two acts": (BEGIN.replace("{event", "{pause: all, event"), "2:10: E214", "Write one of event, pause"),
    "no act": (BEGIN.replace("{event: began, data: {id: ada}}", "{at: 1h}"), "2:10: E214", "Write one of"),
    "data of a pause": (
        BEGIN.replace("event: began,", "pause: all,"),
        "2:23: E201",
        "Leave it out, or write `event: NAME`",
    ),
    "status": (BEGIN + "answers: {mail: {status: 99}}\n", "4:26: E207", "Write at least 100"),
    "waits and ended": (
        BEGIN.replace("text: done", "waiting_at: month, outcome: completed"),
        "3:29: E214",
        "Leave one of the two out",
    ),
    "nothing to publish": (
        BEGIN.replace("event: began, data: {id: ada}", "publish: v2"),
        "2:20: E111",
        "Name a folder beside this file",
    ),
    "nobody is meant": (
        BEGIN.replace("event: began, data: {id: ada}", "stop: {}"),
        "2:17: E214",
        "`journey: NAME`",
    ),
    "a version of a profile": (
        BEGIN.replace("event: began, data: {id: ada}", "pause: {profile: ada, version: 1}"),
        "2:18: E214",
        "Leave `profile` or `version` out",
    ),
    "closing a version": (
        BEGIN.replace("event: began, data: {id: ada}", "close: {journey: month, version: 1}"),
        "2:10: E214",
        "Leave `version` out",
    ),
    "steering an unknown journey": (
        BEGIN.replace("event: began, data: {id: ada}", "move: mnth"),
        "2:17: E307",
        "Did you mean `month`?",
    ),
    "unknown event during a call": (
        BEGIN + "answers: {mail: {during: [{event: begun}]}}\n",
        "4:35: E304",
        "Did you mean `began`?",
    ),
    "publishing during a call": (
        BEGIN + "answers: {mail: {during: [{publish: v2}]}}\n",
        "4:28: E201",
        "",
    ),
    "a state of no journey": (BEGIN.replace("text: done", "state: live"), "3:9: E202", "Add `journey: NAME`"),
    "broken YAML": ("scenario: [\n", "1:12: E103", "Write it, close ["),
}


@pytest.mark.parametrize("name", CASES)
def test_problem(name: str) -> None:
    """Each mistake is reported at its place, with what to write instead, and the scenario is not run."""
    text, place, hint = CASES[name]
    suite = read_scenarios({"tests/a.yaml": text}, load_texts({"journey.yaml": PROJECT}))
    shown = "\n".join(map(str, suite.problems))
    assert f"tests/a.yaml:{place} " in shown
    assert hint in shown
    assert not suite.scenarios


def test_several_documents_and_definitions_among_them() -> None:
    """A file holds any number of scenarios; definitions, of other versions, are passed over."""
    text = f"{BEGIN}---\n{PROJECT}---\n{BEGIN.replace('scenario: s', 'scenario: t')}"
    suite = read_scenarios({"tests/a.yaml": text}, load_texts({"journey.yaml": PROJECT}))
    assert not suite.problems
    assert [item.scenario.name for item in suite.scenarios] == ["s", "t"]
