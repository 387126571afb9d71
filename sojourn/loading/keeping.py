"""Keeps the code of a project as it is first imported, for as long as the process runs.

Temporal's sandbox imports the module of a journey anew for each instance that it takes up. It would find what the file
holds by then: half of what an author is writing, or the next version, on a worker that still is the one before.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType


class _Kept(SourceFileLoader):
    """Loads a module from the code that this process has of its file, and reads the file only once."""

    codes: dict[str, CodeType] = {}  # noqa: RUF012 - of the process

    def get_code(self, fullname: str) -> CodeType:
        code = self.codes.get(self.path)
        if code is None:
            code = self.codes[self.path] = self.source_to_code(self.get_data(self.path), self.path)
        return code


class _Keeper(MetaPathFinder):
    """Finds the modules of projects as Python does, and gives them a loader that keeps their code."""

    def __init__(self) -> None:
        self.folders: set[Path] = set()
        self._found: dict[str, tuple[str, list[str] | None]] = {}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is None:
            return self._as_it_was(fullname)
        if type(spec.loader) is not SourceFileLoader or spec.origin is None:
            return None
        if "site-packages" in spec.origin or self.folders.isdisjoint(Path(spec.origin).parents):
            return None
        self._found[fullname] = (spec.origin, spec.submodule_search_locations)
        spec.loader = _Kept(fullname, spec.origin)
        return spec

    def _as_it_was(self, fullname: str) -> ModuleSpec | None:
        """Return a module whose file is gone, but not its code."""
        origin, inside = self._found.get(fullname, ("", None))
        if origin not in _Kept.codes:
            return None
        loader = _Kept(fullname, origin)
        return spec_from_file_location(fullname, origin, loader=loader, submodule_search_locations=inside)


_keeper = _Keeper()


def keep_code(folder: Path) -> None:
    """Let files of a project that are imported from now on stay as they are at their first import.

    Args:
        folder: The project's folder.
    """
    _keeper.folders.add(folder.resolve())
    if _keeper not in sys.meta_path:
        sys.meta_path.insert(0, _keeper)
