"""YAML is read by the rules of version 1.2, and every value knows its place."""

from __future__ import annotations

from typing import Any

import pytest

from sojourn.definitions.codes import Code
from sojourn.definitions.documents.yaml import read_documents
from sojourn.definitions.limits import DEFAULT_LIMITS, Limits


def read(text: str) -> Any:
    """Return the value of the only document of a text without problems."""
    documents, problems = read_documents(text, DEFAULT_LIMITS)
    assert problems == []
    (document,) = documents
    return document.value


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("NO", "NO"),
        ("yes", "yes"),
        ("on", "on"),
        ("010", 10),
        ("0o17", 15),
        ("0x1F", 31),
        ("1:30", "1:30"),
        ("2026-01-01", "2026-01-01"),
        ("1_000", "1_000"),
        ("-5", -5),
        ("+5", 5),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("1.", 1.0),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("'null'", "null"),
        ('"1"', "1"),
        ("a b", "a b"),
        ("1h", "1h"),
        ("=", "="),
        ("<<", "<<"),
        ("9223372036854775807", 2**63 - 1),
        ("|\n  text\n  more", "text\nmore"),
        (">\n  text\n  more", "text more"),
    ],
)
def test_scalars(written: str, value: Any) -> None:
    """A scalar means what a reader expects, as in YAML 1.2 and unlike in 1.1."""
    found = read(f"a: {written}")["a"]
    assert found == value
    assert type(found) is type(value)


def test_keys_are_texts() -> None:
    """Keys are taken as they are written: `on`, `1` and `true` included."""
    assert read("on: 1\n1: 2\ntrue: 3\nnull: 4\n2026-01-01: 5") == {
        "on": 1,
        "1": 2,
        "true": 3,
        "null": 4,
        "2026-01-01": 5,
    }


def test_several_documents() -> None:
    """A file holds any number of documents, each with places of its own in the file."""
    documents, problems = read_documents("a: 1\n---\n# nothing\n---\nb: [x, {c: 2}]\n", DEFAULT_LIMITS)
    assert problems == []
    assert [document.value for document in documents] == [{"a": 1}, None, {"b": ["x", {"c": 2}]}]
    last = documents[2]
    assert last.place(("b", 1, "c")) == (5, 12)
    assert last.place(("b", 1, "c"), key=True) == (5, 9)
    assert last.place(("b", 1, "missing")) == (5, 8)
    assert last.place(("missing",)) == (5, 1)


@pytest.mark.parametrize(
    ("written", "offset", "place"),
    [
        ("a: xyz", 2, (1, 6)),
        ("a: 'xyz'", 2, (1, 7)),
        ('a: "xyz"', 2, (1, 7)),
        ('a: "x\\tz"', 2, (1, 4)),
        ("a: |\n  xyz\n  abc\n", 5, (3, 4)),
        ("a: >\n  xyz\n  abc\n", 5, (1, 4)),
        ("a: é\U0001f600z", 2, (1, 6)),
    ],
)
def test_place_inside_a_text(written: str, offset: int, place: tuple[int, int]) -> None:
    """A position in a text is found in the file where the text stands there as it is; else the text's start."""
    documents, _ = read_documents(written, DEFAULT_LIMITS)
    assert documents[0].inside(("a",), documents[0].value["a"], offset) == place


@pytest.mark.parametrize(
    ("text", "code", "line", "column", "says"),
    [
        ("a:\n\tb: 1\n", Code.TAB, 2, 1, "tab"),
        ("\ta: 1", Code.TAB, 1, 1, "tab"),
        ("a: b: c", Code.YAML, 1, 5, "in quotes"),
        ("when: a ? b : c", Code.YAML, 1, 13, "in quotes"),
        ("a: {b: ${entry.x}}", Code.YAML, 1, 9, "${...}"),
        ('a: "x" == y', Code.YAML, 1, 8, "quote the whole expression"),
        ("a: [1, 2", Code.YAML, 1, 4, "close it with ]"),
        ("a: 'x", Code.YAML, 1, 4, "Close the quotes"),
        ("a: `x`", Code.YAML, 1, 4, "cannot begin with `"),
        ("a: @x", Code.YAML, 1, 4, "cannot begin with @"),
        ("a: &", Code.YAML, 1, 4, "anchors"),
        ('a: "\\q"', Code.YAML, 1, 5, "single quotes"),
        ("a\x07: 1", Code.YAML, 1, 2, "control character"),
        ("a: x\nb\nc: 1", Code.YAML, 3, 1, "key: value"),
        ("- a\n- b\n c: d", Code.YAML, 3, 3, "indentation"),
        ("? [a]\n: b", Code.YAML, 1, 3, "must be a text"),
        ("a: {{ x }}", Code.YAML, 1, 5, "${...}"),
        ("a: !event.paid", Code.TAG, 1, 4, "'!event.paid'"),
        ("a: !event.paid && event.x", Code.TAG, 1, 4, "'!event.paid'"),
        ("a: !event.paid || event.x", Code.TAG, 1, 4, "'!event.paid'"),
        ("a: !!python/object:os.system x", Code.TAG, 1, 4, "not allowed"),
        ("a: &x 1", Code.ANCHOR, 1, 4, "Anchors"),
        ("a: 1\nb: 2\na: 3", Code.DUPLICATE_KEY, 3, 1, "first on line 1"),
        ("a: 99999999999999999999", Code.WRONG_VALUE, 1, 4, "64 bits"),
        ("a: .nan", Code.WRONG_VALUE, 1, 4, "not a number that JSON has"),
        ("a: \ud800", Code.ENCODING, 1, 1, "surrogate"),
    ],
)
def test_problems(text: str, code: Code, line: int, column: int, says: str) -> None:
    """Broken or unwanted YAML is named with its place and in words that help."""
    _, problems = read_documents(text, DEFAULT_LIMITS)
    found = problems[0]
    assert (found.code, found.line, found.column) == (code, line, column)
    assert says in f"{found.message} {found.hint}"
    assert len(problems) == 1


def test_expression_that_looks_like_a_tag_is_kept() -> None:
    """What is reported as a tag is still checked as the expression that was meant."""
    documents, _ = read_documents("when: !event.paid == event.x", DEFAULT_LIMITS)
    assert documents[0].value == {"when": "!event.paid == event.x"}


def test_documents_before_a_broken_one_are_kept() -> None:
    """What stands before broken YAML is read all the same."""
    documents, problems = read_documents("a: 1\n---\nb: [", DEFAULT_LIMITS)
    assert [document.value for document in documents] == [{"a": 1}]
    assert [problem.code for problem in problems] == [Code.YAML]


@pytest.mark.parametrize("text", ["[" * 100_000, "a: " + "{b: " * 100_000, "- " * 50_000, "? " * 50_000])
def test_deep_nesting_is_bounded(text: str) -> None:
    """Nesting without end is refused, and costs neither time nor the stack."""
    _, problems = read_documents(text, DEFAULT_LIMITS)
    assert problems
    assert problems[0].code in (Code.TOO_LARGE, Code.YAML)


def test_alias_bomb_is_refused() -> None:
    """Aliases that would grow without end are refused before they are expanded."""
    bomb = "a: &a [x, x]\n" + "".join(
        f"{c}: &{c} [*{p}, *{p}]\n" for p, c in zip("abcdefgh", "bcdefghi", strict=True)
    )
    documents, problems = read_documents(bomb, DEFAULT_LIMITS)
    assert {problem.code for problem in problems} == {Code.ANCHOR}
    assert documents[0].value["i"] == [None, None]


def test_number_of_values_is_bounded() -> None:
    """A file with too many values is refused."""
    _, problems = read_documents("- 1\n" * 50, Limits(nodes=20))
    assert [problem.code for problem in problems] == [Code.TOO_LARGE]
