"""What the API must not cost, and what it does beside requests."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import event, func, insert, select
from temporalio.client import Client

from sojourn.api import dependencies
from sojourn.api.app import create_app
from sojourn.settings import Settings
from sojourn.store import Store
from sojourn.store.tables import handled_events
from tests.api.conftest import serving

BODY = (
    b'{"id": "evt-1", "name": "page.viewed", "time": "2026-03-01T10:00:00Z", "data": {"customerId": "cust-1", '
    b'"cartId": "cart-9", "items": [{"sku": "A-1", "price": 12.5}], "total": 12.5, "currency": "EUR"}}'
)


async def test_an_event_that_concerns_nobody_is_cheap(settings: Settings, nowhere: Client) -> None:
    """It asks neither the database nor Temporal anything. What it costs in time, `make bench` measures."""
    store = await Store.open(settings.database, catalog_refresh=600)
    app = create_app(settings, store=store, client=nowhere)
    headers = [(b"host", b"localhost"), (b"content-type", b"application/json")]
    scope = {"type": "http", "http_version": "1.1", "method": "POST", "scheme": "http", "path": "/v1/events"}
    scope |= {"raw_path": b"/v1/events", "query_string": b"", "headers": headers, "client": ("127.0.0.1", 9)}
    statuses: list[int] = []
    statements: list[str] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": BODY, "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    async def post(count: int) -> None:
        for _ in range(count):
            await app(dict(scope), receive, send)  # type: ignore[arg-type]

    async with app.router.lifespan_context(app):
        await post(50)
        event.listen(store.database.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
        await post(1000)
    await store.close()
    assert set(statuses) == {202}
    assert statements == []


async def test_old_event_ids_are_forgotten_by_and_by(
    settings: Settings, store: Store, nowhere: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The running API cleans up what is older than the window in which ids are remembered."""
    monkeypatch.setattr(dependencies, "MAINTENANCE_DELAY", 0.01)
    now = datetime.now(UTC)
    rows = [
        {"journey": "welcome", "profile": "cust-1", "per": "", "event_id": event_id, "at": at}
        for event_id, at in (("old", now - timedelta(days=settings.dedup_window_days + 1)), ("new", now))
    ]
    await store.database.write(lambda connection: connection.execute(insert(handled_events), rows))
    query = select(func.count()).select_from(handled_events)
    async with serving(create_app(settings, store=store, client=nowhere)) as url, asyncio.timeout(10):
        while await store.database.read(lambda connection: connection.execute(query).scalar()) != 1:
            await asyncio.sleep(0.05)
        async with httpx.AsyncClient(base_url=url) as api:
            assert (await api.get("/health/live")).status_code == 200
