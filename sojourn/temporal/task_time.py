"""The time that workflow code is told is that of its own task, also where it was asked something just before it.

Temporal hands a query to a worker together with the events that came until then. Where a timer has fired or a signal
has come by then, and the workflow task that belongs to it is still on its way, the SDK (1.35) runs the workflow's code
on with these events at once, and tells it the time of the task *before* them, which may be weeks ago. What the code
reckons from that, such as the length of its next timer, is then sent to Temporal by the task itself. It needs no more
than an operator who looks at an instance at the wrong moment: one that nobody has in memory, or one that wakes up.

Here a worker refuses such a query. The instance leaves the worker's memory, its task finds it anew and with the right
time, and who asked is to ask again: `sojourn.temporal.ask_again.AskAgain` does.

A task looks the same whose server's clock went back, as the SDK tells no time twice over. It is not held up for long:
Temporal tries it again, and where the time is not past by the worker's clock either, it is let through.
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
"""Seconds for which a run is refused at a time that is not past. Where waits take virtual time, none is."""

_KEPT = 10_000
"""Runs of which a worker's process remembers that they were refused."""

_MESSAGE = f"{names.QUERY_TOO_EARLY}: the instance is about to go on, and answers when it has: ask again"


class RunnerAround(WorkflowRunner):
    """Runs workflows as another runner does.

    Args:
        runner: The other one.
    """

    def __init__(self, runner: WorkflowRunner) -> None:
        self._runner = runner

    def prepare_workflow(self, defn: Any) -> None:
        """Prepare a workflow type, once for each worker."""
        self._runner.prepare_workflow(defn)

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        """Return what runs one instance, from its coming into memory to its leaving it."""
        return self._runner.create_instance(det)

    def set_worker_level_failure_exception_types(self, types: Any) -> None:
        """Note which exceptions fail a workflow rather than its task."""
        self._runner.set_worker_level_failure_exception_types(types)


class InstanceAround(WorkflowInstance):
    """Runs one instance as another object does.

    Args:
        instance: The other one.
    """

    def __init__(self, instance: WorkflowInstance) -> None:
        self._instance = instance

    def activate(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        """Let the instance do what is to be done, and return what came of it."""
        return self._instance.activate(act)

    def get_serialization_context(self, command_info: Any) -> Any:
        """Return what the data converter is told of a command."""
        return self._instance.get_serialization_context(command_info)

    def get_external_store_context(self, command_info: Any) -> Any:
        """Return what a store of large payloads is told of a command."""
        return self._instance.get_external_store_context(command_info)

    def get_info(self) -> Any:
        """Return the workflow's `Info`."""
        return self._instance.get_info()

    def get_thread_id(self) -> int | None:
        """Return the thread in which the instance runs now; nothing where it does not."""
        return self._instance.get_thread_id()


def timely(runner: WorkflowRunner) -> WorkflowRunner:
    """Return a runner that does the same, and tells no instance the time of another task than its own.

    Args:
        runner: Runs workflows. From Temporal's sandbox comes one that other plugins take for it, as it is one.
    """
    if isinstance(runner, TimelySandbox | TimelyRunner):
        return runner
    if type(runner) is SandboxedWorkflowRunner:
        fields = dataclasses.fields(runner)
        return TimelySandbox(**{field.name: getattr(runner, field.name) for field in fields if field.init})
    return TimelyRunner(runner)


class TimelyRunner(RunnerAround):
    """Another runner, see `timely`."""

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        """Return what runs one instance."""
        return _Timely(super().create_instance(det))


class TimelySandbox(SandboxedWorkflowRunner):
    """Temporal's sandbox, see `timely`."""

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        """Return what runs one instance."""
        return _Timely(super().create_instance(det))


class _Timely(InstanceAround):
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
        """Say whether there are events, and not the beginning of the task to which they belong."""
        if not act.HasField("timestamp"):
            return False  # it leaves the memory
        began = act.timestamp.ToNanoseconds()
        if began != self._began:
            self._began, self._length = began, act.history_length
            return False
        # A replay has nothing but tasks that were done. Where the history only got longer there is nothing to do.
        grown = act.history_length > self._length and not act.is_replaying
        return grown and any(not job.HasField("query_workflow") for job in act.jobs)


_refused: dict[str, tuple[int, float]] = {}


def _refuse(run: str, began: int) -> bool:
    """Say whether to refuse a run that seems asked too early, at the time of its last task in nanoseconds."""
    last, since = _refused.pop(run, (0, 0.0))
    if last != began:
        since = time.monotonic()
    _refused[run] = began, since
    if len(_refused) > _KEPT:
        del _refused[next(iter(_refused))]
    return time.monotonic() - since < _LONGEST or time.time_ns() > began
