"""Names: words of file names, and the names that public modules define."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.repo.guards.imports import exported
from tests.repo.guards.lists import FOLDER
from tests.repo.tree import PACKAGE, ROOT, files, shown, tree

PUBLIC_MODULES = (
    "__init__.py",
    "action.py",
    "client.py",
    "external.py",
    "hosting.py",
    "journey.py",
    "plugin.py",
    "settings.py",
    "source.py",
    "testing/__init__.py",
)
"""The modules that users of Sojourn import."""


COMPOUNDS = {"cloudevents", "database", "databases", "endpoint", "runtime"}
"""Words of the list that look like two run together, and are one."""


def words() -> set[str]:
    """Return the words that file names may consist of."""
    return set((FOLDER / "words.txt").read_text("utf-8").split())


def words_of(path: Path) -> list[str]:
    """Return the words of a file's name: its parts between `_`, without numbers of their own."""
    return [word for word in path.stem.split("_") if word and not word.isdigit()]


def named_files() -> list[Path]:
    """Return the Python files and pages whose names are checked."""
    return [path for path in files() if path.suffix == ".py" and "data" not in path.relative_to(ROOT).parts]


def odd_file_names() -> dict[str, str]:
    """Return the files with a name that has a word not in `words.txt`, each with a message."""
    known = words()
    odd = {}
    for path in named_files():
        unknown = [word for word in words_of(path) if word not in known]
        if unknown:
            odd[shown(path)] = (
                f"{shown(path)}: {', '.join(unknown)}: not a word of lists/words.txt. Separate two words by an underscore, "
                "better name a folder for the concept; add the word if it is one"
            )
    return odd


def unlisted_names() -> dict[str, str]:
    """Return public names that a public module defines but does not list in `__all__`, and listed ones that are not there."""
    wrong = {}
    for name in PUBLIC_MODULES:
        path = PACKAGE / name
        listed = exported(path)
        if listed is None:
            wrong[f"{shown(path)}: __all__"] = f"{shown(path)} has no __all__"
            continue
        defined = _defined(tree(path))
        for missing in sorted(item for item in defined - listed if not item.startswith("_")):
            wrong[f"{shown(path)}: {missing}"] = f"{shown(path)}: __all__ does not list {missing}"
        visible = defined | _imported(tree(path))
        for missing in sorted(listed - visible):
            wrong[f"{shown(path)}: {missing}"] = f"{shown(path)}: __all__ lists {missing}, which is not there"
    return wrong


def _defined(module: ast.Module) -> set[str]:
    names = set()
    for node in module.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names |= {target.id for target in targets if isinstance(target, ast.Name)}
    return names


def _imported(module: ast.Module) -> set[str]:
    return {
        (alias.asname or alias.name).partition(".")[0]
        for node in ast.walk(module)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }


def run_together(word: str, known: set[str]) -> bool:
    """Return whether a word is two known words run together, such as `secondkeys`."""
    return any(word[:cut] in known and word[cut:] in known for cut in range(3, len(word) - 2))
