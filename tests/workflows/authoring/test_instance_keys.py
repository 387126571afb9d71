"""Second keys of Python journeys: how they are declared, and what the code knows of the value."""

from __future__ import annotations

import uuid

import pytest
from pydantic import Field
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from sojourn import Event, journey
from sojourn.workflows.authoring.define import settings_of
from sojourn.workflows.authoring.errors import JourneyError


class Placed(Event, name="second.placed", key="customer"):
    """An order."""

    customer: str
    order: str = Field(alias="orderId")


@journey.defn(name="by-order", entry=Placed, per="order")
class ByOrder:
    """Follows an order."""

    @journey.run
    async def run(self, placed: Placed) -> str:
        """Say which."""
        return str(journey.state().per)


@journey.defn(name="by-text", entry=Placed, per="event.orderId + 'x'")
class ByText:
    """Follows an order."""

    @journey.run
    async def run(self, placed: Placed) -> str:
        """Do nothing."""
        return "done"


@journey.defn(name="by-profile", entry=Placed)
class ByProfile:
    """Follows a profile."""

    @journey.run
    async def run(self, placed: Placed) -> str:
        """Do nothing."""
        return str(journey.state().per)


class Undecorated:
    """Follows an order."""

    @journey.run
    async def run(self, placed: Placed) -> str:
        """Do nothing."""
        return "done"


@pytest.mark.parametrize(
    ("body", "entry"),
    [
        (ByOrder, {"event": "second.placed", "per": "event.orderId"}),
        (ByText, {"event": "second.placed", "per": "event.orderId + 'x'"}),
        (ByProfile, {"event": "second.placed"}),
    ],
)
def test_a_field_or_an_expression(body: type, entry: dict[str, str]) -> None:
    """A field's name becomes the expression of what is sent; without one the journey compiles as before."""
    settings = settings_of(body)
    assert settings.definition()["entry"] == entry
    assert settings.document()["entry"] == entry


def test_no_such_field() -> None:
    """The error names the argument and the fields that there are."""
    with pytest.raises(JourneyError, match="no field 'oder' for its per"):
        journey.defn(name="by-oder", entry=Placed, per="oder")(Undecorated)


@pytest.mark.parametrize(("body", "per"), [(ByOrder, "o-1"), (ByProfile, None)])
async def test_the_code_knows_its_value(client: Client, body: type, per: str | None) -> None:
    """As `journey.state().per`; the result carries it for operators."""
    definition = settings_of(body).definition() | {"version": 1}
    event = {"id": "e", "name": "second.placed", "time": "2026-03-01T12:00:00Z"}
    start = {
        "definition": definition,
        "key": "ada",
        "event": event | {"data": {"customer": "ada", "orderId": "o-1"}},
    }
    queue = f"second-{uuid.uuid4().hex[:8]}"
    async with Worker(
        client, task_queue=queue, workflows=[body], workflow_runner=UnsandboxedWorkflowRunner()
    ):
        result = await client.execute_workflow(
            definition["workflow"], start | ({} if per is None else {"per": per}), id=queue, task_queue=queue
        )
    assert (result["text"], result.get("per")) == (str(per), per)
