"""Failed calls reach the database in batches, bounded, whatever becomes of the database meanwhile."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from sojourn.activities import CallFailure, CallObserver
from sojourn.store import ErrorRecorder, Store, StoreUnavailable
from sojourn.store.call_failures import KEPT, MAX_ENDPOINTS, EndpointErrors
from tests.store.databases import OpenStore

START = datetime(2026, 3, 1, 10, tzinfo=UTC)


def failure(number: int = 1, name: str = "email.send", **fields: Any) -> CallFailure:
    """The n-th failed attempt of a second."""
    values: dict[str, Any] = {
        "kind": "action", "name": name, "at": START + timedelta(seconds=number), "code": "http_503", "status": 503,
        "message": f"the answer is HTTP 503 ({number})", "journey": "welcome", "step": "remind", "attempt": 1,
        "final": False, **fields,
    }  # fmt: skip
    return CallFailure(**values)


async def messages(store: Store, name: str = "email.send") -> list[str]:
    """What is kept of an endpoint, newest first."""
    return [error.message for error in await store.endpoint_errors.last("action", name)]


async def test_what_failed_is_read_back_as_it_was(store: Store) -> None:
    """Every field survives, the newest comes first, and each endpoint has its own."""
    await store.endpoint_errors.record(
        [failure(1), failure(2, final=True, attempt=4), failure(3, name="other")]
    )
    found = await store.endpoint_errors.last("action", "email.send")
    assert [error.at for error in found] == [START + timedelta(seconds=2), START + timedelta(seconds=1)]
    assert {name: getattr(found[0], name) for name in CallFailure.__slots__} == {
        name: getattr(failure(2, final=True, attempt=4), name) for name in CallFailure.__slots__
    }
    latest = await store.endpoint_errors.latest()
    assert {key: error.message[-3:] for key, error in latest.items()} == {
        ("action", "email.send"): "(2)",
        ("action", "other"): "(3)",
    }


async def test_only_the_last_hundred_of_each_endpoint_are_kept(store: Store) -> None:
    """What is older goes as new ones come; another endpoint's stay."""
    await store.endpoint_errors.record([failure(0, name="quiet")])
    for first in range(0, 250, 50):
        await store.endpoint_errors.record(failure(number) for number in range(first, first + 50))
    kept = await messages(store)
    assert len(kept) == KEPT
    assert (kept[0][-5:], kept[-1][-5:]) == ("(249)", "(150)")
    assert len(await messages(store, "quiet")) == 1
    count = text("SELECT count(*) FROM endpoint_errors")
    assert await store.database.read(lambda connection: connection.scalar(count)) == KEPT + 1


async def test_texts_that_no_database_takes_are_made_to_fit(store: Store) -> None:
    """NUL, half a character and a message without end are no reason to lose a batch."""
    await store.endpoint_errors.record([failure(message="a\x00b\ud800" + "x" * 5000, step="s" * 300)])
    (found,) = await store.endpoint_errors.last("action", "email.send")
    assert found.message.startswith("ab?x")
    assert (len(found.message), len(found.step or "")) == (1000, 128)


async def test_a_recorder_writes_many_failures_as_one_batch(store: Store) -> None:
    """Failures that come together are one transaction, and those of before the end are written at the end."""
    batches: list[int] = []

    class Counting(EndpointErrors):
        async def record(self, failures: Any) -> None:
            kept = list(failures)
            batches.append(len(kept))
            await super().record(kept)

    async with ErrorRecorder(Counting(store.database), interval=3600) as recorder:
        observer: CallObserver = recorder
        for number in range(50):
            observer.failed(failure(number))
    assert batches == [50]
    assert len(await messages(store)) == 50


async def test_failures_wait_for_a_database_that_is_away(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    """They are kept, the oldest go beyond a hundred, and they are there once it is back; it is said once."""
    back, tried = asyncio.Event(), asyncio.Event()

    class Away(EndpointErrors):
        async def record(self, failures: Any) -> None:
            if not back.is_set():
                tried.set()
                raise StoreUnavailable("the database cannot be reached: no")
            await super().record(failures)

    with caplog.at_level(logging.WARNING, "sojourn.store"):
        async with ErrorRecorder(Away(store.database), interval=0.01) as recorder:
            for number in range(150):
                recorder.failed(failure(number))
            for number in range(150, 160):
                tried.clear()
                recorder.failed(failure(number))
                await asyncio.wait_for(tried.wait(), 10)
            assert await messages(store) == []
            back.set()
    kept = await messages(store)
    assert (len(kept), kept[0][-5:], kept[-1][-4:]) == (KEPT, "(159)", "(60)")
    assert len([record for record in caplog.records if "kept in memory" in record.message]) == 1


async def test_memory_is_bounded_whatever_fails(store: Store) -> None:
    """Beyond some hundred endpoints those that failed longest ago are forgotten."""
    async with ErrorRecorder(store.endpoint_errors, interval=3600) as recorder:
        for number in range(MAX_ENDPOINTS + 20):
            recorder.failed(failure(number, name=f"e{number}"))
        assert len(recorder._waiting) == MAX_ENDPOINTS
        assert ("action", "e0") not in recorder._waiting


async def test_what_cannot_be_written_at_all_is_dropped(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    """A defect here must not stand in the way of what fails next."""
    async with ErrorRecorder(store.endpoint_errors, interval=0.01) as recorder:
        recorder.failed(failure(at="yesterday"))  # no moment
        await recorder.flush()
        recorder.failed(failure(7))
    assert [message[-3:] for message in await messages(store)] == ["(7)"]
    assert "failed calls could not be written" in caplog.text


async def test_workers_write_and_tidy_up_at_once(open_store: OpenStore) -> None:
    """Two processes that record failures of the same endpoints lose none and stop at a hundred each."""
    stores = [await open_store(), await open_store()]
    names = ["a", "b", "c"]

    async def work(store: Store, turn: int) -> None:
        for number in range(20):
            await store.endpoint_errors.record(
                failure(number * 10 + turn, name=name) for name in names for _ in range(5)
            )

    await asyncio.gather(*(work(stores[turn % 2], turn) for turn in range(4)))
    for name in names:
        kept = await messages(stores[0], name)
        assert len(kept) == KEPT
        assert kept[0].endswith("(193)")
