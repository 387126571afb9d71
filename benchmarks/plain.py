"""The three journeys written by hand for plain Temporal, as a developer would without Sojourn."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import timedelta
from typing import Any

from temporalio import activity, workflow

with workflow.unsafe.imports_passed_through():
    import aiohttp


class Sender:
    """The action, by hand: one POST with a shared client.

    Args:
        url: Where it posts to.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        # The client that Sojourn uses too: what is compared is the engine.
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    @activity.defn(name="plain.send")
    async def send(self, body: dict[str, Any]) -> dict[str, Any]:
        """Post a message; returns status and body."""
        self._session = self._session or aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(30))
        async with self._session.post(self._url, json=body) as answer:
            answer.raise_for_status()
            return {"status": answer.status, "body": await answer.json()}


async def _send(to: str, template: str) -> None:
    await workflow.execute_activity(
        "plain.send", {"to": to, "template": template}, start_to_close_timeout=timedelta(seconds=35)
    )


@workflow.defn
class OneAction:
    """Entry, one action, end."""

    @workflow.run
    async def run(self, event: dict[str, Any]) -> str:
        """Run to the end."""
        await _send(event["data"]["customerId"], "hello")
        return "sent"


@workflow.defn
class TwoActions:
    """Entry, action, wait, split, action, end."""

    @workflow.run
    async def run(self, event: dict[str, Any]) -> str:
        """Run to the end."""
        customer = event["data"]["customerId"]
        await _send(customer, "first")
        await asyncio.sleep(1)
        half = hashlib.blake2b(customer.encode(), digest_size=8).digest()[0] < 128
        await _send(customer, "second, left" if half else "second, right")
        return "sent"


@workflow.defn
class WaitForEvent:
    """Entry, a wait for an event with a timeout, action, end."""

    def __init__(self) -> None:
        self._answered = False

    @workflow.run
    async def run(self, event: dict[str, Any]) -> str:
        """Run to the end."""
        try:
            await workflow.wait_condition(lambda: self._answered, timeout=timedelta(hours=1))
        except TimeoutError:
            return "late"
        await _send(event["data"]["customerId"], "answered")
        return "answered"

    @workflow.signal(name="event")
    def event(self, message: dict[str, Any]) -> None:
        """Take an event."""
        if message["name"] == "bench.answered":
            self._answered = True


WORKFLOWS = {"one-action": OneAction, "two-actions": TwoActions, "wait-for-event": WaitForEvent}
