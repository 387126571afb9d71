"""`JourneyClient`: journeys for those who have a Temporal client, without the HTTP API."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from temporalio.client import (
    Client,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowQueryRejectedError,
)
from temporalio.common import QueryRejectCondition
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from sojourn._client_messages import event_message, id_of, instance_of
from sojourn.contract import names
from sojourn.contract.instance_state import (
    InstanceState,
    NoInstance,
    Outcome,
    Sent,
    read_outcome,
    read_sent,
    read_state,
    result_of_failure,
)
from sojourn.temporal.ask_again import ask_again
from sojourn.workflows.authoring.events import Event

__all__ = ["InstanceState", "JourneyClient", "NoInstance", "Outcome", "Sent"]


class JourneyClient:
    """Sends events to journeys, and asks and steers their instances, straight through Temporal.

    For services, activities and tests. In workflow code use `sojourn.external`.

    Args:
        client: Of Temporal.
        task_queue: The task queue of the journeys.
        private_keys: The deployment hashes profile keys (`SOJOURN_PRIVATE_KEYS`).
    """

    def __init__(
        self, client: Client, *, task_queue: str = names.TASK_QUEUE, private_keys: bool = False
    ) -> None:
        self._client = client
        self._task_queue = task_queue
        self._private = private_keys

    async def send(
        self,
        event: Event | str,
        data: Any = None,
        *,
        id: str | None = None,  # noqa: A002
        time: datetime | None = None,
    ) -> Sent:
        """Send an event, by the workflow `sojourn.Event`: it starts and reaches instances as over the API.

        Once this began, the event is routed, even if the caller is gone or the database is away for hours. The answer
        comes when it is.

        Args:
            event: An instance of an event class, or a name.
            data: The data that belongs to a name.
            id: The event's id, which makes sending it again harmless; a new one if left out.
            time: When it happened; now if left out.

        Raises:
            temporalio.client.WorkflowFailureError: It is no event; its cause says why.
            temporalio.service.RPCError: Temporal cannot be reached.
            ValueError: Another workflow runs under the event's id.
        """
        identity = id_of(event, id) or str(uuid.uuid4())
        message = event_message(event, data, event_id=identity, time=datetime.now(UTC), given=time)
        try:
            handle: WorkflowHandle[Any, Any] = await self._client.start_workflow(
                names.WORKFLOW_EVENT, message, id=identity, task_queue=self._task_queue, result_type=dict
            )
        except WorkflowAlreadyStartedError:
            handle = await self._being_sent(identity)
        return read_sent(await handle.result())

    async def signal(
        self,
        journey: str | type,
        key: str,
        event: Event | str,
        data: Any = None,
        *,
        per: str | None = None,
        id: str | None = None,  # noqa: A002
        time: datetime | None = None,
    ) -> None:
        """Deliver an event to one running instance, and to nothing else: no rule and no schema is looked at.

        Args:
            journey: The journey's name, or its class.
            key: The profile key.
            event: An instance of an event class, or a name.
            data: The data that belongs to a name.
            per: The value of the journey's second key, where it has one.
            id: The event's id, which counts once in an instance; a new one if left out.
            time: When it happened; now if left out.

        Raises:
            NoInstance: None runs.
        """
        identity = id_of(event, id) or str(uuid.uuid4())
        message = event_message(event, data, event_id=identity, time=datetime.now(UTC), given=time)
        await self._tell(journey, key, per, names.SIGNAL_EVENT, message)

    async def state(self, journey: str | type, key: str, *, per: str | None = None) -> InstanceState:
        """Return where a running instance is. A worker of the journey has to run.

        Raises:
            NoInstance: None runs.
        """
        handle = self.handle(journey, key, per=per)
        with _finding(handle.id):
            try:
                # The host's client need not have the plugin.
                answer = await ask_again(
                    lambda: handle.query(
                        names.QUERY_STATE, result_type=dict, reject_condition=QueryRejectCondition.NOT_OPEN
                    )
                )
            except WorkflowQueryRejectedError:
                raise NoInstance(f"no instance {handle.id!r} runs: it has ended") from None
        return read_state(answer)

    async def result(
        self, journey: str | type, key: str, *, per: str | None = None, run_id: str | None = None
    ) -> Outcome:
        """Wait for the end of an instance, and return how it ended, whichever way.

        Args:
            journey: The journey's name, or its class.
            key: The profile key.
            per: The value of the journey's second key, where it has one.
            run_id: One run of several under that id; the latest if left out.

        Raises:
            NoInstance: There is none.
        """
        identity = instance_of(journey, key, per, self._private)
        handle: WorkflowHandle[Any, Any] = self._client.get_workflow_handle(
            identity, run_id=run_id, result_type=dict
        )
        with _finding(identity):
            try:
                return read_outcome(await handle.result())
            except WorkflowFailureError as error:
                return read_outcome(result_of_failure(identity, error.cause))

    async def exit(
        self, journey: str | type, key: str, reason: str = "exited by a service", *, per: str | None = None
    ) -> None:
        """End a running instance at once, as exited.

        Raises:
            NoInstance: None runs.
        """
        await self._tell(journey, key, per, names.SIGNAL_EXIT, reason)

    async def pause(self, journey: str | type, key: str, *, per: str | None = None) -> None:
        """Let a running instance begin no further step.

        Raises:
            NoInstance: None runs.
        """
        await self._tell(journey, key, per, names.SIGNAL_PAUSE)

    async def resume(self, journey: str | type, key: str, *, per: str | None = None) -> None:
        """Let a paused instance go on.

        Raises:
            NoInstance: None runs.
        """
        await self._tell(journey, key, per, names.SIGNAL_RESUME)

    def handle(
        self, journey: str | type, key: str, *, per: str | None = None
    ) -> WorkflowHandle[Any, dict[str, Any]]:
        """Return Temporal's handle of an instance, for what is not here."""
        return self._client.get_workflow_handle(
            instance_of(journey, key, per, self._private), result_type=dict
        )

    async def _tell(
        self, journey: str | type, key: str, per: str | None, signal: str, *arguments: Any
    ) -> None:
        handle = self.handle(journey, key, per=per)
        with _finding(handle.id):
            await handle.signal(signal, args=arguments)

    async def _being_sent(self, identity: str) -> WorkflowHandle[Any, Any]:
        """Return the workflow that sends this event already."""
        handle: WorkflowHandle[Any, Any] = self._client.get_workflow_handle(identity, result_type=dict)
        found = await handle.describe()
        if found.workflow_type != names.WORKFLOW_EVENT and found.status == WorkflowExecutionStatus.RUNNING:
            raise ValueError(
                f"a workflow of the type {found.workflow_type} runs under the event's id {identity!r}: "
                "give the event another id"
            )
        return handle


@contextmanager
def _finding(identity: str) -> Iterator[None]:
    try:
        yield
    except RPCError as error:
        if error.status != RPCStatusCode.NOT_FOUND:
            raise
        raise NoInstance(f"there is no instance {identity!r}, or it has ended") from None
