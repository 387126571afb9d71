"""Kinds of steps: one on each side of the workflow boundary, in the docs, and in a scenario."""

from __future__ import annotations

import importlib
import pkgutil
import re
from pathlib import Path
from typing import Any

import pytest

from sojourn.definitions import compiled, load_texts, steps
from sojourn.workflows import steps as run
from tests.surface.definitions import compiled as compiled_of
from tests.surface.definitions import projects

ROOT = Path(__file__).parents[2]
SIDES = ("sojourn.definitions.steps", "sojourn.workflows.steps")


def test_both_sides_know_the_same_kinds() -> None:
    """What can be written can be run, and the other way round."""
    assert set(steps.KINDS) == set(run.KINDS)


def test_no_module_of_a_kind_is_left_out() -> None:
    """A module that nobody registered would be there in vain: the registry of the one side makes that of the other."""
    models, kinds = (
        [importlib.import_module(f"{side}.{found.name}") for found in pkgutil.iter_modules(package.__path__)]
        for side, package in zip(SIDES, (steps, run), strict=True)
    )
    written = {
        value.kind
        for module in models
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, steps.Step) and value.__module__ == module.__name__
    }
    assert written - {""} == set(steps.KINDS)
    assert {module.__name__.rpartition(".")[2] for module in kinds if hasattr(module, "KIND")} == set(
        run.KINDS
    )


@pytest.mark.parametrize("kind", steps.KINDS)
def test_a_kind_is_a_module_on_each_side(kind: str) -> None:
    """The module has the name of the key that people write."""
    models, kinds = (importlib.import_module(f"{side}.{kind}") for side in SIDES)
    assert steps.KINDS[kind].__module__ == models.__name__
    assert run.KINDS[kind] is kinds.KIND


@pytest.mark.parametrize("kind", steps.KINDS)
def test_a_kind_has_a_section_in_the_docs(kind: str) -> None:
    """The reference has a heading for each kind."""
    page = (ROOT / "docs/reference/definitions.md").read_text()
    assert re.search(rf"^### (?:\w+ and )?{kind}(?: and \w+)?$", page, re.MULTILINE)


@pytest.mark.parametrize("kind", steps.KINDS)
def test_a_kind_has_a_scenario(kind: str) -> None:
    """Some project that has scenarios uses the kind."""
    texts = [path.read_text() for path in (ROOT / "tests/scenarios").rglob("*.yaml")]
    texts += [path.read_text() for path in (ROOT / "sojourn").rglob("*.yaml")]
    assert any(re.search(rf"[\s{{,]{kind}: ", text) or f" {kind}:\n" in text for text in texts)


FILES = {
    "p.yaml": """
event: cart
key: event.customer
schema: {type: object, properties: {customer: {type: string}}, required: [customer]}
---
event: paid
key: event.customer
schema: {type: object, properties: {customer: {type: string}}, required: [customer]}
---
action: send
url: https://example.com/send
method: POST
parameters: {to: {type: string}}
---
journey: j
entry: {event: cart}
steps:
  await: {wait_for: [{event: paid, when: 'event.customer == "x"', next: done}], timeout: {after: "${now - now}"}}
  pause: {wait: {for: "${now - now}"}}
  ask: {condition: [{when: 'entry.customer == "y"', next: done}], else: mail}
  mail: {action: send, with: {to: "${entry.customer}"}, on_error: done}
  done: {end: "${entry.customer}"}
"""
}


@pytest.fixture(scope="module")
def journey() -> dict[str, Any]:
    """Return a compiled journey with steps of many kinds."""
    loaded = load_texts(FILES)
    assert not [problem for problem in loaded.problems if problem.severity == "error"]
    return loaded.compiled()["j"]


def test_the_walk_finds_all_that_leads_on(journey: dict[str, Any]) -> None:
    """Events, timeouts, branches, `else`, `on_error` and `next`."""
    found = {name: list(compiled.targets(step)) for name, step in journey["steps"].items()}
    assert found == {
        "await": ["done", "pause"],
        "pause": ["ask"],
        "ask": ["done", "mail"],
        "mail": ["done", "done"],
        "done": [],
    }


def test_the_walk_finds_all_expressions(journey: dict[str, Any]) -> None:
    """Conditions and templates, also of a timeout."""
    sources = {
        name: [expression.source for expression in compiled.step_expressions(step)]
        for name, step in journey["steps"].items()
    }
    assert sources == {
        "await": ['event.customer == "x"', "now - now"],
        "pause": ["now - now"],
        "ask": ['entry.customer == "y"'],
        "mail": ["entry.customer"],
        "done": ["entry.customer"],
    }


def test_only_waits_wait(journey: dict[str, Any]) -> None:
    """An instance may be moved, and looked for in the Web UI, where it waits; an unknown kind waits nowhere."""
    assert [name for name, step in journey["steps"].items() if compiled.waits(step)] == ["await", "pause"]
    assert not compiled.waits({"kind": "digest"})
    assert not compiled.waits({})


def test_template_fields_are_fields_of_the_compiled_form() -> None:
    """A field that a kind names as a template is one that some recorded journey has in a step of the kind."""
    seen: dict[str, set[str]] = {}
    for folder in projects().values():
        for form in compiled_of(folder).values():
            for step in form["steps"].values():
                seen.setdefault(step["kind"], set()).update(step)
    assert {kind: set(model.templates) - seen.get(kind, set()) for kind, model in steps.KINDS.items()} == {
        kind: set() for kind in steps.KINDS
    }
