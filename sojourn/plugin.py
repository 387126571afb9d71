"""`JourneyPlugin`: journeys for any Temporal client or worker."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from temporalio.plugin import SimplePlugin
from temporalio.worker import WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from sojourn import names
from sojourn.activities import Calls
from sojourn.activities.expiries import ExpiryInterceptor
from sojourn.workflows import Journey
from sojourn.workflows.authoring.define import settings_of

PASSTHROUGH = ("sojourn", "re2", "_re2")
"""Modules that workflow code takes from outside the sandbox. All of `sojourn`, since it imports within functions too
and what is compiled once is to serve every workflow of the process; `re2`, since it is a native module."""


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

    Raises:
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
    ) -> None:
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
        for body in journeys:
            settings_of(body)
        super().__init__(
            names.PLUGIN,
            workflows=_adder([Journey, *journeys]) if register_workflows else None,
            activities=_adder(calls.activities) if register_activities and calls is not None else None,
            workflow_runner=_runner,
            # Of workflows alone there is nobody to tell.
            interceptors=[ExpiryInterceptor(calls.expiries)] if calls is not None else None,
            run_context=_opener(calls) if register_activities and calls is not None else None,
        )


def _adder(things: Sequence[Any]) -> Callable[[Sequence[Any] | None], Sequence[Any]]:
    """Return a function that adds things to a worker's list, each once however often the plugin is given."""

    def add(existing: Sequence[Any] | None) -> Sequence[Any]:
        present = list(existing or [])
        return present + [thing for thing in things if thing not in present]

    return add


def _runner(existing: WorkflowRunner | None) -> WorkflowRunner:
    if existing is None:
        raise ValueError(
            "JourneyPlugin found no workflow runner to extend: it works on a Worker or a Replayer"
        )
    if not isinstance(existing, SandboxedWorkflowRunner):
        return existing
    return dataclasses.replace(
        existing, restrictions=existing.restrictions.with_passthrough_modules(*PASSTHROUGH)
    )


def _opener(calls: Calls) -> Callable[[], Any]:
    @asynccontextmanager
    async def opened() -> AsyncIterator[None]:
        async with calls:
            yield

    return opened
