"""What stands between the worker, the router and Temporal in a test, to see what happens: interceptors, no fakes."""

# ruff: noqa: A002 - the SDK names these parameters

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from temporalio import activity
from temporalio.client import Interceptor as ClientInterceptor
from temporalio.client import (
    OutboundInterceptor,
    SignalWorkflowInput,
    StartWorkflowInput,
    StartWorkflowUpdateInput,
    WorkflowHandle,
    WorkflowUpdateHandle,
)
from temporalio.exceptions import ApplicationError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput
from temporalio.worker import Interceptor as WorkerInterceptor

from sojourn.contract import names
from sojourn.simulation.scripted_answers import CURRENT, Call

_SOON = timedelta(milliseconds=10)
_HOLDS = (names.SIGNAL_PAUSE, names.SIGNAL_RESUME)
_KINDS = {names.ACTIVITY_FETCH: "source", names.ACTIVITY_ACTION: "action"}

Started = Callable[[dict[str, Any], WorkflowHandle[Any, Any]], None]
"""Takes the start input of an instance, and its handle."""


class Messages(ClientInterceptor):
    """Gives every instance that is started the scenario's clock and mode, and says that it was started.

    What operations over a journey send is given the scenario's moment.

    Args:
        clock: Tells the scenario's time.
        mode: What expressions see as `journey.mode`.
        started: Told of every instance.
    """

    def __init__(self, clock: Callable[[], datetime], mode: str, started: Started) -> None:
        self._clock = clock
        self._mode = mode
        self._started = started

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
        """Return what sees the client's calls."""
        return _Outbound(next, self._start, self._clock)

    def _start(self, input: StartWorkflowInput) -> Started | None:
        message = input.args[0] if input.args else None
        if not isinstance(message, dict) or "definition" not in message:
            return None
        message["clock"] = self._clock().isoformat()
        message["mode"] = self._mode
        # Time stands still for each instance, except where the test lets it pass.
        input.time_skipping_config = None
        return self._started


class _Outbound(OutboundInterceptor):
    def __init__(
        self,
        next: OutboundInterceptor,
        start: Callable[[StartWorkflowInput], Started | None],
        clock: Callable[[], datetime],
    ) -> None:
        super().__init__(next)
        self._start = start
        self._clock = clock

    async def signal_workflow(self, input: SignalWorkflowInput) -> None:
        if input.signal in _HOLDS and len(input.args) == 1:
            input.args = [*input.args, self._clock().isoformat()]
        await super().signal_workflow(input)

    async def start_workflow_update(self, input: StartWorkflowUpdateInput) -> WorkflowUpdateHandle[Any]:
        if input.update == names.UPDATE_MOVE and isinstance(input.args[0], dict):
            input.args = [{**input.args[0], "at": self._clock().isoformat()}]
        return await super().start_workflow_update(input)

    async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:
        started = self._start(input)
        handle = await super().start_workflow(input)
        if started is not None:
            started(input.args[0], handle)
        return handle


class Recorder(WorkerInterceptor):
    """Notes every call that a worker makes, and lets no pause between attempts take time.

    Args:
        clock: Tells the scenario's time.
        profile: Tells the profile key of an instance, by its workflow id.

    Attributes:
        calls: The calls, in the order in which they were made.
    """

    def __init__(self, clock: Callable[[], datetime], profile: Callable[[str], str]) -> None:
        self._clock = clock
        self._profile = profile
        self._known: dict[tuple[str, str, str], Call] = {}
        self.calls: list[Call] = []

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        """Return what sees the worker's activities."""
        return _Activities(next, self)

    def call(self, request: Any) -> Call | None:
        """Return the record of the call that the activity which runs makes; nothing where it makes none."""
        info = activity.info()
        kind = _KINDS.get(info.activity_type)
        if kind is None or not isinstance(request, dict):
            return None
        workflow_id = info.workflow_id or ""
        place = (workflow_id, info.workflow_run_id or "", info.activity_id)
        if place not in self._known:
            self._known[place] = Call(
                kind=kind,
                endpoint=str(request.get("endpoint")),
                parameters=request.get("parameters") or {},
                at=self._clock(),
                journey=str(request.get("journey")),
                step=str(request.get("step")),
                workflow_id=workflow_id,
                profile=self._profile(workflow_id),
                idempotency_key=request.get("idempotency_key") if kind == "action" else None,
            )
            self.calls.append(self._known[place])
        return self._known[place]


class _Activities(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, recorder: Recorder) -> None:
        super().__init__(next)
        self._recorder = recorder

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        token = CURRENT.set(self._recorder.call(input.args[0] if input.args else None))
        try:
            return await super().execute_activity(input)
        except ApplicationError as error:
            if error.next_retry_delay is None:
                raise
            # The call's window has counted the pause already; nobody needs to sit through it.
            raise ApplicationError(
                error.message,
                *error.details,
                type=error.type,
                next_retry_delay=min(error.next_retry_delay, _SOON),
                category=error.category,
            ) from None
        finally:
            CURRENT.reset(token)
