"""The activity that does one round of an operation over instances."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any, Protocol

from temporalio import activity
from temporalio.exceptions import ApplicationError

from sojourn.contract import names

BEAT_SECONDS = 2.0


class Operations(Protocol):
    """Does the work of operations: `sojourn.steering.operations.Operator`."""

    async def work(self, number: int) -> dict[str, Any]:
        """Do one round of an operation; returns the operation as plain JSON, `state` other than `running` at its end.

        Raises:
            LookupError: There is no such operation.
        """
        ...


class Operate:
    """The activity `sojourn.operate`.

    Args:
        operations: Does the work.
    """

    def __init__(self, operations: Operations) -> None:
        self._operations = operations

    @activity.defn(name=names.ACTIVITY_OPERATE)
    async def operate(self, order: dict[str, Any]) -> dict[str, Any]:
        """Do one round of an operation.

        Args:
            order: `{"operation": NUMBER}`.
        """
        beating = asyncio.create_task(_beat())
        try:
            return await self._operations.work(int(order["operation"]))
        except LookupError as error:
            raise ApplicationError(
                str(error), type=names.ERROR_UNKNOWN_OPERATION, non_retryable=True
            ) from None
        finally:
            beating.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await beating


async def _beat() -> None:
    while True:
        activity.heartbeat()
        await asyncio.sleep(BEAT_SECONDS)
