"""What workflow code may not do any more while Python's collector ends it, for an instance that is only forgotten."""

from __future__ import annotations

import inspect
import sys
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


def heed_collection() -> None:
    """Go no further where the code that calls this is being ended by Python's collector, as in a `finally`.

    It may be called in the midst of another instance's task, and whatever it asks the SDK about is that instance's.

    Raises:
        GeneratorExit: It is being ended. Python takes it for the end that it asked for.
    """
    error = sys.exception()
    if not isinstance(error, GeneratorExit):
        return
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    # An asynchronous generator that the code itself closes ends at its `yield`; all else ends where it awaits.
    if trace is None or not trace.tb_frame.f_code.co_flags & inspect.CO_ASYNC_GENERATOR:
        raise error
