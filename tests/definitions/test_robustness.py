"""Whatever a file holds, loading it raises nothing and ends soon."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sojourn.definitions import load_texts
from sojourn.definitions.documents.yaml import read_documents
from sojourn.definitions.limits import DEFAULT_LIMITS
from tests.definitions.cases import CASES
from tests.definitions.projects import BASE, steps

TEXTS = [BASE, *(case.base or case.journey for case in CASES)]
VALUES = [
    document.value
    for text in TEXTS
    for document in read_documents(text, DEFAULT_LIMITS)[0]
    if isinstance(document.value, dict)
]
PIECES = [
    "{",
    "}",
    "[",
    "]",
    ": ",
    "- ",
    "\n",
    "  ",
    "\t",
    "'",
    '"',
    "${",
    "null",
    "5",
    "*a",
    "&a",
    "!x",
    "|",
    "#",
    "---\n",
    "\x00",
    "\u2028",
    "\U0001f600",
]
JUNK = [
    None,
    5,
    -1,
    1.5,
    True,
    "",
    "x",
    "${x}",
    "${entry.total}",
    [],
    {},
    [1],
    {"secret": "X"},
    "1h",
    {"$ref": "#"},
    "a" * 300,
    2**62,
]
RELAXED = settings(max_examples=100, deadline=5000, suppress_health_check=list(HealthCheck), derandomize=True)


def load(files: dict[str, str]) -> None:
    """Load a project, and do with it what programs do."""
    found = load_texts(files)
    for problem in found.problems:
        assert problem.message
        assert problem.line >= 0
        assert problem.code in str(problem)
        json.dumps(problem.as_dict())
    if found.ok:
        json.dumps(found.compiled())
        for endpoint in found.endpoints.values():
            assert type(endpoint).load(endpoint.dump()) == endpoint
            endpoint.rest_parameters()


@RELAXED
@given(st.data())
def test_any_text(data: st.DataObject) -> None:
    """Damaged files are reported, not raised."""
    text = data.draw(st.sampled_from(TEXTS))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(text)))
        piece = data.draw(st.sampled_from(PIECES))
        text = text[:place] + piece + text[place + data.draw(st.integers(0, 8)) :]
    load({"base.yaml": BASE, "x.yaml": text})


@RELAXED
@given(st.data())
def test_any_value_anywhere(data: st.DataObject) -> None:
    """A document with a wrong value in any place is reported, not raised."""
    document = copy.deepcopy(data.draw(st.sampled_from(VALUES)))
    for _ in range(data.draw(st.integers(1, 3))):
        at: Any = document
        while True:
            keys: list[Any] = list(at) if isinstance(at, dict) else list(range(len(at)))
            if not keys:
                break
            key = data.draw(st.sampled_from(keys))
            if isinstance(at[key], dict | list) and at[key] and data.draw(st.booleans()):
                at = at[key]
                continue
            at[key] = copy.deepcopy(data.draw(st.sampled_from(JUNK)))
            break
    load({"base.yaml": BASE, "x.yaml": json.dumps(document)})


MANY = {
    "unknown keys": "event: e\nkey: event.x\n" + "".join(f"kex{i}: 1\n" for i in range(5000)),
    "duplicate keys": "event: e\nkey: event.x\n" + "foo: 1\n" * 20_000,
    "keywords": "event: e\nkey: event.x\nschema:\n" + "".join(f"  kex{i}: 1\n" for i in range(5000)),
    "documents": "event: e\n---\n" * 3000,
    "secrets": "action: a\nurl: https://x.example.com/\nbody:\n"
    + "".join(f"  password{i}: x\n" for i in range(5000)),
    "steps": steps("\n".join(f"s{i}: {{set: {{x: 1}}, next: t{i}}}" for i in range(500))),
    "templates": steps("a: {set: {" + ", ".join(f'x{i}: "${{entry.totl}}"' for i in range(2000)) + "}}"),
    "parameters": steps(
        "a: {action: email.send, with: {" + ", ".join(f"p{i}: 1" for i in range(3000)) + "}}"
    ),
    "nesting": "- " * 100_000,
    "a long text": "event: e\nkey: " + "1" * 900_000,
    "placeholders": "action: a\nurl: https://x.example.com/" + "{" * 300_000,
    "secret patterns": "event: e\nkey: event.x\ndescription: '" + "-----BEGIN eyJ" * 50_000 + "'",
    "schema that doubles": (
        "event: e\nkey: event.x\nschema: {$ref: '#/$defs/d0', $defs: {d20: {}, "
        + ", ".join(
            f"d{i}: {{anyOf: [{{$ref: '#/$defs/d{i + 1}'}}, {{$ref: '#/$defs/d{i + 1}'}}]}}"
            for i in range(20)
        )
        + "}}"
    ),
}


@pytest.mark.timeout(60)  # without bounds some of these would take hours
@pytest.mark.parametrize("text", MANY.values(), ids=MANY.keys())
def test_much_of_anything_ends_soon(text: str) -> None:
    """Files made to cost much are read, and what is said of them stays readable."""
    found = load_texts({"base.yaml": BASE, "x.yaml": text})
    assert len([problem for problem in found.problems if problem.file == "x.yaml"]) <= 2002


def test_warnings_do_not_hide_an_error() -> None:
    """After more warnings than are named, an error still refuses the project."""
    keywords = "".join(f"    kex{i}: 1\n" for i in range(60))
    schema = f"  properties:\n    a:\n{keywords.replace('    ', '      ')}    b:\n{keywords.replace('    ', '      ')}"
    text = f"event: e\nkey: event.a\nschema:\n{schema}"
    fine = load_texts({"x.yaml": text})
    assert fine.ok
    assert fine.problems[-1].code == "W604"
    assert [problem.code for problem in fine.problems].count("W604") == 100
    assert [problem.code for problem in fine.problems].count("W608") == 1
    assert not load_texts({"x.yaml": text.replace("key: event.a", "key: event.c")}).ok
