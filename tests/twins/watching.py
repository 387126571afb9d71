"""What operators see of the instances of a scenario beside their traces, and what these cost."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from temporalio import workflow
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import (
    Client,
    Interceptor,
    OutboundInterceptor,
    StartWorkflowInput,
    WorkflowExecutionStatus,
    WorkflowHandle,
)
from temporalio.testing import WorkflowEnvironment

from sojourn.workflows.engine import details

_TASK = timedelta(seconds=2)
"""Longest time of a workflow task. Where nothing is kept in memory, the SDK may drop a task that comes together with a
query; the server then gives it out again behind this time, which is ten seconds if nobody says otherwise."""

_MACHINE = (
    "EVENT_TYPE_WORKFLOW_TASK",
    "EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED",
    "EVENT_TYPE_WORKFLOW_EXECUTION_TIME_SKIPPING",
)

_render = details.render


@dataclass(slots=True)
class Seen:
    """What was seen of one instance.

    Attributes:
        workflow_id: Its workflow id.
        attributes: Its search attributes at its end.
        headline: What the Web UI shows of it while no worker runs, but for the author's description.
        details: What the Web UI was given to show of it, each text once.
        events: How many events of each type are in its history, but for workflow tasks: how many of them there are
            depends on the machine as well. Nothing where it went on in another run.
    """

    workflow_id: str
    attributes: dict[str, Any]
    headline: list[str]
    details: list[str]
    events: Counter[int] | None


@dataclass(slots=True)
class Watch:
    """Sees all instances that are started through its environment.

    Attributes:
        environment: The environment of all tests.
        local: Whether look-ups are local activities. The SDK is not safe with these where nothing is kept in memory and
            queries come meanwhile: at times it fails with "Attempted to check for LA marker handling", and the instance
            hangs.
        details: Current details of each instance, by its first run.
        started: The instances.
        client: The client through which they are started.
    """

    environment: WorkflowEnvironment
    local: bool = True
    details: dict[str, dict[str, None]] = field(default_factory=dict)
    started: list[WorkflowHandle[Any, Any]] = field(default_factory=list)
    client: Client = field(init=False)

    def __post_init__(self) -> None:
        config: Any = self.environment.client.config(active_config=True)
        self.client = Client(**{**config, "interceptors": [*config["interceptors"], _Starts(self)]})

    def __getattr__(self, name: str) -> Any:
        return getattr(self.environment, name)

    def show(self, text: str) -> None:
        """Note what an instance shows of itself from now on."""
        if not workflow.unsafe.is_replaying():
            # Once each: a task that is given out again says again what it said.
            self.details.setdefault(workflow.info().first_execution_run_id, {})[text] = None

    async def seen(self) -> list[Seen]:
        """Return what was seen, by workflow id and in the order in which they were started."""
        in_order = sorted(self.started, key=lambda handle: handle.id)
        return await asyncio.gather(*map(self._seen, in_order))

    async def _seen(self, handle: WorkflowHandle[Any, Any]) -> Seen:
        run = str(handle.first_execution_run_id)
        started = self.environment.client.get_workflow_handle(handle.id, run_id=run)
        found, history = await started.describe(), await started.fetch_history()
        goes_on = found.status is WorkflowExecutionStatus.CONTINUED_AS_NEW
        lines = str(await found.static_details()).splitlines()
        return Seen(
            handle.id,
            {key: value for key, value in found.search_attributes.items() if key.startswith("Journey")},
            [str(await found.static_summary()), lines[0], lines[-1]],
            list(self.details.get(run, {})),
            None if goes_on else Counter(event.event_type for event in history.events if _counts(event)),
        )


def _counts(event: HistoryEvent) -> bool:
    """Say whether an event is to be in both histories: not of a workflow task, of a patch, of virtual time."""
    kind = EventType.Name(event.event_type)
    if kind == "EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES":
        fields = event.upsert_workflow_search_attributes_event_attributes.search_attributes.indexed_fields
        return "TemporalChangeVersion" not in fields
    patched = event.marker_recorded_event_attributes.marker_name == "core_patch"
    return not patched and not kind.startswith(_MACHINE)


class _Starts(Interceptor):
    def __init__(self, watching: Watch) -> None:
        self._watching = watching

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:  # noqa: A002
        return _Outbound(next, self._watching)


class _Outbound(OutboundInterceptor):
    def __init__(self, next: OutboundInterceptor, watching: Watch) -> None:  # noqa: A002
        super().__init__(next)
        self._watching = watching

    async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:  # noqa: A002
        input.task_timeout = _TASK
        if not self._watching.local:
            input.args[0]["local_fetch"] = False
        handle = await super().start_workflow(input)
        self._watching.started.append(handle)
        return handle


def watch(monkeypatch: pytest.MonkeyPatch, environment: WorkflowEnvironment, *, local: bool = True) -> Watch:
    """Return an environment that sees what instances show, until another one is asked for.

    Args:
        monkeypatch: Ends it.
        environment: The environment of all tests.
        local: Whether look-ups are local activities.
    """
    watching = Watch(environment, local)

    def rendered(*arguments: Any) -> str:
        text = _render(*arguments)
        watching.show(text)
        return text

    monkeypatch.setattr(details, "render", rendered)
    return watching
