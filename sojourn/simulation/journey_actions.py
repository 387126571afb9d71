"""What operators do with whole journeys in a test: the real states, and the real operations over instances."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime

from temporalio.client import Client

from sojourn.contract.journey_states import Act, ActRefused, Kind
from sojourn.settings import Settings
from sojourn.simulation.instances import Instance
from sojourn.steering.journeys import is_over
from sojourn.steering.operations import Operator
from sojourn.store import Store, journey_states
from sojourn.store.journey_states import Steered, UnknownVersion
from sojourn.store.operations import Item, Operation

_BETWEEN_ROUNDS = 0.05
_MOST_STAY = 1000


class JourneyActs:
    """Steers journeys. The workflow that goes through rounds of an operation is left out: each is done here, at once.

    Args:
        store: The test's database.
        client: A client of Temporal.
        settings: The deployment's settings.
        clock: Tells the scenario's time.
    """

    def __init__(
        self, store: Store, client: Client, settings: Settings, clock: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._operator = Operator(store, client, settings)
        self._clock = clock

    async def act(
        self, journey: str, what: Act, version: int | None, running: Sequence[Instance]
    ) -> list[Instance]:
        """Pause, resume, close, stop or reopen a journey; returns the instances that it concerns.

        Raises:
            ValueError: There is no such journey or version, or the journey's state does not allow that.
        """
        if version is not None and what not in ("pause", "resume", "stop"):
            raise ValueError(f"{what} concerns a journey, not one of its versions")
        kind: Kind = what  # type: ignore[assignment]
        try:
            steered = await self._store.change(
                lambda connection: (
                    journey_states.act(connection, journey, what)
                    if version is None
                    else journey_states.act_on_version(connection, journey, kind, version)
                )
            )
        except (ActRefused, UnknownVersion) as refused:
            raise ValueError(f"cannot {what} {journey}: {refused}") from None
        concerned, _ = await self._worked(journey, steered, running)
        return concerned

    async def move(
        self, journey: str, version: int | None, running: Sequence[Instance]
    ) -> tuple[list[Instance], dict[str, str]]:
        """Move instances to the newest version.

        Returns:
            The instances that it concerns, and by workflow id why some of them stay.

        Raises:
            ValueError: There is no such journey or version, or none that is older.
        """
        try:
            steered = await self._store.change(
                lambda connection: journey_states.move(connection, journey, version)
            )
        except (ActRefused, UnknownVersion) as refused:
            raise ValueError(f"cannot move instances of {journey}: {refused}") from None
        concerned, operation = await self._worked(journey, steered, running)
        failed = operation is not None and operation.failed
        stay = await self._store.operations.failures(operation.id, _MOST_STAY) if operation and failed else []
        return concerned, {one.workflow_id: one.message for one in stay}

    async def state(self, journey: str, running: Sequence[Instance]) -> str | None:
        """Return the state of a journey; nothing where there is none. `finished` as soon as nobody is inside."""
        record = (await self._store.catalog(newest=True)).journeys.get(journey)
        if record is None:
            return None
        if is_over(record, self._clock()) and all(one.journey != journey for one in running):
            return "finished"
        return record.state

    async def _worked(
        self, journey: str, steered: Steered | None, running: Sequence[Instance]
    ) -> tuple[list[Instance], Operation | None]:
        if steered is None:
            raise ValueError(f"there is no journey {journey}")
        operation = steered.operation
        if operation is None:
            return [], None
        concerned = [one for one in running if one.journey == journey and operation.concerns(one.version)]
        # Temporal's visibility shows an instance about a second late, and the ledger's times are the scenario's.
        await self._store.operations.found(operation, [Item(one.workflow_id) for one in concerned])
        while (await self._operator.work(operation.id))["state"] == "running":  # noqa: ASYNC110 - each look is the work
            await asyncio.sleep(_BETWEEN_ROUNDS)
        return concerned, await self._store.operations.get(operation.id)
