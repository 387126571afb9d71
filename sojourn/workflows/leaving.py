"""Putting things back behind a block of workflow code, but not for an instance that is only forgotten."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType


class Leaving:
    """Does something when a block of code is left: behind its end, a failure or a cancellation.

    It is `finally` but for one case. A worker that stops forgets the instances in its memory without ending their code:
    Python's collector ends it, with `GeneratorExit` and in whichever thread and at whichever moment it runs, maybe in
    the midst of a workflow task of another instance. What is done then would reach into that one, and there is nothing
    any more that could be put back.

    Args:
        undo: What to do.
    """

    def __init__(self, undo: Callable[[], object]) -> None:
        self._undo = undo

    def __enter__(self) -> None:
        """Enter the block."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the block, and raise what it raised."""
        if kind is None or not issubclass(kind, GeneratorExit):
            self._undo()
