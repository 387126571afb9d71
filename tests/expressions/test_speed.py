"""What makes the language fast, and the benchmark that says how fast it is."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks import expressions as bench
from sojourn import expressions

ROOT = Path(__file__).parents[2]


class Untouchable(dict[str, Any]):
    """A map of which single keys may be read, and nothing may be gone through or copied."""

    def _refuse(self, *_: object) -> Any:
        raise AssertionError("the whole map was gone through")

    __iter__ = __len__ = keys = values = items = copy = __reversed__ = __or__ = __eq__ = _refuse  # type: ignore[assignment]
    __hash__ = None  # type: ignore[assignment]


def test_data_are_read_in_place() -> None:
    """However large a profile is, an evaluation touches only the fields that it names."""
    event, profile = (
        Untouchable(amount=120),
        Untouchable({f"a{number}": number for number in range(200)}, country="GB"),
    )
    expression = expressions.compile(bench.EXPRESSIONS["simple"])
    assert expression.evaluate({"event": event, "profile": profile}) is True


def test_nothing_is_compiled_twice() -> None:
    """One text is one expression in a process."""
    text = "event.amount > 1 + 2"
    assert expressions.compile(text) is expressions.compile(text)


def test_the_benchmark_prints_a_table_and_says_what_is_missing() -> None:
    """Engines that are not installed are named; those that are have figures."""
    command = [sys.executable, "-m", "benchmarks.expressions", "--seconds", "0.01"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    rows = {line.split("|")[1].strip(): line for line in done.stdout.splitlines() if line.startswith("|")}
    assert set(bench.ENGINES) <= set(rows)
    for name in bench.ENGINES:
        assert "not installed" in rows[name] or re.search(r"\d", rows[name]), rows[name]
        assert "failed" not in rows[name], rows[name]
