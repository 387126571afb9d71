"""The workflow type `sojourn.Operation`: pauses, resumes or stops all instances of a journey."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import RetryPolicy

from sojourn.contract import names
from sojourn.contract.markdown import escape

BETWEEN_ROUNDS = timedelta(seconds=1)

_RETRIES = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=30))
_HEARTBEAT = timedelta(seconds=10)
_ROUND = timedelta(hours=6)


@workflow.defn(name=names.WORKFLOW_OPERATION)
class Operation:
    """An operation over the instances of a journey. It works in rounds until nothing is left to do.

    Its progress is in the database, so an interrupted round continues where it was.
    """

    def __init__(self) -> None:
        self._progress: dict[str, Any] = {}

    @workflow.run
    async def run(self, order: dict[str, Any]) -> dict[str, Any]:
        """Work until the operation is over.

        Args:
            order: `{"operation": NUMBER}`.

        Returns:
            The operation: `{id, journey, kind, version, state, total, done, failed, created_at, ended_at}`.
        """
        while True:
            self._progress = await workflow.execute_activity(
                names.ACTIVITY_OPERATE,
                order,
                start_to_close_timeout=_ROUND,
                # Detects a worker that was killed, so that another one continues.
                heartbeat_timeout=_HEARTBEAT,
                retry_policy=_RETRIES,
                summary="works on the current instances",
            )
            workflow.set_current_details(_details(self._progress))
            if self._progress.get("state") != "running":
                return self._progress
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(order)
            await workflow.sleep(
                BETWEEN_ROUNDS, summary="waits before it looks for instances that entered meanwhile"
            )

    @workflow.query(name=names.QUERY_STATE, description="The progress of the operation as of its last round.")
    def state(self) -> dict[str, Any]:
        """Return the operation as of its last round; empty before that."""
        return self._progress


def _details(progress: dict[str, Any]) -> str:
    said = f"{progress.get('kind')} of **{escape(str(progress.get('journey')))}**: {progress.get('state')}"
    counts = ", ".join(f"{progress.get(name)} {name}" for name in ("total", "done", "failed"))
    return f"{said}\n\n{counts}"
