"""The correct task time for workflow code, even if a query arrives just before a workflow task.

Temporal sends a query to a worker together with the events so far. If a timer fired or a signal came by then, and the
workflow task for it is still on its way, the SDK (1.35) runs the workflow's code with these events at once, and gives
it the time of the task *before* them, which may be weeks ago. What the code computes from that, such as the length of
its next timer, is then sent to Temporal by the task itself. All it takes is an operator who looks at an instance at the
wrong moment: one that is not in memory, or is just waking up.

So a worker refuses such a query. The instance leaves the worker's memory, its task loads it again with the right time,
and the sender of the query asks again: `sojourn.temporal.ask_again.AskAgain` does that.

A task of a server whose clock went back looks the same, because the SDK reports no time twice. It is not held up for
long: Temporal retries it, and it is let through if its time is not in the past by the worker's clock either.
"""

from __future__ import annotations

import dataclasses
import time
from typing import Any

from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.worker import WorkflowInstance, WorkflowInstanceDetails, WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from sojourn.contract import names

_LONGEST = 10.0
"""Seconds for which a run is refused at a time that is not in the past, as all times are under a virtual clock."""

_KEPT = 10_000
"""Most refused runs that a worker's process remembers."""

_MESSAGE = (
    f"{names.QUERY_TOO_EARLY}: the instance is about to run its next task and answers afterwards: ask again"
)


class WrappedRunner(WorkflowRunner):
    """A runner of workflows that delegates to another one.

    Args:
        runner: The other runner.
    """

    def __init__(self, runner: WorkflowRunner) -> None:
        self._runner = runner

    def prepare_workflow(self, defn: Any) -> None:
        """Prepare a workflow type, once for each worker."""
        self._runner.prepare_workflow(defn)

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        """Return the runner of one instance, for as long as it is in memory."""
        return self._runner.create_instance(det)

    def set_worker_level_failure_exception_types(self, types: Any) -> None:
        """Set which exceptions fail a workflow rather than its task."""
        self._runner.set_worker_level_failure_exception_types(types)


class WrappedInstance(WorkflowInstance):
    """A runner of one instance that delegates to another one.

    Args:
        instance: The other one.
    """

    def __init__(self, instance: WorkflowInstance) -> None:
        self._instance = instance

    def activate(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        """Run the instance's next activation and return its completion."""
        return self._instance.activate(act)

    def get_serialization_context(self, command_info: Any) -> Any:
        """Return the data converter's context of a command."""
        return self._instance.get_serialization_context(command_info)

    def get_external_store_context(self, command_info: Any) -> Any:
        """Return the external payload store's context of a command."""
        return self._instance.get_external_store_context(command_info)

    def get_info(self) -> Any:
        """Return the workflow's `Info`."""
        return self._instance.get_info()

    def get_thread_id(self) -> int | None:
        """Return the thread in which the instance runs now; None if it does not run."""
        return self._instance.get_thread_id()


def with_task_time(runner: WorkflowRunner) -> WorkflowRunner:
    """Return a runner that does the same, but never gives an instance the time of another task than its own.

    Args:
        runner: A runner of workflows. Temporal's sandbox stays a subclass of the sandbox, so that other plugins
            recognize it.
    """
    if isinstance(runner, TaskTimeSandbox | TaskTimeRunner):
        return runner
    if type(runner) is SandboxedWorkflowRunner:
        fields = dataclasses.fields(runner)
        return TaskTimeSandbox(**{field.name: getattr(runner, field.name) for field in fields if field.init})
    return TaskTimeRunner(runner)


class TaskTimeRunner(WrappedRunner):
    """A wrapped runner, see `with_task_time`."""

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        """Return the runner of one instance."""
        return _TaskTimeInstance(super().create_instance(det))


class TaskTimeSandbox(SandboxedWorkflowRunner):
    """Temporal's sandbox, see `with_task_time`."""

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        """Return the runner of one instance."""
        return _TaskTimeInstance(super().create_instance(det))


class _TaskTimeInstance(WrappedInstance):
    """An instance that does nothing at the time of an earlier task."""

    def __init__(self, instance: WorkflowInstance) -> None:
        super().__init__(instance)
        self._began = 0
        self._length = 0

    def activate(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        if not self._early(act) or not _refuse(act.run_id, self._began):
            return super().activate(act)
        refused = WorkflowActivationCompletion(run_id=act.run_id)
        refused.failed.failure.message = _MESSAGE
        refused.failed.failure.application_failure_info.type = names.QUERY_TOO_EARLY
        return refused

    def _early(self, act: WorkflowActivation) -> bool:
        """Return whether the activation has events, but not the beginning of the task to which they belong."""
        if not act.HasField("timestamp"):
            return False  # the instance is evicted
        began = act.timestamp.ToNanoseconds()
        if began != self._began:
            self._began, self._length = began, act.history_length
            return False
        # A replay has only completed tasks. If the history merely grew, there is nothing to run, and no harm.
        grown = act.history_length > self._length and not act.is_replaying
        return grown and any(not job.HasField("query_workflow") for job in act.jobs)


_refused: dict[str, tuple[int, float]] = {}


def _refuse(run: str, began: int) -> bool:
    """Return whether to refuse a run that seems queried too early; `began` is its last task's time in nanoseconds."""
    last, since = _refused.pop(run, (0, 0.0))
    if last != began:
        since = time.monotonic()
    _refused[run] = began, since
    if len(_refused) > _KEPT:
        del _refused[next(iter(_refused))]
    return time.monotonic() - since < _LONGEST or time.time_ns() > began
