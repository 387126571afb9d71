"""Expressions a second: Sojourn's beside the CEL libraries for Python, in one run: `python -m benchmarks.expressions`.

Each engine runs in a process of its own, on one core: one of them breaks the interpreter that it ran in. An
expression is compiled once; at each evaluation the data are handed over anew, as in a workflow, whose data change at
every step. The rows `context reused` are what the others reach where the data stay the same.

Two of the libraries are no dependencies of the project: `pip install common-expression-language cel-python` brings
them, and the table says which are missing. The figures are the machine's; look at their ratios.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

TARGET = 500_000
"""Evaluations a second that the simple expression must reach, on one core."""

EXPRESSIONS = {
    "simple": 'event.amount > 100 && profile.country == "GB"',
    "list": 'event.items.exists(i, i.price > 50.0 && i.sku.startsWith("SHOE"))',
    "map": '{"to": profile.email, "items": event.items.map(i, {"sku": i.sku})}',
}

DATA: dict[str, Any] = {
    "event": {
        "amount": 120,
        "cartId": "c-1",
        "items": [{"sku": f"SHOE-{n}" if n == 4 else f"SOCK-{n}", "price": 20.0 * n} for n in range(5)],
    },
    "profile": {
        **{f"attribute{n}": {"value": n, "updated": "2026-01-01T00:00:00Z"} for n in range(198)},
        "country": "GB",
        "email": "ann@example.com",
    },
}
"""An event with five items, and a profile with 200 attributes."""

Evaluate = Callable[[], object]
Engine = Callable[[str], Evaluate]


def sojourn(text: str) -> Evaluate:
    """Sojourn: the data are read in place."""
    from sojourn.expressions import Expression

    expression = Expression(text)
    return lambda: expression.evaluate(DATA)


def cel_expr_python(text: str, *, reuse: bool = False) -> Evaluate:
    """Google's binding of its C++ implementation."""
    from cel_expr_python import cel

    env = _google_env()
    expression = env.compile(text)
    if reuse:
        activation = env.Activation(DATA)
        return lambda: expression.eval(activation).plain_value()
    assert expression.eval(data=DATA).type() != cel.Type.ERROR
    return lambda: expression.eval(data=DATA).plain_value()


_ENVIRONMENTS: list[Any] = []


def _google_env() -> Any:
    """Return the one environment of the process."""
    from cel_expr_python import cel

    if not _ENVIRONMENTS:
        _ENVIRONMENTS.append(cel.NewEnv(variables={"event": cel.Type.DYN, "profile": cel.Type.DYN}))
    return _ENVIRONMENTS[0]


def common_expression_language(text: str, *, reuse: bool = False) -> Evaluate:
    """A binding of the Rust implementation."""
    cel: Any = importlib.import_module("cel")
    program = cel.compile(text)
    if reuse:
        context = cel.Context(DATA)
        return lambda: program.execute(context)
    return lambda: program.execute(cel.Context(DATA))


def cel_python(text: str, *, reuse: bool = False) -> Evaluate:
    """The implementation in Python."""
    celpy: Any = importlib.import_module("celpy")
    environment = celpy.Environment()
    program = environment.program(environment.compile(text))
    if reuse:
        context: Any = {name: celpy.json_to_cel(value) for name, value in DATA.items()}
        return lambda: program.evaluate(context)
    return lambda: program.evaluate({name: celpy.json_to_cel(value) for name, value in DATA.items()})


ENGINES: dict[str, tuple[str, Callable[..., Evaluate], Mapping[str, bool]]] = {
    "sojourn": ("sojourn", sojourn, {}),
    "cel-expr-python": ("cel_expr_python", cel_expr_python, {}),
    "cel-expr-python, context reused": ("cel_expr_python", cel_expr_python, {"reuse": True}),
    "common-expression-language": ("cel", common_expression_language, {}),
    "common-expression-language, context reused": ("cel", common_expression_language, {"reuse": True}),
    "cel-python": ("celpy", cel_python, {}),
    "cel-python, context reused": ("celpy", cel_python, {"reuse": True}),
}
"""The engines by name: the module that each needs, what prepares an evaluation, and how."""


def rate(evaluate: Evaluate, seconds: float) -> float:
    """Return how many evaluations a second run in about so many seconds, without the loop around them."""
    count, took = 1, 0.0
    while took < seconds / 4:
        count *= 2
        took = _time(evaluate, count)
    return count / statistics.median(_time(evaluate, count) for _ in range(3))


def _time(evaluate: Evaluate, count: int) -> float:
    """Return the CPU seconds of so many evaluations."""
    begin = time.process_time()
    for _ in range(count):
        evaluate()
    return time.process_time() - begin


def measure(name: str, seconds: float) -> dict[str, float]:
    """Return the rates of one engine, by expression, and its microseconds to compile the simple one."""
    _, prepare, options = ENGINES[name]
    results = {}
    for label, text in EXPRESSIONS.items():
        evaluate = prepare(text, **options)
        assert evaluate(), label
        results[label] = rate(evaluate, seconds)
    if options:
        return results  # To prepare an evaluation there means to hand over the data, too.
    text = EXPRESSIONS["simple"]
    results["compile"] = 1e6 / rate(lambda: prepare(text, **options), seconds / 2)
    return results


def in_own_process(name: str, seconds: float) -> dict[str, float] | str:
    """Return what `measure` gives in a process of its own, or why there is nothing."""
    module = ENGINES[name][0]
    if importlib.util.find_spec(module) is None:
        return "not installed"
    command = [sys.executable, "-m", "benchmarks.expressions", "--engine", name, "--seconds", str(seconds)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return f"failed: {(done.stderr.strip().splitlines() or ['no message'])[-1][:80]}"
    result: dict[str, float] = json.loads(done.stdout)
    return result


def table(results: Mapping[str, dict[str, float] | str]) -> str:
    """Return the results as a Markdown table."""
    lines = ["| evaluations a second | simple | list | map | compile, µs |", "|---|---:|---:|---:|---:|"]
    for name, result in results.items():
        if isinstance(result, str):
            lines.append(f"| {name} | {result} | | | |")
        else:
            rates = " | ".join(f"{result[label]:,.0f}" for label in EXPRESSIONS)
            compiling = f"{result['compile']:,.0f}" if "compile" in result else ""
            lines.append(f"| {name} | {rates} | {compiling} |")
    return "\n".join(lines)


def main() -> int:
    """Measure all engines and print a table, or one of them and print JSON. Returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", choices=ENGINES, help="measure one engine in this process and print JSON")
    parser.add_argument("--seconds", type=float, default=0.5, help="about how long each measure runs")
    parser.add_argument(
        "--check", action="store_true", help=f"fail if Sojourn stays below {TARGET:,} a second"
    )
    arguments = parser.parse_args()
    if arguments.engine:
        print(json.dumps(measure(arguments.engine, arguments.seconds)), flush=True)
        os._exit(0)  # cel-expr-python crashes the interpreter when it ends.
    results = {name: in_own_process(name, arguments.seconds) for name in ENGINES}
    print("\n".join(f"{label}: `{text}`" for label, text in EXPRESSIONS.items()))
    print(f"\n{table(results)}")
    missing = [name for name, result in results.items() if isinstance(result, str) and "reused" not in name]
    if missing:
        print(f"\nnot measured: {', '.join(missing)} (pip install brings them)")
    ours = results["sojourn"]
    assert isinstance(ours, dict), ours
    return int(arguments.check and ours["simple"] < TARGET)


if __name__ == "__main__":
    sys.exit(main())
