"""The workflow type `sojourn.Event`: durably routes the event in its input."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError

from sojourn.contract import names
from sojourn.workflows.engine import messages
from sojourn.workflows.engine.values import shorten

ATTEMPT = timedelta(seconds=60)
"""The longest time of one attempt to route. Each call to Temporal and to the database has a bound of its own, too."""

_FOR_EVER = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=30))


@workflow.defn(name=names.WORKFLOW_EVENT)
class EventWorkflow:
    """Routes one event as `POST /v1/events` does, for as long as that takes.

    Any SDK may start it, with the event as its only input: `{id?, name, time?, data}`. If the event has no id, it gets
    the workflow's id. While Temporal or the database cannot be reached, it waits.
    """

    @workflow.run
    async def run(self, *event: Any) -> dict[str, Any]:
        """Route the event.

        Returns:
            What `POST /v1/events` answers for one event: `{id, name, status, protected, instances, refusals}`.

        Raises:
            temporalio.exceptions.ApplicationError: The input is not a valid event (`sojourn.BadInput`).
        """
        checked = _checked(event)
        try:
            answer: dict[str, Any] = await workflow.execute_activity(
                names.ACTIVITY_ROUTE,
                checked,
                activity_id="route",
                start_to_close_timeout=ATTEMPT,
                retry_policy=_FOR_EVER,
                summary=shorten(checked["name"], 190),
                result_type=dict,
            )
        except ActivityError as error:
            # Raised as this workflow's own failure: its callers look for the type there, not one level below.
            cause = error.cause
            if isinstance(cause, ApplicationError) and cause.type == names.ERROR_BAD_INPUT:
                raise ApplicationError(
                    cause.message, *cause.details, type=names.ERROR_BAD_INPUT, non_retryable=True
                ) from None
            raise
        return answer


def _checked(arguments: tuple[Any, ...]) -> dict[str, Any]:
    """Return the event with an id and a time.

    Raises:
        ApplicationError: It is invalid; the message says what is wrong with it.
    """
    try:
        event = messages.only(arguments)
        if not isinstance(event, dict):
            raise messages.BadMessage("an event is a JSON object {id, name, time, data}")
        info = workflow.info()
        complete = dict(event)
        if complete.get("id") is None:
            complete["id"] = info.workflow_id
        if complete.get("time") is None:
            complete["time"] = info.start_time.isoformat()
        messages.parse_event(complete)
    except messages.BadMessage as problem:
        raise messages.bad_input(problem) from None
    return complete
