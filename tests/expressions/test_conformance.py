"""The official conformance cases of CEL."""

from __future__ import annotations

from collections import Counter
from itertools import groupby
from pathlib import Path

import pytest

from sojourn.expressions import ExpressionError
from sojourn.expressions import compile as compile_expression
from tests.expressions.conformance import CASES, Case, kinds, read_cases, read_value, same

DOCUMENT = Path(__file__).parents[2] / "docs" / "reference" / "expressions.md"

DIFFERENCES = {
    "dotted-names": {"fields/qualified_identifier_resolution/ident_with_longest_prefix_check"},
    "int-for-double": {"math_ext/round/dyn_error", "math_ext/trunc/dyn_error"},
    "unknown-functions": "parse/receiver_function_names/",
    "microseconds": {
        "timestamps/timestamp_arithmetic/add_time_to_duration_nanos_negative",
        "timestamps/timestamp_arithmetic/add_time_to_duration_nanos_positive",
        "timestamps/timestamp_conversions/toString_timestamp_nanos",
        "timestamps/timestamp_range/add_duration_nanos_under",
    },
}
"""The cases that fail on purpose, by the difference that is the reason; a prefix, or their ids."""

GROUPS = {
    key: list(cases) for key, cases in groupby(read_cases(), key=lambda case: f"{case.file}/{case.section}")
}


def left_out(case: Case) -> str | None:
    """Return why a case does not concern us, or None if it does."""
    used = {kind for value in [case.expected, *case.bindings.values()] for kind in kinds(value)}
    message = ""
    try:
        compile_expression(case.expr)
    except ExpressionError as error:
        message = error.message
    if "uint" in used or "nsigned numbers are not a type" in message or case.expr in ("uint", "type(64u)"):
        return "unsigned"
    if "bytes" in used or "ytes are not a type" in message:
        return "bytes"
    return None


def difference(case: Case) -> str | None:
    """Return the deliberate difference that makes a case fail, or None."""
    for name, ids in DIFFERENCES.items():
        if case.id.startswith(ids) if isinstance(ids, str) else case.id in ids:
            return name
    return None


def passes(case: Case) -> bool:
    """Whether a case gives what it must."""
    try:
        variables = {name: read_value(value) for name, value in case.bindings.items()}
        value = compile_expression(case.expr).evaluate(variables)
    except ValueError:
        return case.expected is None
    return case.expected is not None and same(value, read_value(case.expected))


needs_cases = pytest.mark.skipif(
    not CASES.exists(), reason="the conformance cases are not beside the project"
)


@needs_cases
@pytest.mark.parametrize("group", GROUPS or ["none"])
def test_cases_pass(group: str) -> None:
    """Every case that concerns the types of the language passes, but for the listed differences."""
    failed = [
        f"{case.name}: {case.expr}"
        for case in GROUPS[group]
        if not left_out(case) and not difference(case) and not passes(case)
    ]
    assert not failed, "\n".join(failed)


@needs_cases
def test_differences_are_still_differences() -> None:
    """A case that is listed as different does fail; once it passes, it leaves the list."""
    assert [case.id for cases in GROUPS.values() for case in cases if difference(case) and passes(case)] == []


@needs_cases
def test_table_of_cases_is_up_to_date() -> None:
    """The table in the documentation counts what the suite does."""
    assert table() in DOCUMENT.read_text(), f"put this into {DOCUMENT.name}:\n{table()}"


def table() -> str:
    """Return the table of cases passed and left out, as Markdown."""
    counts: dict[str, Counter[str]] = {}
    for cases in GROUPS.values():
        for case in cases:
            counts.setdefault(case.file, Counter())[left_out(case) or difference(case) or "passed"] += 1
    columns = ["passed", "unsigned", "bytes", *DIFFERENCES]
    lines = [["file", *columns], ["---"] * (len(columns) + 1)]
    lines += [
        [file, *(str(count[column]) if count[column] else "" for column in columns)]
        for file, count in counts.items()
    ]
    total = sum(counts.values(), Counter[str]())
    lines.append(["all", *(str(total[column]) for column in columns)])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
