"""Sees, in a worker, the developer's code fail: workflow tasks by the instances' runner, functions by their log.

Temporal's SDK only logs a failed workflow task, and Temporal's server tries it again for ever. The runner, which makes
the object that runs an instance, sees both what the task came to and why an instance is put out of memory.
"""

from __future__ import annotations

import logging
import os
import re
import traceback
from pathlib import Path
from typing import Any

from temporalio import activity
from temporalio.api.failure.v1 import Failure
from temporalio.bridge.proto.workflow_activation import RemoveFromCache, WorkflowActivation
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.plugin import SimplePlugin
from temporalio.worker import (
    UnsandboxedWorkflowRunner,
    WorkerConfig,
    WorkflowInstance,
    WorkflowInstanceDetails,
    WorkflowRunner,
)

from sojourn.cli.dev.failures.frames import Frame, frames_of, own_place
from sojourn.cli.dev.failures.pipe import Mishap, Writer
from sojourn.contract import names
from sojourn.steering.stuck import CODE_ERROR, NONDETERMINISM, message_of
from sojourn.temporal.task_time import WrappedInstance, WrappedRunner

log = logging.getLogger("sojourn.worker")

FUNCTIONS = "sojourn.activities"
"""The logger that has, with each exception of a function, the exception itself."""

_MESSAGE = re.compile(r'message: "((?:[^"\\]|\\.)+)"')
"""The text of a failure in what Temporal's core says of it, which is written for who develops that."""


class Watching(SimplePlugin):
    """Tells of the code of a project that fails. To be given after what makes the worker one of journeys.

    Where `sojourn dev` has not handed down a pipe, it only logs what the SDK logs without saying of which instance.

    Args:
        project: The project's folder, where there is one.
    """

    def __init__(self, project: Path | None) -> None:
        super().__init__("sojourn.Watching")
        # Modules have the names of their files as they are, whatever way leads to them.
        self._project = project.resolve() if project is not None else None
        self._writer = Writer.inherited(os.environ)
        if self._writer is not None:
            logging.getLogger(FUNCTIONS).addHandler(_Functions(self._writer, self._project))

    def configure_worker(self, config: WorkerConfig) -> WorkerConfig:
        """Look at all instances of a worker."""
        config = super().configure_worker(config)
        plain = config.get("unsandboxed_workflow_runner") or UnsandboxedWorkflowRunner()
        config["unsandboxed_workflow_runner"] = _Runner(plain, self._writer, self._project)
        if (runner := config.get("workflow_runner")) is not None:
            config["workflow_runner"] = _Runner(runner, self._writer, self._project)
        return config


class _Runner(WrappedRunner):
    """Runs instances as another runner does, and looks at them."""

    def __init__(self, runner: WorkflowRunner, writer: Writer | None, project: Path | None) -> None:
        super().__init__(runner)
        self._writer, self._project = writer, project

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        made = super().create_instance(det)
        return _Instance(made, det.info.workflow_id, self._writer, self._project)


class _Instance(WrappedInstance):
    """An instance that is looked at: one from its coming into memory to its leaving it."""

    def __init__(
        self, instance: WorkflowInstance, identity: str, writer: Writer | None, project: Path | None
    ) -> None:
        super().__init__(instance)
        self._identity, self._writer, self._project = identity, writer, project
        self._stands = self._goes_on = False

    def activate(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        completion = super().activate(act)
        try:
            self._look(act, completion)
        except Exception:
            log.exception("What became of a workflow task could not be told")
        return completion

    def _look(self, act: WorkflowActivation, completion: WorkflowActivationCompletion) -> None:
        leaving = next((job.remove_from_cache for job in act.jobs if job.HasField("remove_from_cache")), None)
        if leaving is not None:
            self._left(leaving)
        elif self._writer is None:
            return  # the SDK has logged it
        elif completion.HasField("failed"):
            failure = completion.failed.failure
            if failure.application_failure_info.type == names.QUERY_TOO_EARLY:
                return  # nothing failed but a question
            differs = failure.application_failure_info.type == "NondeterminismError"
            self._stands = True
            self._tell("stands", NONDETERMINISM if differs else CODE_ERROR, failure)
        elif act.is_replaying or all(job.HasField("query_workflow") for job in act.jobs):
            # Whether the past is the same shows only when the present is reached.
            return
        else:
            self._stands = False
            self._done(completion)

    def _done(self, completion: WorkflowActivationCompletion) -> None:
        """Tell of a task that was done: that the instance goes on, once, or has failed."""
        for command in completion.successful.commands:
            if command.HasField("fail_workflow_execution"):
                failure = command.fail_workflow_execution.failure
                self._tell("failed", failure.application_failure_info.type, failure)
                return
        if not self._goes_on:
            self._goes_on = self._write(self._mishap("goes_on"))

    def _left(self, leaving: RemoveFromCache) -> None:
        """Tell why an instance leaves the memory, where that says that it stands still."""
        found = _MESSAGE.search(leaving.message)
        message = (found[1] if found else leaving.message).rstrip(".")
        if leaving.reason == RemoveFromCache.NONDETERMINISM:
            log.error("%s does not do again what it has done, and stands still: %s", self._identity, message)
            self._tell("stands", NONDETERMINISM, Failure(message=message))
        elif leaving.reason == RemoveFromCache.LANG_FAIL and not self._stands:
            # The SDK itself failed the task, and logged it: the code did not give way in time.
            self._tell("stands", CODE_ERROR, Failure(message=message))

    def _tell(self, what: Any, code: str, failure: Failure) -> None:
        place, source = own_place(frames_of(failure.stack_trace), self._project)
        message = message_of(failure) if what == "stands" else failure.message
        self._write(self._mishap(what, code=code, message=message, place=place, source=source))

    def _write(self, mishap: Mishap) -> bool:
        return self._writer is not None and self._writer.write(mishap)

    def _mishap(self, what: Any, **more: Any) -> Mishap:
        return Mishap(what, names.parts_of(self._identity)[0], self._identity, **more)


class _Functions(logging.Handler):
    """Tells of functions that raise what is no answer of theirs: a mistake, whatever the journey makes of it."""

    def __init__(self, writer: Writer, project: Path | None) -> None:
        super().__init__()
        self._writer, self._project = writer, project

    def emit(self, record: logging.LogRecord) -> None:
        """Tell of an exception; other entries are none of its business."""
        error, function = getattr(record, "raised", None), getattr(record, "function", None)
        if error is None or function is None:
            return
        frames = [
            Frame(frame.filename, frame.lineno or 0, frame.line)
            for frame in traceback.extract_tb(error.__traceback__)
        ]
        place, source = own_place(frames, self._project)
        text = record.mask("".join(traceback.format_exception_only(error)).strip())  # type: ignore[attr-defined]
        instance = activity.info().workflow_id if activity.in_activity() else None
        self._writer.write(
            Mishap("raised", function, instance, type(error).__name__, text, place=place, source=source)
        )
