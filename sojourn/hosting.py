"""Journeys in a host's own worker, with all that `sojourn worker` has: the deployment's database behind a plugin."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from sojourn.activities import Calls
from sojourn.loading import Imported, import_project, keep_code
from sojourn.plugin import JourneyPlugin
from sojourn.routing import RoutedJumps
from sojourn.routing.event_workflow import DurableEvents
from sojourn.settings import Settings
from sojourn.store import ErrorRecorder, Store

__all__ = ["journey_plugin"]


@asynccontextmanager
async def journey_plugin(
    settings: Settings | None = None,
    *,
    project: Path | str | None = None,
    functions: Sequence[Callable[..., Any]] = (),
    journeys: Sequence[type] = (),
) -> AsyncIterator[JourneyPlugin]:
    """Open a deployment's database, and yield the plugin that makes a worker one of the deployment's workers.

    Endpoints with their limits, caps over all workers, throttled queues, profiles, jumps, `sojourn.Event` and the list
    of failed calls are as in `sojourn worker`. The worker's task queue is to be that of the settings.

    Args:
        settings: Of the deployment; by default what the environment says (`SOJOURN_…`).
        project: Folder of a project whose Python journeys, actions and sources this worker runs, as they are now:
            what changes in its files later reaches the next process.
        functions: More functions with `@action.defn` or `@source.defn`.
        journeys: More classes with `@journey.defn`.

    Raises:
        ValueError: A Python file of the project, or a setting, is not in order; the message says what is wrong.
        sojourn.store.StoreError: The database cannot be opened.
    """
    settings = settings or Settings()
    if project:
        keep_code(Path(project))
    imported = import_project(Path(project)) if project else Imported()
    if imported.problems:
        raise ValueError("the Python files are not in order:\n" + "\n".join(map(str, imported.problems)))
    async with AsyncExitStack() as finish:
        store = await Store.open(settings.database, catalog_refresh=settings.catalog_refresh)
        finish.push_async_callback(store.close)
        await store.migrate()
        recorder = await finish.enter_async_context(ErrorRecorder(store.endpoint_errors))
        calls = Calls.from_settings(
            store,
            settings,
            observer=recorder,
            functions=[*imported.functions, *functions],
            caps=store.caps,
            profiles=store.profiles,
            jumps=RoutedJumps(store, settings),
            events=DurableEvents(store, settings),
        )
        yield JourneyPlugin(calls=calls, journeys=[*imported.journeys, *journeys])
