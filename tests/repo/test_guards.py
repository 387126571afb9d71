"""The structure and the style of the repository get no worse (see tests/repo/guards and CONTRIBUTING.md)."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.repo.guards import imports, length, lists, names, page, style

REWRITE = "\n(after a merge: python -m tests.repo.guards --write)"


def _fail_if(wrong: Iterable[str]) -> None:
    lines = list(wrong)
    assert not lines, "\n".join(lines) + REWRITE


def test_other_parts_import_a_part_through_its_face() -> None:
    """No import reaches past another part's face, but for those on the list, which only shrinks."""
    _fail_if(lists.compare("deep_imports", imports.deep_imports()))


def test_every_door_is_a_module() -> None:
    """The modules that the parts list as public exist."""
    assert not imports.missing_doors(), "remove them from DOORS"


def test_the_modules_of_a_part_import_each_other_in_no_circle() -> None:
    """No modules of a part import each other in a circle, counting imports inside functions and those for types."""
    _fail_if(lists.compare("circles", imports.circles()))


def test_public_modules_list_their_names() -> None:
    """What a public module defines without an underscore stands in its `__all__`, and nothing else does."""
    assert not names.unlisted_names(), "\n".join(names.unlisted_names().values())


def test_file_names_are_words() -> None:
    """File names consist of words from a list, so that no two are run together."""
    _fail_if(lists.compare("file_names", names.odd_file_names()))


def test_the_list_of_words_holds_no_two_run_together() -> None:
    """The list of words is sorted, each is lower case, and none joins two others of three letters or more."""
    written = lists.FOLDER.joinpath("words.txt").read_text("utf-8").split()
    assert written == sorted(set(written))
    joined = {word for word in written if names.run_together(word, set(written))}
    assert joined <= names.COMPOUNDS, sorted(joined - names.COMPOUNDS)


def test_files_stay_short() -> None:
    """No Python file has more lines than one reads in one go."""
    _fail_if(lists.compare("long_files", length.long_files()))


def test_the_style_guide_is_kept() -> None:
    """No file has more of the words that the style guide replaces than it had."""
    _fail_if(style.excess())


def test_the_page_on_architecture_shows_the_import_table() -> None:
    """Every part has a row on the page, with what the import test allows it."""
    _fail_if(page.differences())


def _package(folder: Path, texts: dict[str, str]) -> dict[str, Path]:
    known = {}
    for number, (module, text) in enumerate(texts.items()):
        path = folder / str(number) / ("__init__.py" if text.startswith("__all__") else "module.py")
        path.parent.mkdir()
        path.write_text(text, "utf-8")
        known[module] = path
    return known


def test_deep_imports_are_found_wherever_they_stand(tmp_path: Path) -> None:
    """Imports inside functions and for types count; those through a face or a door do not."""
    known = _package(
        tmp_path,
        {
            "sojourn.store": "__all__ = ['Store']",
            "sojourn.store.tables": "",
            "sojourn.store.limits": "",
            "sojourn.api.app": (
                "from typing import TYPE_CHECKING\n"
                "from sojourn.store import Store, limits\n"
                "if TYPE_CHECKING:\n    from sojourn.store.tables import A\n"
                "def f():\n    import sojourn.store.tables\n    from sojourn.store import Hidden\n"
                "    from sojourn.store.limits import _private\n"
            ),
            "sojourn.api.server": "from sojourn.api import app",
        },
    )
    assert set(imports.deep_imports(known)) == {
        "sojourn.api.app -> sojourn.store.tables",
        "sojourn.api.app -> sojourn.store",
        "sojourn.api.app -> sojourn.store.limits._private",
    }


def test_circles_are_found_through_functions(tmp_path: Path) -> None:
    """An import inside a function closes a circle; two modules that one imports are none."""
    known = _package(
        tmp_path,
        {
            "sojourn.store.a": "from sojourn.store import b",
            "sojourn.store.b": "from sojourn.store.c import C",
            "sojourn.store.c": "def f():\n    from sojourn.store.a import A",
            "sojourn.store.d": "from sojourn.store import a",
        },
    )
    assert list(imports.circles(known)) == ["sojourn.store.a, sojourn.store.b, sojourn.store.c"]


def test_a_list_reports_what_is_new_and_what_is_gone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An entry that no longer occurs fails as a new one does; written anew, entries keep reasons and the heading stays."""
    monkeypatch.setattr(lists, "FOLDER", tmp_path)
    lists.path_of("some").write_text("# Heading.\nkept  # reason\ngone\n", "utf-8")
    assert lists.compare("some", {"kept": "…", "new": "new one"}) == [
        "new one",
        "some.txt: gone: no longer occurs, remove it",
    ]
    lists.write("some", ["new", "kept"])
    assert lists.path_of("some").read_text("utf-8") == "# Heading.\nkept  # reason\nnew\n"


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("None where there is no such journey.", "where"),
        ("Where a redirect fails, the call fails.", "where"),
        ("also where it helps", "where"),
        ("The date is none.", "none"),
        ("a step behind the wait", "behind"),
        ("The key is to be a text.", "is to"),
        ("what events are to come", "is to"),
        ("The version is not to change.", "is to"),
        ("This tells the caller.", "tell"),
        ("as the schema says", "tell"),
        ("Lets nobody in.", "let"),
    ],
)
def test_the_style_words_are_counted(text: str, word: str) -> None:
    """Each word that the guide replaces is counted once."""
    assert {
        name: len(pattern.findall(text)) for name, pattern in style.WORDS.items() if pattern.search(text)
    } == {word: 1}


@pytest.mark.parametrize(
    "text",
    [
        "The message names the line, and where it stands.",
        "Where an expression begins.",
        "This is where it starts.",
        "Return where a profile stands.",
        "none of them is left",
        "None if there are no events",
        "run the API behind a proxy",
        "files that were left behind",
        "How close it is to the limit",
        "Return the cat to its owner.",
    ],
)
def test_good_english_is_not_counted(text: str) -> None:
    """Uses that the guide does not mean are not counted."""
    assert not [name for name, pattern in style.WORDS.items() if pattern.search(text)]


def test_code_is_no_prose() -> None:
    """Code in backticks and fenced blocks is not counted; docstrings, comments and messages of Python are."""
    assert "where" not in style.prose("`where`\n\n```sql\nwhere\n```\n", markdown=True)
    text = '"""One_two."""\n\n# two two\nx = "three three"\ny = "four"\n'
    assert style.prose(text).split() == ["three", "three", "two", "two"]
