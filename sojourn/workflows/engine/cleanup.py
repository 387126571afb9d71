"""Cleanup that must not run when an evicted workflow's coroutine is garbage-collected.

A worker that stops evicts its instances without ending their code. Python's garbage collector ends it: with
`GeneratorExit`, in any thread and at any moment, possibly during a workflow task of another instance. Cleanup would
then act on that other instance, although nothing is left that needs it.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from types import TracebackType


class Cleanup:
    """Runs a function at the end of a block, like `finally`, but not if the block is garbage-collected.

    Args:
        run: The function.
    """

    def __init__(self, run: Callable[[], object]) -> None:
        self._run = run

    def __enter__(self) -> None:
        """Enter the block."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the block; what it raised goes on."""
        if kind is None or not issubclass(kind, GeneratorExit):
            self._run()


def raise_if_collected() -> None:
    """Re-raise `GeneratorExit` if the calling code is being garbage-collected, for example in its `finally`.

    Such code may run during another instance's task, and the SDK would answer it with that instance.

    Raises:
        GeneratorExit: The code is being collected. Python expects this error there.
    """
    error = sys.exception()
    if not isinstance(error, GeneratorExit):
        return
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    # An asynchronous generator that the code itself closes ends at a `yield`; a collected coroutine ends at an `await`.
    if trace is None or not trace.tb_frame.f_code.co_flags & inspect.CO_ASYNC_GENERATOR:
        raise error
