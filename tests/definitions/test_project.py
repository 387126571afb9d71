"""Projects are read from folders and from texts, and bad content raises nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from sojourn.definitions import load_project, load_texts
from sojourn.definitions.limits import Limits
from tests.definitions.projects import BASE, brief, project, steps


def test_folder(tmp_path: Path) -> None:
    """Every .yaml and .yml file below the folder is read; hidden folders and other files are not."""
    (tmp_path / "journeys" / "deep").mkdir(parents=True)
    (tmp_path / ".sojourn").mkdir()
    (tmp_path / ".git").mkdir()
    (tmp_path / "base.yml").write_text(BASE)
    (tmp_path / "journeys" / "deep" / "j.yaml").write_text(steps("a: {end: x}"))
    (tmp_path / ".sojourn" / "bad.yaml").write_text("nonsense: [")
    (tmp_path / ".git" / "bad.yaml").write_text("nonsense: [")
    (tmp_path / ".hidden.yaml").write_text("nonsense: [")
    (tmp_path / "README.md").write_text("nonsense: [")
    found = load_project(tmp_path)
    assert found.problems == []
    assert found.ok
    assert sorted(found.files) == ["base.yml", "journeys/deep/j.yaml"]
    assert list(found.events) == ["cart.updated", "order.placed", "profile.unsubscribed"]
    assert list(found.endpoints) == ["source:crm.customer", "action:email.send"]
    assert list(found.journeys) == ["j"]
    assert load_texts(found.files).compiled() == found.compiled()


def test_link_in_a_circle(tmp_path: Path) -> None:
    """A link that leads back into the folder is not followed."""
    (tmp_path / "base.yaml").write_text(BASE)
    (tmp_path / "again").symlink_to(tmp_path)
    assert load_project(tmp_path).problems == []


@pytest.mark.parametrize(
    ("name", "says"), [("none", "does not exist"), ("file", "not a folder"), ("empty", "no .yaml")]
)
def test_no_project(tmp_path: Path, name: str, says: str) -> None:
    """A folder that is none, or holds no definitions, is refused with what to do."""
    (tmp_path / "file").write_text("")
    (tmp_path / "empty").mkdir()
    (found,) = load_project(tmp_path / name).problems
    assert found.code == "E111"
    assert says in found.message
    assert found.hint


def test_unreadable_file(tmp_path: Path) -> None:
    """A file that cannot be opened is named, and the others are read."""
    (tmp_path / "base.yaml").write_text(BASE)
    (tmp_path / "gone.yaml").symlink_to(tmp_path / "nowhere")
    found = load_project(tmp_path)
    assert brief(found.problems) == ["E101 gone.yaml:0:0"]
    assert str(found.problems[0]).startswith("gone.yaml: E101 The file cannot be read: No such file")
    assert "cart.updated" in found.events


def test_not_utf8(tmp_path: Path) -> None:
    """A file in another encoding is named with the place of the first byte that does not fit."""
    (tmp_path / "a.yaml").write_bytes(b"event: e\nkey: event.\xe9\n")
    (found,) = load_project(tmp_path).problems
    assert brief([found]) == ["E102 a.yaml:2:12"]
    assert "0xe9" in found.message


def test_byte_order_mark(tmp_path: Path) -> None:
    """A byte order mark and the line ends of Windows do no harm."""
    (tmp_path / "a.yaml").write_bytes(b"\xef\xbb\xbfevent: e\r\nkey: event.x\r\nwhen: event.y > 1\r\n")
    found = load_project(tmp_path)
    assert found.problems == []
    assert found.events["e"].when == "event.y > 1"


def test_file_too_large(tmp_path: Path) -> None:
    """A file above the limit is not read."""
    (tmp_path / "a.yaml").write_text("# " + "x" * 2000)
    (found,) = load_project(tmp_path, limits=Limits(file_size=1000)).problems
    assert brief([found]) == ["E108 a.yaml:0:0"]
    (same,) = load_texts({"a.yaml": "# " + "x" * 2000}, limits=Limits(file_size=1000)).problems
    assert same.code == "E108"


def test_project_too_large(tmp_path: Path) -> None:
    """Too many files, or too much text in all, are refused."""
    files = {f"{index}.yaml": BASE for index in range(5)}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert [p.code for p in load_texts(files, limits=Limits(files=4)).problems] == ["E108"]
    assert [p.code for p in load_texts(files, limits=Limits(project_size=1000)).problems] == ["E108"]
    assert "E108" in [p.code for p in load_project(tmp_path, limits=Limits(files=4)).problems]


def test_empty_texts() -> None:
    """Texts without any document define nothing and are no mistake."""
    found = load_texts({"a.yaml": "", "b.yaml": "# only a comment\n---\n"})
    assert found.ok
    assert found.compiled() == {}


def test_limit_of_steps_is_a_setting() -> None:
    """How many steps a journey may have can be set."""
    text = {"base.yaml": BASE, "j.yaml": steps("a: {set: {x: 1}}\nb: {set: {x: 1}}\nc: {end: x}")}
    assert [p.code for p in load_texts(text, limits=Limits(steps=2)).problems] == ["E312"]
    assert load_texts(text, limits=Limits(steps=3)).ok


def test_hundred_journeys_load() -> None:
    """A project of a hundred journeys is read, checked and compiled."""
    journey = (
        "a: {wait_for: [{event: order.placed, when: event.cartId == entry.cartId, next: z}], timeout: {after: 1h}}\n"
        'b: {fetch: crm.customer, with: {id: "${entry.customerId}"}, on_error: z}\n'
        "c: {condition: [{when: steps.b.body.optIn, next: d}], else: z}\n"
        'd: {action: email.send, with: {to: "${steps.b.body.email}", template: cart}, on_error: z}\n'
        "z: {end: done}"
    )
    files = {f"{index}.yaml": steps(journey, name=f"j{index}") for index in range(100)}
    found = load_texts({**files, "base.yaml": BASE})
    assert len(found.compiled()) == 100


def test_definitions_without_problems_survive_those_with() -> None:
    """What is right is there even when other documents are wrong, so that tools can show it."""
    found = project(steps("a: {end: x}"), z__yaml="event: e\n")
    assert not found.ok
    assert "j" in found.journeys
    assert "e" not in found.events


def test_longest_wait_and_life_are_limits() -> None:
    """A deployment sets them; a journey that says no timeout lives no longer, and instances keep the limit."""
    text = (
        "event: e\nkey: event.id\n---\njourney: j\nentry: {event: e}\n"
        "steps: {nap: {wait: {for: 20d}}, done: {end: done}}\n"
    )
    limits = Limits.of_days(10, 30)
    assert [p.code for p in load_texts({"a.yaml": text}, limits=limits).problems] == ["E207"]
    shorter = load_texts({"a.yaml": text.replace("20d", "10d")}, limits=limits)
    assert shorter.ok
    compiled = shorter.compiled()["j"]
    assert (compiled["max_wait"], compiled["timeout"]) == (10 * 86_400, 30 * 86_400)
    longer = text.replace("20d", "10d").replace("steps:", "timeout: 31d\nsteps:")
    assert [p.code for p in load_texts({"a.yaml": longer}, limits=limits).problems] == ["E207"]
    assert load_texts({"a.yaml": text.replace("20d", "200d")}, limits=Limits.of_days(200, 365)).errors == []
