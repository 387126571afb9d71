"""Activities for other workflows: routing an event, and waiting for the end of an instance."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Protocol

from temporalio import activity
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory
from temporalio.service import RPCError, RPCStatusCode

from sojourn.contract import names
from sojourn.contract.instance_state import result_of_failure

LOOK = 20.0
"""Seconds for which one attempt waits for an instance's end; then Temporal makes the next one, and in the pause between
them nothing of this worker is taken up."""

SHORTEST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds between two attempts to see an instance's end."""

_NOT_YET = "sojourn.NotYet"


class EventRouting(Protocol):
    """Routes events to the instances that they concern, as the API does."""

    async def route(self, client: Client, event: dict[str, Any]) -> dict[str, Any]:
        """Return what became of an event, as `POST /v1/events` answers it.

        An `ApplicationError` that is not to be tried again says that it is none; any other exception, that it is to be
        tried again.
        """
        ...


class EventCalls:
    """The activities behind `sojourn.Event`, and behind `sojourn.external` in workflows.

    Args:
        routing: Routes events; without it the activity asks for a worker that can.
    """

    def __init__(self, routing: EventRouting | None = None) -> None:
        self._routing = routing

    @property
    def activities(self) -> list[Callable[..., Any]]:
        """What a worker registers."""
        return [self.route, self.outcome]

    @activity.defn(name=names.ACTIVITY_ROUTE)
    async def route(self, event: dict[str, Any]) -> dict[str, Any]:
        """Route an event.

        Args:
            event: `{"id", "name", "time", "data"}`.

        Returns:
            `{"id", "name", "status", "protected", "instances", "refusals"}`.

        Raises:
            ApplicationError: It is no event, or cannot be routed at the moment.
        """
        if self._routing is None:
            raise ApplicationError(
                "this worker routes no events: run `sojourn worker` on this task queue, or give the Calls(...) of its "
                "plugin some, events=DurableEvents(store, settings)",
                type="sojourn.NoRouting",
            )
        return await self._routing.route(activity.client(), event)

    @activity.defn(name=names.ACTIVITY_OUTCOME)
    async def outcome(self, call: dict[str, Any]) -> dict[str, Any]:
        """Wait for the end of an instance, for a while; the retry policy makes it for ever.

        Args:
            call: `{"workflow_id", "run_id"}`.

        Returns:
            The instance's result.

        Raises:
            ApplicationError: There is no such instance, which is not to be tried again; or it has not ended.
        """
        handle = activity.client().get_workflow_handle(call["workflow_id"], run_id=call.get("run_id"))
        try:
            # Of any type: what came from a worker of another release is taken as it is.
            async with asyncio.timeout(LOOK):
                result: dict[str, Any] = await handle.result(rpc_timeout=timedelta(seconds=LOOK))
        except WorkflowFailureError as error:
            return result_of_failure(call["workflow_id"], error.cause)
        except TimeoutError:
            raise _not_yet() from None
        except RPCError as error:
            if error.status == RPCStatusCode.NOT_FOUND:
                raise ApplicationError(
                    f"there is no instance {call['workflow_id']!r}, or Temporal no longer keeps it",
                    type=names.ERROR_NO_INSTANCE,
                    non_retryable=True,
                ) from None
            raise _not_yet() from error
        return result


def _not_yet() -> ApplicationError:
    attempt = activity.info().attempt
    pause = min(SHORTEST_PAUSE * 2.0 ** min(attempt - 1, 10), LONGEST_PAUSE)
    return ApplicationError(
        "the instance has not ended",
        type=_NOT_YET,
        category=ApplicationErrorCategory.BENIGN,
        next_retry_delay=timedelta(seconds=pause),
    )
