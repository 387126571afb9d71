"""Imports within the package: those past a part's face, and circles between the modules of a part."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.repo.tree import modules, tree

ANY = "*"

DOORS: dict[str, tuple[str, ...]] = {
    "activities": ("auth.secrets", "errors", "http.response", "http.wire"),
    "api": ("server",),
    "cli": ("main",),
    "contract": (ANY,),
    "definitions": (
        "auth",
        "auth.api_key",
        "auth.basic",
        "auth.custom",
        "auth.oauth2",
        "base",
        "checks.json_schema",
        "codes",
        "compiled",
        "difference",
        "documents.yaml",
        "durations",
        "kinds.endpoint",
        "kinds.journey",
        "limits",
        "problems",
        "rate_limits",
        "steps",
        "steps.log",
    ),
    "expressions": ("times", "types"),
    "functions": ("collecting", "documents"),
    "limits": (ANY,),
    "routing": ("event_workflow", "instance_gateway"),
    "simulation": ("times",),
    "steering": (
        "endpoints",
        "instance_actions",
        "instances",
        "journeys",
        "operations",
        "stuck",
        "versions",
    ),
    "store": (
        "call_failures",
        "entries.records",
        "journey_states",
        "limits",
        "operations",
        "profiles.profiles",
        "version_rules",
    ),
    "temporal": (ANY,),
    "workflows": (
        "steps.log",
        "authoring.define",
        "authoring.errors",
        "authoring.events",
        "authoring.settings",
    ),
}
"""Modules of a part that others may import besides its `__init__`; `*` means every module directly in it.

A module belongs here if it is a concept that other parts speak of, such as an error code or a duration. A module that
one other part needs only as long as nobody has moved the code belongs in `lists/deep_imports.txt`.
"""

FACES = {
    "action": "sojourn.functions",
    "journey": "sojourn.workflows.authoring",
    "source": "sojourn.functions",
    "testing": "sojourn.simulation",
}
"""Parts that are the public face of a folder, and so may import all of it."""


@dataclass(frozen=True)
class Import:
    """An import of one of Sojourn's modules.

    Attributes:
        importer: The module with the import statement.
        line: Its line.
        target: The imported module.
        name: The name taken from it; empty if the module itself is imported.
    """

    importer: str
    line: int
    target: str
    name: str = ""


def part_of(module: str) -> str:
    """Return the part that a module belongs to; empty for the package itself."""
    return module.partition(".")[2].partition(".")[0]


def imports_of(module: str, path: Path, known: dict[str, Path]) -> Iterator[Import]:
    """Yield a file's imports of Sojourn, also those inside functions and under TYPE_CHECKING."""
    package = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (
                Import(module, node.lineno, alias.name) for alias in node.names if alias.name in known
            )
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            origin = ".".join(filter(None, (base, node.module)))
            for alias in node.names:
                if f"{origin}.{alias.name}" in known:
                    yield Import(module, node.lineno, f"{origin}.{alias.name}")
                elif origin in known:
                    yield Import(module, node.lineno, origin, alias.name)


def all_imports(known: dict[str, Path] | None = None) -> list[Import]:
    """Return every import of Sojourn within the package."""
    known = modules() if known is None else known
    return [found for module, path in known.items() for found in imports_of(module, path, known)]


def exported(path: Path) -> set[str] | None:
    """Return the names in a module's `__all__`, or None if it has none."""
    for node in tree(path).body:
        if isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == "__all__" for target in node.targets
        ):
            return set(ast.literal_eval(node.value))
    return None


def past_the_face(found: Import, known: dict[str, Path]) -> bool:
    """Return whether an import reaches another part's module or name that is not public."""
    part = part_of(found.target)
    own = part_of(found.importer)
    if part in {"", own}:
        return False
    if found.name.startswith("_"):
        return True
    if found.target == f"sojourn.{part}":
        public = exported(known[found.target])
        return bool(found.name) and public is not None and found.name not in public
    if own in FACES and f"{found.target}.".startswith(f"{FACES[own]}."):
        return False
    inner = found.target.removeprefix(f"sojourn.{part}.")
    doors = DOORS.get(part, ())
    return not (inner in doors or (ANY in doors and "." not in inner))


def deep_imports(known: dict[str, Path] | None = None) -> dict[str, str]:
    """Return the imports past a part's face: `importer -> target`, each with a message."""
    known = modules() if known is None else known
    deep = {}
    for found in all_imports(known):
        if past_the_face(found, known):
            part = part_of(found.target)
            private = f".{found.name}" if found.name.startswith("_") else ""
            deep[f"{found.importer} -> {found.target}{private}"] = (
                f"{found.importer}, line {found.line}: imports {found.target}{private}, which sojourn.{part} does "
                f"not list as public: export the name in sojourn/{part}/__init__.py, or add the module to DOORS"
            )
    return deep


def missing_doors() -> list[str]:
    """Return the entries of `DOORS` that are no module."""
    return [
        f"sojourn.{part}.{door}"
        for part, doors in sorted(DOORS.items())
        for door in doors
        if door != ANY and f"sojourn.{part}.{door}" not in modules()
    ]


def circles(known: dict[str, Path] | None = None) -> dict[str, str]:
    """Return the circles of imports inside a part: the modules of each, sorted, with a message."""
    known = modules() if known is None else known
    graph: dict[str, set[str]] = {module: set() for module in known}
    for found in all_imports(known):
        if part_of(found.target) == part_of(found.importer) and found.target != found.importer:
            graph[found.importer].add(found.target)
    return {
        ", ".join(sorted(circle)): f"modules that import each other in a circle: {', '.join(sorted(circle))}"
        for circle in _strongly_connected(graph)
        if len(circle) > 1
    }


def _strongly_connected(graph: dict[str, set[str]]) -> list[set[str]]:
    """Tarjan's algorithm."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[set[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for target in sorted(graph[node]):
            if target not in index:
                visit(target)
                low[node] = min(low[node], low[target])
            elif target in stack:
                low[node] = min(low[node], index[target])
        if low[node] == index[node]:
            circle = set()
            while node not in circle:
                circle.add(stack.pop())
            found.append(circle)

    for node in sorted(graph):
        if node not in index:
            visit(node)
    return found
