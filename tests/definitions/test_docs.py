"""The two pages of reference are true: errors.md is what the code says, each example of definitions.md runs."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from sojourn.definitions import Project, json_schema, load_texts, steps
from sojourn.definitions.codes import Code
from sojourn.definitions.documents.reading import KINDS
from sojourn.definitions.documents.yaml import read_documents
from sojourn.definitions.explanations import EXPLANATIONS, errors_markdown
from sojourn.definitions.limits import DEFAULT_LIMITS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reference" / "definitions.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
YAML = [text for language, text in BLOCKS if language == "yaml"]
DOCUMENTS = [text for text in YAML if text.split(":")[0] in KINDS]
STEPS = [text for text in YAML if text.split(":")[0] not in KINDS and not text.startswith("#")]


def page_project(more: str = "") -> Project:
    """Return the project that all whole documents of the page make, with one more file."""
    return load_texts({f"{index}.yaml": text for index, text in enumerate([*DOCUMENTS, more])})


def test_page_of_errors_is_what_the_code_says() -> None:
    """The committed page equals the one made from the code."""
    assert (ROOT / "docs" / "reference" / "errors.md").read_text("utf-8") == errors_markdown()


def test_every_code_is_explained() -> None:
    """Each code has an explanation with a meaning and a remedy, and stands in the page once."""
    assert set(EXPLANATIONS) == set(Code)
    page = errors_markdown()
    for code, explanation in EXPLANATIONS.items():
        assert page.count(f"### {code.value}: ") == 1
        assert explanation.title
        assert explanation.meaning.endswith(".")
        assert explanation.remedy.endswith((".", "`."))


def test_documents_of_the_page_are_a_project() -> None:
    """The events, endpoints and journeys of the page load without errors, and compile."""
    found = page_project()
    assert found.errors == []
    assert {"cart-abandonment", "tiny"} == set(found.compiled())
    assert all(problem.code == "W602" for problem in found.warnings), found.warnings


@pytest.mark.parametrize("text", STEPS, ids=lambda text: text.split(":")[0])
def test_steps_of_the_page(text: str) -> None:
    """Each example of steps makes a journey without errors or warnings."""
    indented = "".join(f"  {line}\n" if line else "\n" for line in text.splitlines())
    found = page_project(f"journey: example\nentry: {{event: cart.updated}}\nsteps:\n{indented}")
    assert found.problems == []
    assert found.compiled()["example"]["steps"]


def test_page_shows_every_kind_of_step() -> None:
    """There is an example of each kind."""
    shown = {kind for text in STEPS for kind in steps.KINDS if re.search(rf"\b{kind}:", text)}
    assert shown == set(steps.KINDS)


def test_compiled_form_of_the_page() -> None:
    """The compiled journey that the page shows is that of the journey above it."""
    (shown,) = [json.loads(text) for language, text in BLOCKS if language == "json"]
    compiled = page_project().compiled()["tiny"]
    assert compiled == shown
    assert list(compiled) == list(shown)


def documents(text: str) -> list[Any]:
    """Return the values of a text's documents."""
    return [
        document.value for document in read_documents(text, DEFAULT_LIMITS)[0] if document.value is not None
    ]


def test_page_fits_the_json_schema() -> None:
    """What the page shows, the JSON Schema for editors accepts."""
    validator = jsonschema_rs.validator_for(json_schema(), offline=True)
    for text in DOCUMENTS:
        for document in documents(text):
            assert [error.message for error in validator.iter_errors(document)] == []
    for text in STEPS:
        journey = {"journey": "example", "entry": {"event": "e"}, "steps": documents(text)[0]}
        assert [error.message for error in validator.iter_errors(journey)] == []
