"""The example projects as they are in the repository."""

from __future__ import annotations

import pytest

from sojourn.cli.demos.cart_expected import WAIT_SECONDS
from sojourn.cli.demos.purchases import FILE
from sojourn.cli.demos.stage import PROJECTS, SECRET_NAMES
from sojourn.loading import load_project

EXAMPLES = sorted(path.name for path in PROJECTS.iterdir() if path.is_dir())


def test_there_are_examples() -> None:
    """Both examples of the demo are there."""
    assert {"cart-abandonment", "second-purchase"} <= set(EXAMPLES)
    assert FILE.is_file()


@pytest.mark.parametrize("name", EXAMPLES)
def test_example_is_valid(name: str) -> None:
    """An example has no errors, no warnings, and a README."""
    project = load_project(PROJECTS / name)

    assert [str(problem) for problem in project.problems] == []
    assert project.journeys
    assert (PROJECTS / name / "README.md").read_text("utf-8").startswith("# ")


@pytest.mark.parametrize("name", EXAMPLES)
def test_example_needs_only_what_the_demo_gives(name: str) -> None:
    """Endpoints name the demo shop, whose address the demo replaces, and secrets that the demo makes up."""
    for endpoint in load_project(PROJECTS / name).endpoints.values():
        if endpoint.python is not None:
            continue
        assert endpoint.url.startswith("http://127.0.0.1:8099/")
        assert endpoint.secret_names() <= set(SECRET_NAMES)


def test_wait_of_the_cart_journey() -> None:
    """The expectation, which reads nothing of the journey, waits as long as the journey does."""
    journey = load_project(PROJECTS / "cart-abandonment").compiled()["cart-abandonment"]

    assert journey["steps"]["await-order"]["timeout"]["after"] == WAIT_SECONDS
