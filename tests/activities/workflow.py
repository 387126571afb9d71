"""A workflow that makes one call with the options that journeys use."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError

from sojourn.contract import names

RETRIES = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_attempts=4)
GRACE = timedelta(seconds=5)


@workflow.defn(name="tests.Call")
class CallOnce:
    """Makes one call and returns its result, or what its failure says."""

    @workflow.run
    async def run(self, kind: str, call: dict[str, Any], grace: float) -> dict[str, Any]:
        """Call as journeys do: a source in a local activity, an action in an ordinary one."""
        window = timedelta(seconds=call["window"])
        try:
            if kind == "source":
                return dict(
                    await workflow.execute_local_activity(
                        names.ACTIVITY_FETCH,
                        call,
                        activity_id="step#1",
                        schedule_to_close_timeout=window + GRACE,
                        retry_policy=RETRIES,
                    )
                )
            return dict(
                await workflow.execute_activity(
                    names.ACTIVITY_ACTION,
                    call,
                    activity_id="step#1",
                    start_to_close_timeout=window + timedelta(seconds=grace),
                    retry_policy=RETRIES,
                )
            )
        except (ActivityError, ApplicationError) as error:
            cause = error.cause if isinstance(error, ActivityError) else error
            assert isinstance(cause, ApplicationError), repr(cause)
            assert cause.type == names.ERROR_CALL, repr(cause)
            return {"failed": cause.details[0]}
