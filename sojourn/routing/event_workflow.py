"""Routing for the workflow `sojourn.Event`: by the rules, and with the answers, of `POST /v1/events`."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

from temporalio.client import Client
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from sojourn.contract import names
from sojourn.contract.answers import answer
from sojourn.contract.incoming_event import EnvelopeError, read_event
from sojourn.routing import Router, RoutingUnavailable
from sojourn.settings import Settings
from sojourn.store import Store


class DurableEvents:
    """Routes the events of `sojourn.Event` workflows, in a worker.

    Args:
        store: Where journeys and entries are kept.
        settings: Task queue, search attributes, privacy.
    """

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self._routers: WeakKeyDictionary[Client, Router] = WeakKeyDictionary()

    async def route(self, client: Client, event: dict[str, Any]) -> dict[str, Any]:
        """Route an event.

        Args:
            client: Of Temporal; that of the worker.
            event: `{id, name, time, data}`.

        Returns:
            What `POST /v1/events` answers for one event.

        Raises:
            temporalio.exceptions.ApplicationError: It is no event (`sojourn.BadInput`, not to be tried again), or
                Temporal or the database are away.
        """
        try:
            envelope = read_event(event, may_overflow=True)
        except EnvelopeError as error:
            violations = [violation.as_dict() for violation in error.violations]
            raise ApplicationError(
                f"bad start input: this is not an event: {error}",
                {"violations": violations},
                type=names.ERROR_BAD_INPUT,
                non_retryable=True,
            ) from None
        try:
            (result,) = await self._router(client).route([envelope.event])
        except RoutingUnavailable as error:
            raise ApplicationError(
                error.message, type="sojourn.Unavailable", category=ApplicationErrorCategory.BENIGN
            ) from error
        return answer(envelope, result)

    def _router(self, client: Client) -> Router:
        router = self._routers.get(client)
        if router is None:
            router = self._routers[client] = Router(self._store, client, self._settings)
        return router
