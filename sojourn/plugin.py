"""`JourneyPlugin`: journeys for any Temporal client or worker."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from weakref import WeakSet

from temporalio.common import VersioningBehavior
from temporalio.plugin import SimplePlugin
from temporalio.worker import (
    UnsandboxedWorkflowRunner,
    Worker,
    WorkerConfig,
    WorkerDeploymentConfig,
    WorkflowRunner,
)
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from sojourn.activities import Calls, ThrottledQueues
from sojourn.activities.directory import ThrottleDirectory
from sojourn.activities.throttling.expired import ExpiryInterceptor
from sojourn.contract import names
from sojourn.temporal.ask_again import AskAgain
from sojourn.temporal.task_time import with_task_time
from sojourn.workflows import EventWorkflow, Journey
from sojourn.workflows.authoring.define import settings_of

__all__ = ["PASSTHROUGH", "JourneyPlugin", "check_deployment"]

PASSTHROUGH = ("sojourn", "re2", "_re2")
"""Modules that workflow code takes from outside the sandbox. All of `sojourn`, since it imports within functions too
and what is compiled once is to serve every workflow of the process; `re2`, since it is a native module."""


_served: WeakSet[Worker] = WeakSet()


class JourneyPlugin(SimplePlugin):
    """Makes a Temporal worker a journey worker.

    Pass it to `Client.connect(plugins=[…])`: every worker of that client then runs journeys beside its own
    workflows. Or pass it to one `Worker`, not to both. It leaves the data converter alone: all its payloads are
    plain JSON.

    Args:
        calls: What performs fetches and actions. Needed where activities are registered; the plugin opens and
            closes its connections with the worker.
        journeys: Classes that were decorated with `journey.defn`. Journeys of YAML need none: they are data.
        register_workflows: Run journeys on these workers.
        register_activities: Perform fetches and actions on these workers. A worker that runs journeys without
            them needs instances whose fetches are ordinary activities (`SOJOURN_LOCAL_FETCH=false` at the API).
        throttled_queues: Work off the task queues of throttled actions beside these workers, see `ThrottledQueues`.
            Only where activities are registered and the endpoints of `calls` say what is throttled, as those of a
            project and of a database do.

    Raises:
        TypeError: An argument is of another type.
        ValueError: The arguments contradict each other; the message says what to write instead.
        JourneyError: One of the `journeys` is none.
    """

    def __init__(
        self,
        *,
        calls: Calls | None = None,
        journeys: Sequence[type] = (),
        register_workflows: bool = True,
        register_activities: bool = True,
        throttled_queues: bool = True,
    ) -> None:
        if calls is not None and not isinstance(calls, Calls):
            raise TypeError(
                f"JourneyPlugin got calls={type(calls).__name__}: wrap it, as in "
                "calls=Calls(StaticEndpoints(project.endpoints))"
            )
        if register_activities and calls is None:
            raise ValueError(
                "JourneyPlugin needs calls=Calls(...) for its activities, or register_activities=False"
            )
        if not register_workflows and not register_activities:
            raise ValueError(
                "JourneyPlugin has nothing to register: leave one of register_workflows, register_activities on"
            )
        if journeys and not register_workflows:
            raise ValueError(
                "JourneyPlugin has journeys=…, and register_workflows=False: leave one of them out"
            )
        _check_journeys(journeys)
        performing = calls if register_activities else None
        self._throttles = None
        if (
            throttled_queues
            and performing is not None
            and isinstance(performing.endpoints, ThrottleDirectory)
        ):
            self._throttles = (performing, performing.endpoints)
        super().__init__(
            names.PLUGIN,
            workflows=_adder([Journey, EventWorkflow, *journeys]) if register_workflows else None,
            activities=_adder(performing.activities) if performing is not None else None,
            workflow_runner=_runner,
            # Of workflows alone there is nobody to tell of expired calls.
            interceptors=[AskAgain(), *([ExpiryInterceptor(calls.expiries)] if calls is not None else [])],
            run_context=_opener(performing) if performing is not None else None,
        )

    def configure_worker(self, config: WorkerConfig) -> WorkerConfig:
        """Add journeys to a worker's settings, and see that a versioned worker can run them.

        Raises:
            ValueError: Its deployment is none with which journeys would run.
        """
        deployment = config.get("deployment_config")
        if deployment is not None:
            check_deployment(deployment)
        config = super().configure_worker(config)
        plain = config.get("unsandboxed_workflow_runner") or UnsandboxedWorkflowRunner()
        config["unsandboxed_workflow_runner"] = with_task_time(plain)
        return config

    async def run_worker(self, worker: Worker, next: Callable[[Worker], Awaitable[None]]) -> None:  # noqa: A002
        """Run a worker, and beside it those of the task queues of throttled actions."""
        # A worker that got the plugin twice is served once.
        if self._throttles is None or worker in _served:
            await super().run_worker(worker, next)
            return
        _served.add(worker)
        calls, directory = self._throttles
        graceful = worker.config().get("graceful_shutdown_timeout") or timedelta(0)
        queues = ThrottledQueues(
            worker.client, calls, directory, task_queue=worker.task_queue, graceful=graceful
        )
        async with queues:
            await super().run_worker(worker, next)


def check_deployment(deployment: WorkerDeploymentConfig) -> None:
    """See that journeys run on a worker with this deployment.

    Raises:
        ValueError: Temporal takes no such name, and the worker would wait for ever; or nothing says what becomes of
            instances when a newer build is there.
    """
    if not deployment.use_worker_versioning:
        return
    name = deployment.version.deployment_name
    if "." in name or ":" in name or name.startswith("__"):
        raise ValueError(
            f"the deployment name {name!r} has a dot or a colon, or begins with __, which Temporal refuses: "
            "write another, such as shop-journeys"
        )
    if deployment.default_versioning_behavior == VersioningBehavior.UNSPECIFIED:
        raise ValueError(
            "the worker's deployment_config does not say what instances do when a newer build is there: add "
            "default_versioning_behavior=VersioningBehavior.AUTO_UPGRADE (or PINNED)"
        )


def _check_journeys(journeys: Sequence[type]) -> None:
    if isinstance(journeys, type):
        raise TypeError(
            f"JourneyPlugin got journeys={journeys.__name__}: write journeys=[{journeys.__name__}]"
        )
    known: dict[str, type] = {}
    for body in journeys:
        name = settings_of(body).name
        if known.setdefault(name, body) is not body:
            raise ValueError(
                f"JourneyPlugin got two journeys with the name {name!r}, {known[name].__name__} and {body.__name__}: "
                "give one of them another name"
            )


def _adder(things: Sequence[Any]) -> Callable[[Sequence[Any] | None], Sequence[Any]]:
    """Return a function that adds things to a worker's list, each once however often the plugin is given."""

    def add(existing: Sequence[Any] | None) -> Sequence[Any]:
        present = list(existing or [])
        new = [thing for thing in things if thing not in present]
        taken = {_name(thing) for thing in present} & {_name(thing) for thing in new}
        taken -= {None}
        if taken:
            raise ValueError(
                f"this worker has {', '.join(sorted(map(str, taken)))} already, from something else: is another "
                "JourneyPlugin on its client? Give one to the client or to the worker, not to both"
            )
        return present + new

    return add


def _name(thing: Any) -> str | None:
    """Return the name under which a workflow or an activity is registered."""
    if isinstance(thing, type):
        return getattr(getattr(thing, "__temporal_workflow_definition", None), "name", None)
    return getattr(getattr(thing, "__temporal_activity_definition", None), "name", None)


def _runner(existing: WorkflowRunner | None) -> WorkflowRunner:
    if existing is None:
        raise ValueError(
            "JourneyPlugin found no workflow runner to extend: it works on a Worker or a Replayer"
        )
    if isinstance(existing, SandboxedWorkflowRunner):
        passing = existing.restrictions.with_passthrough_modules(*PASSTHROUGH)
        existing = dataclasses.replace(existing, restrictions=passing)
    return with_task_time(existing)


def _opener(calls: Calls) -> Callable[[], Any]:
    @asynccontextmanager
    async def opened() -> AsyncIterator[None]:
        async with calls:
            yield

    return opened
