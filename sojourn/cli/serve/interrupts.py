"""Ctrl-C is heard wherever in the code it arrives.

What the handler of a signal raises is lost where that happens to arrive in one of the interpreter's own callbacks, of a
weak reference or a finalizer: Python prints "Exception ignored in" with a traceback, and goes on. Every import of a
module has such callbacks, so that a command that was to end would go on for ever, about once in 500 times at the worst
moment. Here the signal comes again a moment later.
"""

from __future__ import annotations

import signal
import sys
import threading
from typing import Any

_MOMENT = 0.01
"""Seconds after which the signal comes again. By then the callback is over."""

_raised_for: dict[type[BaseException], int] = {}


def hear(exception: type[BaseException], number: int) -> None:
    """See to it that what the handler of a signal raises is not lost in this process.

    Args:
        exception: What it raises.
        number: The signal, such as `signal.SIGINT`.
    """
    if not _raised_for:
        sys.unraisablehook = _Hook(sys.unraisablehook)
    _raised_for[exception] = number


class _Hook:
    """Does what is to be done where Python ignores an exception."""

    def __init__(self, otherwise: Any) -> None:
        self._otherwise = otherwise

    def __call__(self, ignored: Any) -> None:
        number = _raised_for.get(ignored.exc_type)
        if number is None:
            self._otherwise(ignored)
            return
        # To the main thread, which may be in the midst of a system call: only that ends it.
        again = threading.Timer(_MOMENT, signal.pthread_kill, (threading.main_thread().ident, number))
        again.daemon = True
        again.start()
