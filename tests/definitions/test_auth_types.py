"""Types of authentication: one on each side, and in the docs."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path

import pytest

from sojourn.activities import auth as activities_auth
from sojourn.activities.auth.authentication import SCHEMES
from sojourn.definitions import auth as definitions_auth
from sojourn.definitions.auth import TYPES, AuthScheme

PAGE = (Path(__file__).parents[2] / "docs/reference/definitions.md").read_text("utf-8")


def test_both_sides_know_the_same_types() -> None:
    """What can be written can be used."""
    assert set(TYPES) == set(SCHEMES)


def test_no_module_of_a_type_is_left_out() -> None:
    """A module that nobody registered would be there in vain: the registry of the one side makes that of the other."""
    sides = []
    for package in (definitions_auth, activities_auth):
        names = [found.name for found in pkgutil.iter_modules(package.__path__)]
        sides.append({name: importlib.import_module(f"{package.__name__}.{name}") for name in names})
    written = {
        name
        for name, module in sides[0].items()
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, AuthScheme)
        and value is not AuthScheme
        and value.__module__ == module.__name__
    }
    assert written == set(TYPES)
    assert {name for name, module in sides[1].items() if hasattr(module, "SCHEME")} == set(SCHEMES)


@pytest.mark.parametrize("key", TYPES)
def test_a_type_is_a_module_on_each_side(key: str) -> None:
    """The module has the name of the value of `type`."""
    assert TYPES[key].__module__ == f"sojourn.definitions.auth.{key}"
    assert importlib.import_module(f"sojourn.activities.auth.{key}").SCHEME is SCHEMES[key]


@pytest.mark.parametrize("key", TYPES)
def test_a_type_says_its_key_once(key: str) -> None:
    """The key of the registry is the only value that the model takes as `type`."""
    assert TYPES[key].model_json_schema()["properties"]["type"]["const"] == key


@pytest.mark.parametrize("key", TYPES)
def test_a_type_is_in_the_docs(key: str) -> None:
    """The section on authentication shows it."""
    section = PAGE[PAGE.index("### Authentication") : PAGE.index("## Journeys")]
    assert f"| `{key}` |" in section
