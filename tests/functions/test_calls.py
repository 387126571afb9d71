"""Python functions as sources and actions, in activities on a real Temporal server."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

import pytest
from pydantic import BaseModel, field_validator
from temporalio import activity
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from sojourn import action, source
from sojourn.activities import CallError, Calls, Secrets, StaticEndpoints
from sojourn.functions import function_of
from tests.activities.workflow import CallOnce

CANARY = "customer-data-4711"


class Color(Enum):
    """An enum."""

    RED = "red"


class Sent(BaseModel):
    """What an action answers."""

    id: str
    at: datetime | None = None


async def call(function: Callable[..., Any], window: float = 5.0, **parameters: Any) -> dict[str, Any]:
    """Call a function as a worker does, without Temporal."""
    declared = function_of(function)
    assert declared is not None
    secrets = Secrets(["TOKEN"], environment={"TOKEN": "hunter2token"})
    async with Calls(StaticEndpoints({}), functions=[function], secrets=secrets) as calls:
        return await calls.call(
            declared.kind, declared.name, parameters, window=window, idempotency_key="key"
        )


async def failure(function: Callable[..., Any], window: float = 5.0, **parameters: Any) -> CallError:
    """Return how a call fails."""
    with pytest.raises(CallError) as caught:
        await call(function, window, **parameters)
    return caught.value


@asynccontextmanager
async def worker(client: Client, queue: str, *functions: Callable[..., Any]) -> AsyncIterator[None]:
    """Run a worker with functions."""
    calls = Calls(StaticEndpoints({}), functions=functions)
    async with (
        calls,
        Worker(
            client,
            task_queue=queue,
            workflows=[CallOnce],
            activities=calls.activities,
            workflow_runner=UnsandboxedWorkflowRunner(),
        ),
    ):
        yield


async def run(
    client: Client, queue: str, kind: str, name: str, window: float = 5.0, **parameters: Any
) -> Any:
    """Make a call from a workflow."""
    request = {
        "endpoint": name,
        "parameters": parameters,
        "window": window,
        "idempotency_key": "the-key",
        "journey": "j",
        "step": "s",
    }
    return await client.execute_workflow(
        "tests.Call", args=[kind, request, 5.0], id=f"{queue}-{name}", task_queue=queue
    )


async def test_parameters_arrive_as_their_types() -> None:
    """JSON becomes what the annotations say; what is left out takes the function's default; the answer is JSON."""
    got: dict[str, Any] = {}

    @action.defn(name="a")
    async def send(
        when: datetime, color: Color, sent: Sent, note: str | None = "none", size: int = 7
    ) -> Sent:
        got.update(when=when, color=color, sent=sent, note=note, size=size)
        return Sent(id="x", at=when)

    result = await call(
        send, when="2026-01-01T00:00:00Z", color="red", sent={"id": "y"}, note=None, size=None
    )
    assert result == {"status": 200, "body": {"id": "x", "at": "2026-01-01T00:00:00Z"}}
    assert got["when"] == datetime.fromisoformat("2026-01-01T00:00:00+00:00")
    assert got["color"] is Color.RED
    assert got["sent"] == Sent(id="y")
    assert got["note"] is None  # null is a value of this one
    assert got["size"] == 7  # and not of this one


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, "the parameter when of a is missing"),
        ({"when": CANARY}, "the parameter when does not fit its schema"),
        ({"when": "2026-01-01T00:00:00Z", "other": 1}, "other is no parameter of a"),
        (
            {"when": "2026-01-01T00:00:00Z", "even": 3},
            "the parameter even is not what the function takes (value_error)",
        ),
    ],
)
async def test_parameters_that_do_not_fit_are_refused(parameters: dict[str, Any], expected: str) -> None:
    """The function is not called; the message names the parameter, never a value."""

    class Even(BaseModel):
        number: int

        @field_validator("number")
        @classmethod
        def check(cls, value: int) -> int:
            if value % 2:
                raise ValueError(CANARY)
            return value

    @action.defn(name="a")
    async def send(when: datetime, even: Even | None = None) -> None:
        pytest.fail("it was called")

    if "even" in parameters:
        parameters = parameters | {"even": {"number": parameters["even"]}}
        expected = expected.replace("parameter even", "parameter even.number")
    failed = await failure(send, **parameters)
    assert failed.code == "refused"
    assert failed.message.startswith(expected)
    assert CANARY not in failed.message
    assert not failed.retryable


async def test_answers_that_are_not_what_was_said() -> None:
    """Another type, NaN for a number, half a character: `invalid_response`, without the value."""

    @action.defn(name="a")
    async def other() -> Sent:
        return {"name": CANARY}  # type: ignore[return-value]

    @action.defn(name="b")
    async def nan() -> float:
        return float("nan")

    @action.defn(name="c")
    async def half() -> str:
        return "\ud800"

    @action.defn(name="d")
    async def deep() -> Any:
        value: Any = 1
        for _ in range(100):
            value = [value]
        return value

    for function in (other, nan, half, deep):
        failed = await failure(function)
        assert failed.code == "invalid_response", function
        assert CANARY not in failed.message


async def test_failed_says_what_journeys_see() -> None:
    """A function's own error keeps its code, status and message; other exceptions only their type."""

    @action.defn(name="a")
    async def out(status: int | None = None) -> None:
        raise action.Failed("nothing left", None if status else "no_stock", status=status)

    @action.defn(name="b")
    def busy() -> None:
        raise action.Failed("busy", retry_after=timedelta(seconds=3))

    failed = await failure(out)
    assert (failed.code, failed.message, failed.status, failed.retryable) == (
        "no_stock",
        "nothing left",
        None,
        False,
    )
    failed = await failure(out, status=503)
    assert (failed.code, failed.status) == ("http_503", 503)
    failed = await failure(busy)
    assert (failed.retryable, failed.retry_after) == (True, 3.0)


async def test_other_exceptions_tell_only_their_type(caplog: pytest.LogCaptureFixture) -> None:
    """The worker's log has the traceback, without secrets; the error has neither text nor context."""

    @action.defn(name="a")
    async def broken() -> None:
        secret = action.context().secret("TOKEN")
        raise KeyError(f"{CANARY} {secret}")

    @action.defn(name="b")
    def leaving() -> None:
        sys.exit(3)

    @action.defn(name="c")
    async def slow() -> None:
        raise TimeoutError(CANARY)

    @action.defn(name="d")
    async def final() -> None:
        raise ApplicationError(CANARY, type="Final", non_retryable=True)

    @action.defn(name="e")
    async def later() -> None:
        activity.raise_complete_async()

    with caplog.at_level(logging.ERROR):
        for function, kind in ((broken, "KeyError"), (leaving, "SystemExit"), (slow, "TimeoutError")):
            failed = await failure(function)
            assert failed.code == "exception"
            assert failed.message.endswith(f"raised {kind}; the worker's log says more")
            assert failed.retryable
            assert failed.__context__ is None
    assert CANARY in caplog.text
    assert "Traceback" in caplog.text
    assert "hunter2token" not in caplog.text
    failed = await failure(final)
    assert (failed.code, failed.message, failed.retryable) == (
        "exception",
        "the action d (" + _ref(final) + ") raised Final",
        False,
    )
    assert "cannot be completed later" in (await failure(later)).message


def _ref(function: Callable[..., Any]) -> str:
    declared = function_of(function)
    assert declared is not None
    return str(declared.definition.python)


async def test_secrets_are_masked_and_on_the_list() -> None:
    """A function gets the secrets that the deployment allows, and nothing that it returns shows them."""

    @source.defn(name="s")
    async def look(name: str) -> str:
        return f"with {source.context().secret(name)}"

    assert (await call(look, name="TOKEN"))["body"] == "with ***"
    failed = await failure(look, name="HOME")
    assert failed.code == "refused"
    assert "add its name to SOJOURN_SECRETS" in failed.message


async def test_a_function_that_blocks_runs_in_a_thread() -> None:
    """`def` functions leave the event loop free, and see the context of their call."""
    loop = threading.get_ident()
    gate = threading.Event()

    @source.defn(name="slow")
    def slow() -> bool:
        assert gate.wait(10)
        return threading.get_ident() != loop and source.context().name == "slow"

    running = asyncio.create_task(call(slow, 20.0))
    await asyncio.sleep(0)
    gate.set()
    assert (await running)["body"] is True


async def test_the_end_of_the_window_cancels_the_coroutine() -> None:
    """A function that takes too long is cancelled, and has its chance to tidy up."""
    ended: list[str] = []

    @action.defn(name="a")
    async def slow() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    assert (await failure(slow, 0.2)).code == "timed_out"
    assert ended == ["cancelled"]


async def test_cached_sources_are_asked_once() -> None:
    """Equal look-ups that come together make one call; another one later none."""
    asked: list[str] = []

    @source.defn(name="s", cache=timedelta(minutes=1))
    async def look(key: str) -> str:
        asked.append(key)
        await asyncio.sleep(0.01)
        return key

    async with Calls(StaticEndpoints({}), functions=[look]) as calls:
        await asyncio.gather(*(calls.call("source", "s", {"key": "a"}, window=5) for _ in range(10)))
        await calls.call("source", "s", {"key": "b"}, window=5)
    assert asked == ["a", "b"]


def test_functions_are_checked_when_the_worker_is_made() -> None:
    """What is not decorated, and two with one name, are refused with what to do."""

    @action.defn(name="a")
    async def one() -> None: ...

    @source.defn(name="a")
    async def two() -> None: ...

    async def bare() -> None: ...

    with pytest.raises(ValueError, match=r"bare is no source and no action: put @action.defn"):
        Calls(StaticEndpoints({}), functions=[bare])
    with pytest.raises(ValueError, match=r"one and .*two have one name, a: give each"):
        Calls(StaticEndpoints({}), functions=[one, two])
    Calls(StaticEndpoints({}), functions=[one, one])


async def test_attempts_share_a_key_and_end_with_the_last_error(client: Client, unique: str) -> None:
    """Exceptions are retried by Temporal, four attempts with one key; activity.info() is there; no text in histories."""
    seen: list[tuple[str | None, int, str | None, str | None, str | None]] = []

    @action.defn(name="a")
    async def send(to: str) -> None:
        here = action.context()
        assert activity.info().activity_type == "sojourn.action"
        assert timedelta() < here.remaining <= timedelta(seconds=5)
        seen.append((here.idempotency_key, here.attempt, here.journey, here.step, here.instance))
        raise RuntimeError(CANARY)

    async with worker(client, unique, send):
        result = await run(client, unique, "action", "a", to="x")
    assert result["failed"]["code"] == "exception"
    assert seen == [("the-key", number, "j", "s", f"{unique}-a") for number in (1, 2, 3, 4)]
    history = await client.get_workflow_handle(f"{unique}-a").fetch_history()
    assert CANARY not in history.to_json()
    kinds = [EventType.Name(event.event_type) for event in history.events]
    assert sum("ACTIVITY" in kind for kind in kinds) == 3  # as with an HTTP endpoint: attempts add none


async def test_sources_run_as_local_activities(client: Client, unique: str) -> None:
    """A look-up costs one history event, and its retries none, as with HTTP."""
    attempts: list[int] = []

    @source.defn(name="s")
    def look(key: int) -> dict[str, int]:
        attempts.append(source.context().attempt)
        if len(attempts) < 2:
            raise source.Failed("not yet", retry=True)
        return {"key": key}

    async with worker(client, unique, look):
        result = await run(client, unique, "source", "s", key=7)
    assert result == {"status": 200, "body": {"key": 7}}
    assert attempts == [1, 2]


async def test_threads_end_with_their_functions() -> None:
    """Closing does not wait for a function that blocks; it goes on to its end."""
    gate = threading.Event()
    done = threading.Event()

    @action.defn(name="a")
    def stuck() -> None:
        gate.wait(20)
        done.set()

    begun = time.monotonic()
    assert (await failure(stuck, 0.2)).code == "timed_out"
    assert time.monotonic() - begun < 10
    gate.set()
    assert await asyncio.to_thread(done.wait, 10)
