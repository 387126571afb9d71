"""The JSON Schema of the format: what editors accept and refuse."""

from __future__ import annotations

import json
from typing import Any

import jsonschema_rs
import pytest

from sojourn.definitions import json_schema, load_project, load_texts
from sojourn.definitions.documents.yaml import read_documents
from sojourn.definitions.limits import DEFAULT_LIMITS
from sojourn.definitions.steps import KINDS
from tests.definitions.cases import CASES
from tests.definitions.projects import BASE, project, steps
from tests.definitions.test_docs import ROOT
from tests.definitions.test_endpoints import DOCUMENTS

SCHEMA = json_schema()
VALIDATOR = jsonschema_rs.validator_for(SCHEMA, offline=True)


def documents(text: str) -> list[Any]:
    """Return the values of a text's documents."""
    return [
        document.value for document in read_documents(text, DEFAULT_LIMITS)[0] if document.value is not None
    ]


def test_is_a_schema() -> None:
    """The schema is valid JSON Schema, plain JSON, and refers to nothing outside."""
    jsonschema_rs.meta.validate(SCHEMA)
    text = json.dumps(SCHEMA)
    assert json.loads(text) == SCHEMA
    assert '"$ref": "http' not in text


@pytest.mark.parametrize("text", [BASE, *DOCUMENTS.values()])
def test_accepts_what_loads(text: str) -> None:
    """Documents without errors fit the schema."""
    for document in documents(text):
        assert [error.message for error in VALIDATOR.iter_errors(document)] == []


def test_accepts_the_examples() -> None:
    """Every document of the examples' definitions fits the schema; scenarios are no definitions."""
    examples = [path for path in (ROOT / "examples").iterdir() if path.is_dir()]
    files = {
        f"{path.name}/{name}": text for path in examples for name, text in load_project(path).files.items()
    }
    assert len(files) > 3
    for name, text in files.items():
        for document in documents(text) if name.endswith((".yaml", ".yml")) else []:
            assert [f"{name}: {error.message}" for error in VALIDATOR.iter_errors(document)] == []


@pytest.mark.parametrize(
    "text",
    [
        "a: {fetch: x, end: y}",
        "a: {}",
        "a: {next: b}",
        "a: {end: y, foo: 1}",
        "a: {wait: {for: 1 hour}}",
        "a: {wait: {for: 1mo}}",
        "a: {wait: {for: 5}}",
        "a: {wait: {for: 1h, until: '${now}'}}",
        "a: {wait: {for: 1h, until_time: '09:00'}}",
        "a: {wait: {for: 1h, on: [mon]}}",
        "a: {wait: {}}",
        "a: {wait_for: []}",
        "a: {wait_for: [{event: e, timeout: 1h}]}",
        "a: {wait: {for: 1h}, on_error: b}",
        "a: {split: {branches: [{share: 100}]}}",
        "a: {split: [{share: 50}, {share: 50}]}",
        "a: {condition: [{next: b}]}",
        "a: {end: 5}",
        "a: 5",
    ],
)
def test_refuses_steps(text: str) -> None:
    """A step of the wrong shape does not fit, as little as it loads."""
    (document,) = documents(steps(text))
    assert not VALIDATOR.is_valid(document)
    assert not project(steps(text)).ok


@pytest.mark.parametrize(
    "text",
    [
        "event: e",
        "event: e\nkey: event.x\nfoo: 1",
        "event: e\nkey: event.x\nname: x",
        "source: s",
        "source: s\nurl: https://x.example.com/\nmethod: PUT",
        "source: s\nurl: https://x.example.com/\nthrottle: {calls: 1, per: 1s}",
        "action: a\nurl: https://x.example.com/\ncache: 1m",
        "action: a\nurl: https://x.example.com/\nauth: {type: bearer, token: abc}",
        "action: a\nurl: https://x.example.com/\nkind: action",
        "action: a\nurl: ftp://x.example.com/",
        "action: a\nurl: x.example.com/",
        "action: a b\nurl: https://x.example.com/",
        "action: a\nurl: https://x.example.com/\ncap: {calls: 0, per: 1s}",
        "action: a\nurl: https://x.example.com/\nauth: {type: bearer, token: {secret: 'A B'}}",
        "event: -e\nkey: event.x",
        "journey: Welcome\nentry: {event: e}\nsteps: {a: {end: x}}",
        "journey: j\nsteps: {a: {end: x}}",
        "journey: j\nentry: {event: e}",
        "other: x",
        "- a",
    ],
)
def test_refuses_documents(text: str) -> None:
    """A document of the wrong shape does not fit, as little as it loads."""
    (document,) = documents(text)
    assert not VALIDATOR.is_valid(document)
    assert not load_texts({"a.yaml": text}).ok


def test_unknown_and_missing_keys_are_refused_by_both() -> None:
    """Whatever the loader calls an unknown key or a missing kind, the schema refuses as well."""
    checked = 0
    for case in CASES:
        if {entry.split()[0] for entry in case.expected} & {"E201", "E301", "E302"}:
            checked += 1
            assert not all(
                VALIDATOR.is_valid(document) for document in documents(case.base or case.journey)
            ), case.id
    assert checked > 8


def test_every_kind_is_described() -> None:
    """Each kind of step and of document is there, with a description for the editor."""
    choices = SCHEMA["$defs"]["journey-document"]["properties"]["steps"]["additionalProperties"]["oneOf"]
    parts = [SCHEMA["$defs"][choice["$ref"].rpartition("/")[2]] for choice in choices]
    assert [kind for part in parts for kind in KINDS if kind in part["required"]] == list(KINDS)
    assert all(part["description"] for part in parts)
    assert [choice["$ref"].rpartition("/")[2] for choice in SCHEMA["oneOf"]] == [
        "event-document",
        "source-document",
        "action-document",
        "profile-document",
        "journey-document",
    ]
