"""Imports run one way (DESIGN, section 2; docs/explanation/architecture.md)."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.repo.tree import LINKS, files, modules, shown, tree

BELOW_STORE = {"definitions", "expressions"}
BELOW_ROUTING = {"store", *BELOW_STORE}
BELOW_API = {"routing", "steering", "reports", *BELOW_ROUTING}
BELOW_PLUGIN = {"workflows", "activities", "functions", *BELOW_STORE}
LEAVES = {"contract", "limits", "settings", "temporal"}

ALLOWED: dict[str, set[str]] = {
    "contract": set(),
    "settings": {"contract"},
    "temporal": {"contract", "settings"},
    "expressions": set(),
    "limits": set(),
    "definitions": {"expressions", *LEAVES},
    "functions": {"definitions", "contract"},
    "action": {"functions"},
    "source": {"functions"},
    "journey": {"workflows"},
    "external": {"_client_messages", "contract", "workflows"},
    "client": {"_client_messages", "contract", "temporal", "workflows"},
    "_client_messages": {"contract", "workflows"},
    "loading": {"functions", "workflows", *BELOW_STORE, *LEAVES},
    "workflows": {"functions", *BELOW_STORE, "contract", "settings"},
    "activities": {"functions", *BELOW_STORE, *LEAVES},
    "store": {*BELOW_STORE, *LEAVES},
    "routing": {*BELOW_ROUTING, *LEAVES},
    "steering": {"routing", *BELOW_ROUTING, *LEAVES},
    "reports": {*BELOW_ROUTING, *LEAVES},
    "plugin": {*BELOW_PLUGIN, *LEAVES},
    "simulation": {"plugin", *BELOW_API, *BELOW_PLUGIN, *LEAVES},
    "testing": {"loading", "simulation", *BELOW_API, *BELOW_PLUGIN, *LEAVES},
    "local": {*LEAVES},
    "api": {*BELOW_API, *LEAVES},
    "cli": {
        "api",
        "journey",
        "loading",
        "local",
        "plugin",
        "simulation",
        "testing",
        *BELOW_API,
        *BELOW_PLUGIN,
        *LEAVES,
    },
    "hosting": {"loading", "plugin", *BELOW_API, *BELOW_PLUGIN, *LEAVES},
    "__main__": {"cli"},
    "": {"plugin", *BELOW_PLUGIN},
}
"""What each part may import of Sojourn; "" is the package itself."""

INPUT_AND_OUTPUT = {
    "aiohttp", "alembic", "asyncpg", "fastapi", "httpx", "psycopg", "requests", "rich", "socket",
    "sqlalchemy", "sqlite3", "starlette", "subprocess", "typer", "urllib", "uvicorn", "watchfiles",
}  # fmt: skip
"""What workflow code, and what it stands on, never imports."""


def part_of(module: str) -> str:
    """The part that a module of Sojourn belongs to."""
    return module.partition(".")[2].partition(".")[0]


def imported(module: str, path: Path) -> Iterator[tuple[int, str]]:
    """Every import of a file, with its line, wherever it stands in the code; relative ones resolved."""
    package = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            origin = ".".join(filter(None, (base, node.module)))
            # `from sojourn import names` imports a part, `from sojourn.contract.names import X` a name of it.
            yield from (
                (node.lineno, f"{origin}.{alias.name}" if origin == "sojourn" else origin)
                for alias in node.names
            )


@pytest.mark.parametrize("module", modules())
def test_imports_run_one_way(module: str) -> None:
    """A module imports only parts below its own."""
    part, path = part_of(module), modules()[module]
    assert part in ALLOWED, f"{shown(path)}: say in ALLOWED what the part {part!r} may import"
    wrong = [
        f"{shown(path)}:{line}: sojourn.{part} must not import {name}"
        for line, name in imported(module, path)
        if name.split(".")[0] == "sojourn"
        and part_of(name) in ALLOWED
        and part_of(name) not in ALLOWED[part] | {part, ""}
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("module", [m for m in modules() if part_of(m) in {"workflows", "expressions"}])
def test_workflow_code_does_no_input_or_output(module: str) -> None:
    """Workflow code, and the expressions that it evaluates, import nothing that reads or writes the world."""
    wrong = [
        f"{shown(modules()[module])}:{line}: {name}"
        for line, name in imported(module, modules()[module])
        if name.split(".")[0] in INPUT_AND_OUTPUT
    ]
    assert not wrong, "\n".join(wrong)


def test_importing_workflows_loads_no_store_http_or_activities() -> None:
    """Loading the workflows loads, through whatever they import, no store, no HTTP and no activities."""
    code = "import sys, sojourn.workflows; print('\\n'.join(sys.modules))"
    loaded = set(
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, check=True, text=True
        ).stdout.split()
    )
    forbidden = {
        f"sojourn.{part}" for part in ("store", "activities", "routing", "reports", "api", "cli", "plugin")
    }
    forbidden |= {"aiohttp", "alembic", "asyncpg", "fastapi", "httpx", "sqlalchemy", "uvicorn"}
    assert not loaded & forbidden


def test_nothing_imports_through_the_links() -> None:
    """No file imports `workflows`, `activities` or `api`: it would load their modules twice."""
    wrong = [
        f"{shown(path)}:{line}: {name}"
        for path in files()
        if path.suffix == ".py"
        for line, name in imported("x", path)
        if name.split(".")[0] in LINKS
    ]
    assert not wrong, "\n".join(wrong)
