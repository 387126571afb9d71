"""What `sojourn worker` does."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from sojourn.cli.environment import load_settings, open_store, write_log
from sojourn.cli.output import CliError, ExitCode, warn
from sojourn.cli.python_functions import load_python
from sojourn.cli.search_attributes import prepare_search_attributes
from sojourn.cli.versioning import deployment_config, shown

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from temporalio.client import Client, Plugin
    from temporalio.worker import Worker

    from sojourn.activities import CallObserver, Calls
    from sojourn.settings import Settings
    from sojourn.store import Store

log = logging.getLogger("sojourn.worker")

RETRY_SECONDS = 1.0


async def run(
    *,
    ready_file: Path | None,
    graceful_seconds: float,
    patience: float,
    project: Path | None = None,
    modules: list[str] | None = None,
) -> int:
    """Run journeys and calls until a signal asks to stop.

    Args:
        ready_file: Written when tasks are taken, removed at the end.
        graceful_seconds: What calls in flight get to finish.
        patience: Seconds to wait for Temporal before giving up.
        project: Whose Python functions and journeys to run; the setting if left out.
        modules: Names of modules whose functions and journeys to run; the setting if left out.

    Returns:
        The exit status: 0 after SIGTERM, 130 after Ctrl-C.

    Raises:
        CliError: The settings, the database or Temporal are not as they must be.
    """
    write_log()
    stopped = _stop_signal()
    settings = load_settings()
    deployment = deployment_config(settings)
    code = load_python(settings, project, modules)
    store = await open_store(settings)
    finish = contextlib.AsyncExitStack()
    finish.push_async_callback(store.close)
    async with finish:
        from temporalio.worker import Worker

        from sojourn.activities import ThrottledQueues
        from sojourn.cli.dev.failures.watch import Watching
        from sojourn.plugin import JourneyPlugin
        from sojourn.store import ErrorRecorder

        recorder = await finish.enter_async_context(ErrorRecorder(store.endpoint_errors))
        calls = _calls(settings, store, recorder, code.functions)
        journeys = JourneyPlugin(calls=calls, journeys=code.journeys, throttled_queues=False)
        watching = Watching(project or settings.project)
        client = await _connect([journeys, watching], stopped, patience)
        if client is None:
            return _status(stopped)
        await _check_namespace(client)
        if settings.search_attributes:
            await prepare_search_attributes(client, log)
        worker = Worker(
            client,
            task_queue=settings.task_queue,
            graceful_shutdown_timeout=timedelta(seconds=graceful_seconds),
            deployment_config=deployment,
        )
        # The other two have no version: they run Sojourn's own code only, and any build may do their work.
        queues = ThrottledQueues(
            client,
            calls,
            store,
            task_queue=settings.task_queue,
            refresh=settings.catalog_refresh,
            graceful=timedelta(seconds=graceful_seconds),
        )
        operations = _operations(client, store, settings, timedelta(seconds=graceful_seconds))
        with contextlib.ExitStack() as tidy:
            async with worker, queues, operations:
                log.info(
                    "ready: task queue %s, namespace %s, %s",
                    settings.task_queue,
                    client.namespace,
                    client.service_client.config.target_host,
                )
                if deployment is not None:
                    log.info("%s", shown(deployment))
                if ready_file:
                    ready_file.write_text("ready\n")  # noqa: ASYNC240 - a few bytes, once
                    tidy.callback(ready_file.unlink, missing_ok=True)
                await stopped
                log.info("stopping: calls in flight get %g seconds to finish", graceful_seconds)
                # At once: calls on one of them are not to wait for those on the other.
                await asyncio.gather(worker.shutdown(), queues.stop(), operations.shutdown())
        return _status(stopped)


def _operations(client: Client, store: Store, settings: Settings, graceful: timedelta) -> Worker:
    """Return the worker of operations: on a task queue that only workers with the deployment's database poll."""
    from temporalio.worker import UnsandboxedWorkflowRunner, Worker

    from sojourn.activities.operation import Operate
    from sojourn.activities.throttling.queues import plain_client
    from sojourn.contract import names
    from sojourn.steering.operations import Operator
    from sojourn.workflows.operation import Operation

    return Worker(
        plain_client(client),
        task_queue=names.operations_queue(settings.task_queue),
        workflows=[Operation],
        activities=[Operate(Operator(store, client, settings)).operate],
        # The workflow is our own, and does nothing that the sandbox would have to keep it from.
        workflow_runner=UnsandboxedWorkflowRunner(),
        graceful_shutdown_timeout=graceful,
    )


def _calls(
    settings: Settings, store: Store, observer: CallObserver, functions: list[Callable[..., Any]]
) -> Calls:
    """Return what performs fetches and actions, as the settings say."""
    from sojourn.activities import Calls
    from sojourn.routing import RoutedJumps
    from sojourn.routing.event_workflow import DurableEvents

    try:
        return Calls.from_settings(
            store,
            settings,
            observer=observer,
            functions=functions,
            caps=store.caps,
            profiles=store.profiles,
            jumps=RoutedJumps(store, settings),
            events=DurableEvents(store, settings),
        )
    except (ValueError, OSError) as error:
        raise CliError(f"the settings are not right: {error}", ExitCode.USAGE) from error


def _stop_signal() -> asyncio.Future[int]:
    """Return a future that is done, with its number, when a signal asks this process to stop."""
    loop = asyncio.get_running_loop()
    stopped: asyncio.Future[int] = loop.create_future()

    def stop(number: int) -> None:
        if not stopped.done():
            stopped.set_result(number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop, number)
    return stopped


def _status(stopped: asyncio.Future[int]) -> int:
    return int(ExitCode.INTERRUPTED if stopped.result() == signal.SIGINT else ExitCode.OK)


async def _connect(plugins: list[Plugin], stopped: asyncio.Future[int], patience: float) -> Client | None:
    """Connect to Temporal, waiting for it to come up; None when asked to stop meanwhile."""
    from sojourn.temporal.connection import TemporalUnavailable, connect

    loop = asyncio.get_running_loop()
    deadline = loop.time() + patience
    told = False
    while not stopped.done():
        try:
            return await connect(plugins=plugins, patient=True)
        except TemporalUnavailable as error:
            if loop.time() >= deadline:
                raise CliError(str(error), ExitCode.UNREACHABLE) from error
            if not told:
                warn(f"{error}. Trying again for {patience:g} seconds.")
                told = True
            await asyncio.wait({stopped}, timeout=RETRY_SECONDS)
    return None


async def _check_namespace(client: Client) -> None:
    """See that the namespace is there: the worker's own message would be hard to read.

    Raises:
        CliError: It does not exist.
    """
    from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
    from temporalio.service import RPCError, RPCStatusCode

    try:
        await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=client.namespace))
    except RPCError as error:
        if error.status == RPCStatusCode.NOT_FOUND:
            raise CliError(
                f"Temporal at {client.service_client.config.target_host} has no namespace "
                f"{client.namespace!r}: "
                "create it, or set TEMPORAL_NAMESPACE to one that exists",
                ExitCode.UNREACHABLE,
            ) from error
        # Not everybody who may run a worker may describe its namespace.
        log.warning("the namespace could not be checked: %s", error.message)
