"""Python journeys on the real server."""

from __future__ import annotations

from typing import Any

import pytest
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment

from sojourn.contract import names
from sojourn.workflows.authoring.define import settings_of
from tests.workflows.authoring.shop import CartAbandonment
from tests.workflows.support import Shop, project, running, signal

YAML = """
journey: j
entry: {event: entered}
steps:
  done: {end: done}
"""
CART = {"customer_id": "ada", "cart_id": "c1", "items": []}


def definition() -> dict[str, Any]:
    """Return the journey as it is published."""
    return {**settings_of(CartAbandonment).definition(), "version": 1}


@pytest.mark.parametrize("cached", [1000, 0])
async def test_a_journey_in_code_waits_asks_and_acts(
    temporal: WorkflowEnvironment, shop: Shop, cached: int
) -> None:
    """Nobody buys: after an hour the customer is looked up and reminded."""
    async with running(
        temporal.client, project(YAML, shop), journeys=[CartAbandonment], cached=cached
    ) as runner:
        handle = await runner.start(definition(), CART)
        await signal(handle, "order.placed", {"customer_id": "ada", "cart_id": "another"})
        result = await handle.result()
    assert (result["outcome"], result["text"]) == ("completed", "reminded")
    steps = [(record["step"], record["kind"], record["result"], record["next"]) for record in result["steps"]]
    assert steps == [
        ("wait_for-order.placed", "wait_for", "timeout", "fetch-crm"),
        ("fetch-crm", "fetch", "200", "remind"),
        ("remind", "action", "200", None),
    ]
    assert [call["path"] for call in shop.calls] == ["/customers/ada", "/send"]


async def test_the_event_that_fits_ends_the_wait(temporal: WorkflowEnvironment, shop: Shop) -> None:
    """The customer buys, and nothing is called."""
    async with running(temporal.client, project(YAML, shop), journeys=[CartAbandonment]) as runner:
        handle = await runner.start(definition(), CART)
        await signal(handle, "order.placed", {"customer_id": "ada", "cart_id": "c1"})
        result = await handle.result()
    assert (result["outcome"], result["text"]) == ("completed", "purchased")
    assert shop.calls == []


async def test_an_exit_criterion_ends_it_at_once(temporal: WorkflowEnvironment, shop: Shop) -> None:
    """As in YAML."""
    async with running(temporal.client, project(YAML, shop), journeys=[CartAbandonment]) as runner:
        handle = await runner.start(definition(), CART)
        await signal(handle, "profile.unsubscribed", {"customer_id": "ada"})
        result = await handle.result()
    assert (result["outcome"], result["text"]) == ("exited", "profile.unsubscribed")


async def test_a_call_that_fails_uncaught_fails_the_instance(
    temporal: WorkflowEnvironment, shop: Shop
) -> None:
    """As a step without `on_error` does."""
    shop.answers = lambda call: (404, {"gone": True})
    async with running(temporal.client, project(YAML, shop), journeys=[CartAbandonment]) as runner:
        handle = await runner.start(definition(), CART)
        with pytest.raises(WorkflowFailureError) as failure:
            await handle.result()
    cause = failure.value.cause
    assert isinstance(cause, ApplicationError)
    assert cause.type == names.ERROR_JOURNEY_FAILED
    result = cause.details[0]
    assert result["outcome"] == "failed"
    assert result["error"] == {
        "step": "fetch-crm",
        "code": "http_404",
        "status": 404,
        "message": result["text"],
    }
