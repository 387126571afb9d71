"""Who watches calls is told of each attempt that failed, and of nothing that belongs to a customer."""

from __future__ import annotations

from typing import Any

from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from sojourn.activities import AddressGuard, CallFailure, Calls, Secrets, StaticEndpoints, Transport
from sojourn.definitions import EndpointDefinition
from tests.activities.server import Server, answer
from tests.activities.workflow import CallOnce

SECRETS = {"TOKEN": "hunter2token"}


class Watching:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.failures: list[CallFailure] = []

    def failed(self, failure: CallFailure) -> None:
        """Keep a failure."""
        self.failures.append(failure)


async def watched(
    client: Client, unique: str, kind: str, server: Server, **parameters: Any
) -> list[CallFailure]:
    """Make one call by a workflow, and return what was told meanwhile."""
    definition = {
        "kind": kind, "name": "e", "url": server.url("/x"), "parameters": {"to": {"type": "string"}},
        "auth": {"type": "bearer", "token": {"secret": "TOKEN"}},
    }  # fmt: skip
    observer = Watching()
    calls = Calls(
        StaticEndpoints({f"{kind}:e": EndpointDefinition.load(definition)}),
        secrets=Secrets(SECRETS, environment=SECRETS),
        transport=Transport(AddressGuard(["127.0.0.1"])),
        observer=observer,
    )
    call = {"endpoint": "e", "parameters": parameters, "window": 20.0, "journey": "welcome", "step": "send"}
    async with (
        calls,
        Worker(
            client, task_queue=unique, workflows=[CallOnce], activities=calls.activities,
            workflow_runner=UnsandboxedWorkflowRunner(),
        ),
    ):  # fmt: skip
        await client.execute_workflow(
            "tests.Call", args=[kind, {**call, "idempotency_key": unique}, 5.0], id=unique, task_queue=unique
        )
    return observer.failures


async def test_each_failed_attempt_is_told_and_which_was_the_last(client: Client, unique: str) -> None:
    """A fetch and an action alike: one that succeeds in the end leaves its first attempts."""
    for number, kind in enumerate(("source", "action")):
        async with Server([answer({}, 503), answer({"ok": 1})]) as server:
            (failure,) = await watched(client, f"{unique}-{number}-ok", kind, server, to="ann@example.com")
        assert (failure.kind, failure.name, failure.code, failure.status) == (kind, "e", "http_503", 503)
        assert (failure.journey, failure.step, failure.attempt, failure.final) == (
            "welcome",
            "send",
            1,
            False,
        )
        async with Server([answer({}, 503)]) as server:
            failures = await watched(client, f"{unique}-{number}-bad", kind, server, to="ann@example.com")
        assert [failure.attempt for failure in failures] == [1, 2, 3, 4]
        assert [failure.final for failure in failures] == [False, False, False, True]


async def test_a_success_is_not_told(client: Client, unique: str) -> None:
    """There is nothing to look at."""
    async with Server([answer({"ok": 1})]) as server:
        assert await watched(client, unique, "action", server, to="x") == []


async def test_no_parameter_no_answer_and_no_secret_is_told(client: Client, unique: str) -> None:
    """Also where the other side repeats them all, and where a parameter is refused."""
    told = {"you": "Bearer hunter2token", "to": "ann@example.com", "plan": "gold"}
    for number, reply in enumerate((answer(told, 400), answer(text=b"ann@example.com hunter2token gold"))):
        async with Server([reply]) as server:
            (failure,) = await watched(client, f"{unique}-{number}", "action", server, to="ann@example.com")
        assert failure.final
        for private in ("ann", "hunter2token", "gold"):
            assert private not in repr(failure)
    async with Server([answer({})]) as server:
        (failure,) = await watched(client, f"{unique}-refused", "action", server, to={"ann": "gold"})
    assert (failure.code, failure.final) == ("refused", True)
    assert "ann" not in repr(failure)
    assert "gold" not in repr(failure)
