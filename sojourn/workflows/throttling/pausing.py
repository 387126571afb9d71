"""Pauses of queued calls: a call leaves the queue while its instance is paused."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from temporalio import workflow
from temporalio.exceptions import FailureError, is_cancelled_exception

from sojourn.workflows.engine.failures import is_cancelled

if TYPE_CHECKING:
    from sojourn.workflows.engine.instance import Instance


async def run_unless_paused(instance: Instance, begin: Callable[[], workflow.ActivityHandle[Any]]) -> Any:
    """Run an activity that may wait for hours before it begins. A pause cancels it; afterwards it begins again.

    Args:
        instance: The instance that waits.
        begin: Starts the activity. Its cancellation must wait for the activity's own end: a call that had its turn when
            the pause came is finished, and its result counts.

    Returns:
        The activity's result.

    Raises:
        asyncio.CancelledError: An exit came.
        FailureError: The activity failed.
        TimedOut: The instance reached the end of its own time during a pause.
    """
    while True:
        handle = begin()
        await _until(handle, lambda: instance.paused)
        withdrawn = not handle.done()
        if withdrawn:
            handle.cancel()
            await _until(handle, lambda: False)
        try:
            return await handle
        except (FailureError, asyncio.CancelledError) as error:
            if is_cancelled() or not withdrawn or not is_cancelled_exception(error):
                raise
        await instance.proceed()


async def _until(handle: workflow.ActivityHandle[Any], over: Callable[[], bool]) -> None:
    """Wait until an activity is done or a condition is true. An exit does not wait for the activity's own end."""
    try:
        await workflow.wait_condition(lambda: handle.done() or over())
    except asyncio.CancelledError:
        handle.cancel()
        raise
