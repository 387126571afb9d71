"""Random expressions, evaluated here and by cel-expr-python."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.expressions.differences import EMULATIONS, agree, evaluate, explain
from tests.expressions.oracle import cases

ROOT = Path(__file__).parents[2]
SEED = int(os.environ.get("SOJOURN_DIFFERENTIAL_SEED", "20261123"))
COUNT = 20_000


def test_twenty_thousand_random_expressions_agree(tmp_path: Path) -> None:
    """Every disagreement with Google's implementation is one of the listed differences."""
    pytest.importorskip("cel_expr_python", reason="cel-expr-python is not installed")
    target = tmp_path / "outcomes"
    command = [sys.executable, "-m", "tests.expressions.oracle", str(SEED), str(COUNT), str(target)]
    subprocess.run(command, cwd=ROOT, check=True, timeout=100)
    outcomes = pickle.loads(target.read_bytes())
    counts: Counter[str] = Counter()
    unexplained = []
    for (text, variables), theirs in zip(cases(SEED, COUNT), outcomes, strict=True):
        ours = evaluate(text, variables)
        if agree(ours, theirs):
            counts["both failed" if ours[0] else "same value"] += 1
            continue
        reason = explain(text, variables, ours, theirs)
        counts[reason or "unexplained"] += 1
        if reason is None:
            unexplained.append(f"{text}\n  ours:   {ours}\n  theirs: {theirs}")
    assert not unexplained, f"{len(unexplained)} of {COUNT} (seed {SEED}):\n" + "\n".join(unexplained[:5])
    assert counts["same value"] > COUNT * 0.55, counts
    assert counts["numbers-mix"] > 0, "the generator no longer writes what the differences are about"


def test_every_difference_is_documented() -> None:
    """The reasons that the test accepts are the ones that the documentation gives."""
    documented = (ROOT / "docs" / "reference" / "expressions.md").read_text()
    for name in (*EMULATIONS, "duplicate-keys", "bool-and-number-keys"):
        assert f"`{name}`" in documented, name
