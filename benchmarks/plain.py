"""The three journeys written by hand for plain Temporal, as a developer would without Sojourn."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import timedelta
from typing import Any

from temporalio import activity, workflow

with workflow.unsafe.imports_passed_through():
    import httpx
    from httpx_aiohttp import AiohttpTransport


class Sender:
    """The action, by hand: one POST with a shared client.

    Args:
        url: Where it posts to.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        # The faster of httpx's transports, which Sojourn uses too: what is compared is the engine.
        self._client = httpx.AsyncClient(transport=AiohttpTransport(), timeout=30, trust_env=False)

    @activity.defn(name="plain.send")
    async def send(self, body: dict[str, Any]) -> dict[str, Any]:
        """Post a message; returns status and body."""
        answer = await self._client.post(self._url, json=body)
        answer.raise_for_status()
        return {"status": answer.status_code, "body": answer.json()}


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
