"""What cel-expr-python, Google's own implementation, makes of random expressions.

Run as a process of its own: the library loses references to None, so that an interpreter that used it dies when it
ends, or earlier. It is asked for values; errors come back from it as values of the type ERROR.
"""

from __future__ import annotations

import os
import pickle
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.expressions.generator import Generator, data

VARIABLES = ("x", "y", "event")


def cases(seed: int, count: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield random expressions, each with data; for one seed always the same."""
    rng = random.Random(seed)
    records = [data(rng) for _ in range(200)]
    for _ in range(count):
        text = Generator(rng).expression(rng.choice([2, 3, 4]))
        yield text, {name: rng.choice(records) for name in VARIABLES}


def main(seed: int, count: int, target: Path) -> None:
    """Write a list of outcomes to a file: pairs of whether it failed, and the value or the message."""
    from cel_expr_python import cel
    from cel_expr_python.ext import ext_math, ext_strings

    spare = [None] * 10_000_000  # References to None for the library to lose.
    env = cel.NewEnv(
        variables=dict.fromkeys(VARIABLES, cel.Type.DYN),
        extensions=[ext_strings.ExtStrings(), ext_math.ExtMath()],
    )
    outcomes: list[tuple[bool, Any]] = []
    for text, variables in cases(seed, count):
        try:
            value = env.compile(text, disable_check=True).eval(data=variables)
        except Exception as error:
            outcomes.append((True, str(error)))
            continue
        outcomes.append((value.type() == cel.Type.ERROR, value.plain_value()))
    target.write_bytes(pickle.dumps(outcomes))
    assert spare
    os._exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
