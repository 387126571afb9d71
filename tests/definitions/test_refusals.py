"""What is wrong is named: every case of the table, and every code of the reference."""

from __future__ import annotations

from pathlib import Path

import pytest

from sojourn.definitions import load_project
from sojourn.definitions.codes import Code
from sojourn.definitions.problems import severity_of
from tests.definitions.cases import CASES, Case
from tests.definitions.projects import BASE, brief, errors, project, steps


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_problem_is_named(case: Case) -> None:
    """A mistake is reported with code, file, line, column, field and a hint, and nothing else is reported."""
    found = project(case.journey, case.base or BASE)
    warns = case.expected[0].startswith("W")
    changed = "base.yaml" if case.base else "j.yaml"
    problems = [
        p for p in found.problems if p.severity == ("warning" if warns else "error") and p.file == changed
    ]
    assert brief(problems) == case.expected
    assert case.says in " ".join(str(problem) for problem in problems)
    assert found.ok is warns
    assert not case.base or not case.journey


def test_every_code_has_a_case() -> None:
    """Each code is exercised by the table, except those tested elsewhere: folders, Python files, masses, and what only publishing finds."""
    seen = {entry.split()[0] for case in CASES for entry in case.expected}
    assert {code.value for code in Code} - seen == {
        *(Code.UNREADABLE, Code.NO_PROJECT, Code.MORE),
        *(Code.PYTHON_FILE, Code.PYTHON_FUNCTION),
        *(Code.ENTRY_RULE, Code.UNKNOWN_JOURNEY),
    }


def test_base_project_is_clean() -> None:
    """The project that the cases change has neither errors nor warnings itself."""
    assert project(steps("a: {end: done}")).problems == []


def test_all_problems_at_once() -> None:
    """Problems of several files and kinds are reported together, in the order of files and lines."""
    found = project(
        steps("a: {end: x}\nb: {fetch: nope}", head="timezone: Mars"),
        z__yaml="event: e\nkey: [",
        y__yaml="event: y\nkey: evnt.x\n",
    )
    # The unknown source is not reported: the broken file may define it.
    assert brief(found.errors) == [
        "E208 j.yaml:3:11 timezone",
        "E308 j.yaml:6:3 steps.b",
        "E402 y.yaml:2:6 key",
        "E103 z.yaml:2:7",
    ]


def test_broken_file_hides_no_names() -> None:
    """While a file is unreadable, names that it may define are not reported as unknown; afterwards they are."""
    journey = steps("a: {wait_for: [{event: elsewhere}], timeout: {after: 1h}}")
    broken = errors(journey, z__yaml="event: elsewhere\nkey: 'x")
    assert [p.code for p in broken] == ["E103"]
    assert [p.code for p in errors(journey)] == ["E304"]


def test_jump_loop_over_journeys() -> None:
    """Journeys that jump to each other in a circle are refused, once for the circle."""
    found = errors(
        steps("a: {jump: k}", name="j"),
        k__yaml=steps("a: {jump: l}", name="k"),
        l__yaml=steps("a: {jump: j}\nb: {jump: m}", name="l"),
        m__yaml=steps("a: {end: x}", name="m"),
    )
    loops = [p for p in found if p.code == "E310"]
    assert brief(loops) == ["E310 j.yaml:4:13 steps.a.jump"]
    assert "`j` → `k` → `l` → `j`" in loops[0].message


def test_journey_defined_twice() -> None:
    """Two journeys of one name are refused, and the message says where the other one is."""
    found = errors(steps("a: {end: x}"), k__yaml=steps("a: {end: y}"))
    assert brief(found) == ["E205 k.yaml:1:10 journey"]
    assert "in j.yaml, line 1" in found[0].message


def test_loop_with_a_wait_is_allowed() -> None:
    """A loop in which time passes on each round is no mistake."""
    assert errors(steps("a: {wait: {for: 1h}}\nb: {condition: [{when: true, next: a}]}")) == []
    listening = (
        "a: {wait_for: [{event: order.placed, next: b}], timeout: {after: 1h}}\nb: {set: {x: 1}, next: a}"
    )
    assert errors(steps(listening)) == []


def test_broken_step_hides_no_reachability() -> None:
    """A step that is malformed still leads to the steps that it names."""
    found = errors(steps("a: {fetch: crm.customer, with: 5, on_error: c}\nb: {end: x}\nc: {end: y}"))
    assert brief(found) == ["E203 j.yaml:4:34 steps.a.with"]


def test_exactly_fifty_steps_are_allowed() -> None:
    """The limit itself is not refused."""
    assert errors(steps("\n".join(f"s{i}: {{set: {{x: 1}}}}" for i in range(50)))) == []


@pytest.mark.parametrize("shares", [(33.3, 33.3, 33.4), (0, 100), (10, 90), (0.1,) * 10 + (99,)])
def test_shares_of_one_hundred(shares: tuple[float, ...]) -> None:
    """Shares that make 100 are accepted, fractions and zero included."""
    written = ", ".join(f"{{share: {share}}}" for share in shares)
    assert errors(steps(f"a: {{split: {{branches: [{written}]}}}}\nb: {{end: x}}")) == []


def test_secret_is_never_shown() -> None:
    """A problem about a secret does not repeat the secret."""
    text = (
        "action: a\nurl: https://bob:hunter2@x.example.com/?api_key=hunter2\n"
        "headers: {X-Api-Key: hunter2}\nauth: {type: bearer, token: hunter2}\n"
        "body: {password: hunter2}\ndescription: sk_live_hunter2hunter2\n"
    )
    found = errors(base=text)
    assert [p.code for p in found] == ["E215"] * 6
    assert "hunter2" not in " ".join(str(p) for p in found)


def test_secret_references_are_allowed() -> None:
    """Where a secret is named and not written, nothing is wrong."""
    text = (
        "action: a\nurl: https://x.example.com/\nheaders: {X-Api-Key: {secret: ONE}}\n"
        "query: {api_key: {secret: TWO}}\nform: {client_secret: {secret: THREE}}\n"
        "auth: {type: basic, username: bob, password: {secret: FOUR}}\n"
    )
    found = project(base=text)
    assert found.errors == []
    assert found.endpoints["action:a"].secret_names() == {"ONE", "TWO", "THREE", "FOUR"}


def test_problem_as_text_and_json() -> None:
    """A problem reads as one line that editors can follow, and as JSON with the same content."""
    (found,) = errors(steps("a: {set: {x: 1}, next: bb}\nb: {end: x}"))
    expected = "j.yaml:4:26: E303 steps.a.next: There is no step `bb` in this journey — Did you mean `b`?"
    assert str(found) == expected
    assert found.as_dict() == {
        "code": "E303",
        "severity": "error",
        "file": "j.yaml",
        "line": 4,
        "column": 26,
        "field": "steps.a.next",
        "message": "There is no step `bb` in this journey",
        "hint": "Did you mean `b`?",
    }


def test_severity_follows_the_code() -> None:
    """Codes that begin with W are warnings, all others errors."""
    assert {code.value[0] for code in Code if severity_of(code) == "warning"} == {"W"}
    assert {code.value[0] for code in Code if severity_of(code) == "error"} == {"E"}


def test_compiling_a_refused_project(tmp_path: Path) -> None:
    """A project with errors cannot be compiled."""
    found = load_project(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="the project has 1 errors"):
        found.compiled()
