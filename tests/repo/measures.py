"""Prints measures of the repository: `python -m tests.repo.measures [FOLDER]`."""

from __future__ import annotations

import ast
import io
import statistics
import sys
import tokenize
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.repo.guards import imports
from tests.repo.guards.imports import part_of
from tests.repo.tree import PACKAGE, ROOT

Function = ast.FunctionDef | ast.AsyncFunctionDef


def modules_of(package: Path) -> dict[str, Path]:
    """Return every module of a package, by its dotted name."""
    found = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def lines_of(path: Path) -> int:
    """Return how many lines a file has."""
    return len(path.read_text("utf-8").splitlines())


def _docstring(node: ast.AST) -> int:
    """Return how many lines the docstring of a module, class or function takes; 0 if it has none."""
    body = getattr(node, "body", None)
    if (
        not isinstance(node, ast.Module | ast.ClassDef | Function)
        or not body
        or ast.get_docstring(node) is None
    ):
        return 0
    first = body[0]
    return int(first.end_lineno or first.lineno) - int(first.lineno) + 1


def functions(tree: ast.Module) -> Iterator[int]:
    """Yield the length of every function in lines, without its docstring and decorators."""
    for node in ast.walk(tree):
        if isinstance(node, Function):
            yield (node.end_lineno or node.lineno) - node.lineno + 1 - _docstring(node)


def docstring_lines(tree: ast.Module) -> int:
    """Return how many lines of a module are docstrings."""
    return sum(_docstring(node) for node in ast.walk(tree))


def comments(text: str) -> int:
    """Return how many lines have a comment, those for tools (`noqa`, `type: ignore`, `fmt`) aside."""
    return sum(
        token.type == tokenize.COMMENT
        and not token.string.lstrip("# ").startswith(("noqa", "type:", "fmt:", "ruff:", "pragma"))
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
    )


def spread(values: Sequence[int]) -> str:
    """Return median, mean, ninth decile and maximum."""
    return (
        f"median {statistics.median(values):.0f}, mean {statistics.mean(values):.1f}, "
        f"p90 {statistics.quantiles(values, n=10)[-1]:.0f}, max {max(values)}"
    )


def measures(root: Path) -> dict[str, str]:
    """Return the measures of a checkout, by what is measured."""
    known = modules_of(root / PACKAGE.name)
    trees = {module: ast.parse(path.read_text("utf-8")) for module, path in known.items()}
    lines = {module: lines_of(path) for module, path in known.items()}
    total = sum(lines.values())
    parts: Counter[str] = Counter()
    files: Counter[str] = Counter()
    for module, number in lines.items():
        name = part_of(module) if known[module].parent != root / PACKAGE.name else "(top level)"
        parts[name] += number
        files[name] += 1
    tests = sum(lines_of(path) for path in (root / "tests").rglob("*.py"))
    found = imports.all_imports(known)
    across = {
        (one.importer, one.line, one.target) for one in found if part_of(one.importer) != part_of(one.target)
    }
    deep = [one for one in across if one[2].count(".") > 1]
    return {
        "files": str(len(known)),
        "lines": str(total),
        "by part": ", ".join(f"{part} {number} ({files[part]})" for part, number in parts.most_common()),
        "module": spread(list(lines.values())),
        "function": spread([length for tree in trees.values() for length in functions(tree)]),
        "comments per 100 lines": f"{100 * sum(comments(path.read_text('utf-8')) for path in known.values()) / total:.1f}",
        "docstring lines per 100": f"{100 * sum(map(docstring_lines, trees.values())) / total:.1f}",
        "imports below another part's __init__": f"{len(deep)} of {len(across)} between parts",
        "imports past a face": str(len(imports.deep_imports(known))),
        "circles": "; ".join(imports.circles(known)) or "none",
        "share of cli": f"{100 * parts['cli'] / total:.1f} %",
        "tests": f"{tests} lines, {tests / total:.3f} for each line of the package",
    }


def main() -> None:
    """Print the measures of this checkout, or of the one named."""
    root = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else ROOT
    for name, value in measures(root).items():
        print(f"{name}: {value}")


if __name__ == "__main__":
    main()
