"""What the documentation says of expressions is true."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from sojourn.expressions import compile as compile_expression
from sojourn.expressions import compile_template, limits, map_of
from sojourn.expressions.functions.patterns import MAX_PATTERN

TEXT = (Path(__file__).parents[2] / "docs" / "reference" / "expressions.md").read_text()
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", TEXT, re.DOTALL)
DATA: dict[str, Any] = {
    "event": {"total": 120, "items": [{"sku": "SHOE-1", "quantity": 2}]},
    "profile": {"country": "GB", "lastOrder": "2026-06-01T00:00:00Z"},
    "steps": {"customer": {"body": {"tier": "gold"}}},
    "entry": {"customerId": "c-1", "items": [{"sku": "a"}, {"sku": "b"}, {"sku": "c"}]},
    "now": datetime(2026, 6, 15, tzinfo=UTC),
}  # fmt: skip


def test_the_first_examples_run() -> None:
    """Each of the examples at the top is an expression that works."""
    lines = BLOCKS[0][1].splitlines()
    values = [compile_expression(line).evaluate(DATA) for line in lines]
    assert values == [True, True, "en", True, "vip"]


def test_the_example_of_templates_does_what_its_comments_say() -> None:
    """The YAML of the chapter on templates gives what stands beside it."""
    [source] = [text for language, text in BLOCKS if language == "yaml"]
    assert compile_template(yaml.safe_load(source)["with"]).evaluate(DATA) == {
        "id": "c-1", "subject": "Your 3 items", "items": [{"sku": "a"}, {"sku": "b"}, {"sku": "c"}],
        "price": "costs ${total}",
    }  # fmt: skip


def test_the_example_of_an_error_is_what_is_said() -> None:
    """The example of an error shows the real caret, message and hint."""
    [source] = [text for _, text in BLOCKS if "cartID" in text]
    expression = compile_expression(source.splitlines()[0])
    cart = map_of({"cartId": compile_expression("''").type({})})
    [finding] = expression.check({"event": cart, "entry": cart})
    assert source.splitlines() == [expression.source, " " * finding.position + "^", str(finding)]


def test_the_bounds_are_the_real_ones() -> None:
    """The table of bounds gives the constants of the code."""
    for bound in (
        limits.MAX_SOURCE, limits.MAX_TEMPLATE, limits.MAX_NESTING, limits.MAX_DEPTH, limits.MAX_LIST, limits.MAX_TEXT,
        limits.MAX_DATA_DEPTH, limits.MAX_WORK, MAX_PATTERN,
    ):  # fmt: skip
        assert f"| {bound:,}" in TEXT, bound
