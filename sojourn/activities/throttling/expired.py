"""Tells of calls that expired in their queue: no activity ran that could, so the workflow does.

It costs no history: a worker hands workflows a function from outside their sandbox, which they call while they do not
replay. A worker that dies in that very moment leaves one failure untold.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any

from temporalio.worker import Interceptor, WorkflowInboundInterceptor, WorkflowInterceptorClassInput

from sojourn.activities.errors import EXPIRED, CallError
from sojourn.activities.observer import CallObserver, failure_of
from sojourn.activities.reporting import log_failure
from sojourn.contract import names


class Expiries:
    """Passes on what workflows tell, to the observer of calls.

    Args:
        observer: Is told, in the event loop in which `open` was called.
    """

    def __init__(self, observer: CallObserver | None) -> None:
        self._observer = observer
        self._loop: asyncio.AbstractEventLoop | None = None

    def open(self) -> None:
        """Pass on from now on, in the running event loop."""
        self._loop = asyncio.get_running_loop()

    def expired(self, call: Mapping[str, Any], message: str, status: int | None, retry: bool) -> None:
        """Take note of a call that waited too long for its turn. Called in any thread; never blocks, never raises.

        Args:
            call: Of it `endpoint`, `journey` and `step`.
            message: What happened.
            status: That of the attempt before, where there was one.
            retry: Whether there was an attempt before.
        """
        if self._loop is not None:
            # A loop that is closed belongs to a worker that is gone.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._tell, dict(call), message, status, retry)

    def _tell(self, call: dict[str, Any], message: str, status: int | None, retry: bool) -> None:
        name, attempt = str(call.get("endpoint")), 2 if retry else 1
        # The list and the log say of which endpoint it is.
        error = CallError(EXPIRED, message.removeprefix(f"{name}: "), status=status)
        log_failure("action", name, call, error, attempt, None)
        if self._observer is not None:
            self._observer.failed(failure_of("action", name, call, error, attempt, final=True))


class ExpiryInterceptor(Interceptor):
    """Gives the workflows of a worker the function with which they tell.

    Args:
        expiries: Who is told.
    """

    def __init__(self, expiries: Expiries) -> None:
        self._expiries = expiries

    def workflow_interceptor_class(
        self,
        input: WorkflowInterceptorClassInput,  # noqa: A002 - the name is Temporal's
    ) -> type[WorkflowInboundInterceptor] | None:
        """Add the function; nothing is intercepted."""
        input.unsafe_extern_functions[names.EXTERN_EXPIRED] = self._expiries.expired
        return None
