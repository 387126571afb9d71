"""Whatever a file holds, loading it raises nothing and ends soon."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sojourn.definitions import load_texts
from sojourn.definitions.limits import DEFAULT_LIMITS
from sojourn.definitions.yamlfile import read_documents
from tests.definitions.cases import CASES
from tests.definitions.projects import BASE

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
RELAXED = settings(max_examples=200, deadline=5000, suppress_health_check=list(HealthCheck), derandomize=True)


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
