"""Calls that wait for their turn leave the queue while their instance is paused."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from temporalio import workflow
from temporalio.exceptions import FailureError, is_cancelled_exception

from sojourn.workflows.engine.failures import is_cancelled

if TYPE_CHECKING:
    from sojourn.workflows.engine.instance import Instance


async def at_turn(instance: Instance, begin: Callable[[], workflow.ActivityHandle[Any]]) -> Any:
    """Run an activity that may wait for hours before it begins, and begin it anew behind each pause that comes first.

    Args:
        instance: The instance that waits.
        begin: Starts the activity, whose cancellation is to wait until it is known what became of it: one that had
            its turn when the pause came is finished, and its result counts.

    Returns:
        The activity's result.

    Raises:
        asyncio.CancelledError: An exit came.
        FailureError: The activity failed.
        TimedOut: The instance came to the end of its own time during a pause.
    """
    while True:
        handle = begin()
        await _until(handle, lambda: instance.paused)
        taken_back = not handle.done()
        if taken_back:
            handle.cancel()
            await _until(handle, lambda: False)
        try:
            return await handle
        except (FailureError, asyncio.CancelledError) as error:
            if is_cancelled() or not taken_back or not is_cancelled_exception(error):
                raise
        await instance.proceed()


async def _until(handle: workflow.ActivityHandle[Any], over: Callable[[], bool]) -> None:
    """Wait until an activity is done, or something is so; an exit does not wait for the activity's own end."""
    try:
        await workflow.wait_condition(lambda: handle.done() or over())
    except asyncio.CancelledError:
        handle.cancel()
        raise
