"""A deployment for the tests of the plugin and the client: a database, a catalog, a worker that routes events."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from temporalio.client import Client
from temporalio.worker import Worker

from sojourn.activities import AddressGuard, Calls, Transport
from sojourn.definitions import Project, load_texts
from sojourn.functions import documents
from sojourn.loading.importing import path_in
from sojourn.plugin import JourneyPlugin
from sojourn.routing.event_workflow import DurableEvents
from sojourn.settings import Settings
from sojourn.store import Store
from sojourn.workflows.authoring.define import settings_of
from sojourn.workflows.authoring.events import EventDocument

YAML = """
event: visited
key: event.customerId
schema: {type: object, required: [customerId], properties: {customerId: {type: string}, page: {type: string}}}
---
event: bought
key: event.customerId
schema: {type: object, required: [customerId], properties: {customerId: {type: string}}}
---
journey: visit
entry: {event: visited}
reentry: {after: 0s}
steps:
  buy:
    wait_for: [{event: bought, next: done}]
    timeout: {after: 30d, next: gone}
  done: {end: bought}
  gone: {end: gone}
"""
"""A journey that waits thirty days for an event."""


class Deployment:
    """What a test has of a deployment: its database, its settings, and a task queue of its own."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self.store = store
        self.settings = settings
        self.queue = settings.task_queue

    def calls(self) -> Calls:
        """Return the activities of one of its workers."""
        return Calls(
            self.store,
            transport=Transport(AddressGuard(["127.0.0.1"])),
            events=DurableEvents(self.store, self.settings),
        )

    def worker(self, client: Client, *, journeys: Sequence[type] = (), **options: Any) -> Worker:
        """Return one of its workers."""
        plugin = JourneyPlugin(calls=self.calls(), journeys=journeys)
        return Worker(client, task_queue=self.queue, plugins=[plugin], **options)

    async def publish(self, text: str = YAML, journeys: Sequence[type] = ()) -> Project:
        """Publish YAML, and Python journeys with their events."""
        loaded = load_texts({"project.yaml": text} | python_texts(journeys))
        assert loaded.ok, [str(problem) for problem in loaded.problems]
        await self.store.publish(loaded)
        return loaded


def python_texts(journeys: Sequence[type]) -> dict[str, str]:
    """Return Python journeys and their events as the texts of a project."""
    settings = [settings_of(body) for body in journeys]
    events = {event for one in settings for event in one.events()}
    things = [*(EventDocument(event) for event in events), *settings]
    return dict(documents(things, lambda thing: path_in(Path("/nowhere"), thing)))


@asynccontextmanager
async def deployment(folder: Path) -> AsyncIterator[Deployment]:
    """Open a deployment with a new database in a folder."""
    store = await Store.open(f"sqlite:///{folder}/sojourn.db", catalog_refresh=0.05)
    try:
        await store.migrate()
        yield Deployment(store, Settings(task_queue=f"host-{uuid.uuid4().hex[:8]}"))
    finally:
        await store.close()
