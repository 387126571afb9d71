"""Where the activities find out what an endpoint is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from sojourn.definitions import EndpointDefinition
from sojourn.definitions.kinds.endpoint import Throttle


class EndpointDirectory(Protocol):
    """Knows the endpoints as they are now.

    Asked at every call, so that a rotated credential or a moved URL reaches instances that already run.
    """

    async def endpoint(self, kind: str, name: str, *, newest: bool = False) -> EndpointDefinition | None:
        """Return the endpoint of this kind (`source` or `action`) and name, or None.

        With `newest`, what is known from a moment ago is not enough.
        """
        ...


@runtime_checkable
class ThrottleDirectory(Protocol):
    """Knows which actions have a task queue of their own."""

    async def throttles(self) -> Mapping[str, Throttle | None]:
        """Return the throttles by the names of their actions.

        None for an action that is throttled no longer, but whose task queue may still hold calls, or get them from
        instances that entered when it was: the queue is worked off without a limit.
        """
        ...


class StaticEndpoints:
    """The endpoints of a loaded project: a mapping with the keys `source:<name>` and `action:<name>`."""

    def __init__(self, endpoints: Mapping[str, EndpointDefinition]) -> None:
        self._endpoints = endpoints

    async def endpoint(self, kind: str, name: str, *, newest: bool = False) -> EndpointDefinition | None:
        """Return the endpoint of this kind and name, or None if there is none."""
        return self._endpoints.get(f"{kind}:{name}")

    async def throttles(self) -> Mapping[str, Throttle | None]:
        """Return the throttles of the project's actions by name."""
        return {
            endpoint.name: endpoint.throttle
            for endpoint in self._endpoints.values()
            if endpoint.kind == "action" and endpoint.throttle is not None
        }
