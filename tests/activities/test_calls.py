"""The activities on a real Temporal server, against real HTTP servers."""

from __future__ import annotations

import asyncio
import itertools
import logging
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from sojourn.activities import AddressGuard, CallError, Calls, Secrets, StaticEndpoints, Transport
from sojourn.definitions import EndpointDefinition
from sojourn.settings import Settings
from tests.activities.server import Reply, Server, answer, late, raw, reset
from tests.activities.workflow import CallOnce

SECRETS = {"TOKEN": "hunter2token"}
ROOT = Path(__file__).parents[2]
NEVER = late(60, answer({}))
_numbers = itertools.count(1)


class World:
    """A worker that makes calls, and the endpoints that it knows."""

    def __init__(self, client: Client, queue: str) -> None:
        self.client = client
        self.queue = queue
        self.endpoints: dict[str, EndpointDefinition] = {}
        secrets = Secrets(SECRETS, environment=SECRETS)
        self.calls = Calls(
            StaticEndpoints(self.endpoints), secrets=secrets, transport=Transport(AddressGuard(["127.0.0.1"]))
        )

    def define(self, kind: str, url: str, **fields: Any) -> str:
        """Define an endpoint and return its name."""
        name = f"e{next(_numbers)}"
        definition = {"kind": kind, "name": name, "url": url, **fields}
        self.endpoints[f"{kind}:{name}"] = EndpointDefinition.load(definition)
        return name

    async def run(
        self, kind: str, name: str, window: float = 2.0, grace: float = 5.0, **parameters: Any
    ) -> dict[str, Any]:
        """Run a workflow that makes one call; return its result, or `{"failed": {...}}`."""
        workflow_id = f"ann@example.com-{self.queue}-{next(_numbers)}"
        call = {"endpoint": name, "parameters": parameters, "window": window, "journey": "j", "step": "s"}
        result: dict[str, Any] = await self.client.execute_workflow(
            "tests.Call",
            args=[kind, {**call, "idempotency_key": f"key-{workflow_id}"}, grace],
            id=workflow_id,
            task_queue=self.queue,
        )
        return result

    async def ask(self, kind: str, server: Server, window: float = 2.0, **fields: Any) -> dict[str, Any]:
        """Define an endpoint at a server and run one call to it."""
        return await self.run(kind, self.define(kind, server.url("/x"), **fields), window)


@pytest.fixture(scope="module")
async def world(temporal: WorkflowEnvironment) -> AsyncIterator[World]:
    """One worker for the tests of this module."""
    made = World(temporal.client, f"calls-{next(_numbers)}-{id(temporal)}")
    async with (
        made.calls,
        Worker(
            made.client,
            task_queue=made.queue,
            workflows=[CallOnce],
            activities=made.calls.activities,
            workflow_runner=UnsandboxedWorkflowRunner(),
        ),
    ):
        yield made


BOTH = pytest.mark.parametrize("kind", ["source", "action"])


def status(code: int, **headers: str) -> Reply:
    """An error answer with a JSON body."""
    return answer({"why": code}, code, {name.replace("_", "-"): value for name, value in headers.items()})


# Scenario S26 of the reference, and more: replies, result, number of requests. A window is 1 s long where its end is
# the matter, so that the reference's 5 s are not waited for; elsewhere it is long enough for a busy machine.
S26: dict[str, tuple[list[Reply], dict[str, Any], int]] = {
    "an answer just in time": ([late(1.0, answer({"ok": 1}))], {"status": 200, "body": {"ok": 1}}, 1),
    "a first attempt beyond the window": ([late(3, answer({}))], {"code": "timed_out", "status": None}, 1),
    "500, then an answer in time": (
        [late(0.4, status(500)), answer({"ok": 2})],
        {"status": 200, "body": {"ok": 2}},
        2,
    ),
    "500 for ever": ([status(500)], {"code": "http_500", "status": 500, "body": {"why": 500}}, 4),
    "500, then nothing": ([status(500), NEVER], {"code": "timed_out", "status": 500}, 2),
    "503 twice, then an answer": ([status(503), status(503), answer([])], {"status": 200, "body": []}, 3),
    "different errors": ([status(500), status(502), status(429), status(504)], {"code": "http_504"}, 4),
    "an error, then 404": ([status(500), status(404)], {"code": "http_404", "status": 404}, 2),
    "401": ([status(401)], {"code": "http_401", "status": 401, "body": {"why": 401}}, 1),
    "403": ([status(403)], {"code": "http_403", "status": 403}, 1),
    "404": ([status(404)], {"code": "http_404", "status": 404, "body": {"why": 404}}, 1),
    "400": ([status(400)], {"code": "http_400", "status": 400}, 1),
    "422": ([status(422)], {"code": "http_422", "status": 422}, 1),
    "408": ([status(408), answer(1)], {"status": 200, "body": 1}, 2),
    "425": ([status(425), answer(1)], {"status": 200, "body": 1}, 2),
    "429": ([status(429), answer(1)], {"status": 200, "body": 1}, 2),
    "a reset, then an answer": ([reset(), answer(1)], {"status": 200, "body": 1}, 2),
    "resets for ever": ([reset()], {"code": "network", "status": None}, 4),
    "a broken body, then an answer": (
        [raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"), answer(1)],
        {"status": 200, "body": 1},
        2,
    ),
    "HTML": ([answer(text=b"<html>")], {"code": "invalid_response", "status": 200}, 1),
    "429, to come back in time": ([status(429, Retry_After="0"), answer(1)], {"status": 200, "body": 1}, 2),
    "429, to come back too late": ([status(429, Retry_After="7")], {"code": "timed_out", "status": 429}, 1),
    "503, to come back tomorrow": (
        [status(503, Retry_After=format_datetime(datetime.now(UTC) + timedelta(days=1), usegmt=True))],
        {"code": "timed_out", "status": 503},
        1,
    ),
    "503, to come back yesterday": (
        [status(503, Retry_After="Sun, 06 Nov 1994 08:49:37 GMT"), answer(1)],
        {"status": 200, "body": 1},
        2,
    ),
    "500, to come back later": ([status(500, Retry_After="7")], {"code": "timed_out", "status": 500}, 1),
    "404, to come back later": ([status(404, Retry_After="0")], {"code": "http_404"}, 1),
}


WINDOWS = {"a first attempt beyond the window": 1.0, "500, then nothing": 1.0, "an answer just in time": 3.0}


@BOTH
@pytest.mark.parametrize("name", S26)
async def test_window_and_retries(world: World, kind: str, name: str) -> None:
    """Each row of the table ends as it says, after as many requests, for local activities and ordinary ones."""
    replies, expected, requests = S26[name]
    async with Server(replies) as server:
        result = await world.ask(kind, server, WINDOWS.get(name, 6.0), method="POST")
    shown = result.get("failed", result)
    assert {field: shown.get(field) for field in expected} == expected, shown
    assert ("failed" in result) == ("code" in expected)
    assert len(server.requests) == requests


async def test_retry_after_is_waited_for(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """A source that asks to come back after a second is asked again after a second, not before."""
    caplog.set_level(logging.INFO, "sojourn")
    moments: list[float] = []

    async def note(request: Any, writer: asyncio.StreamWriter) -> None:
        moments.append(asyncio.get_running_loop().time())
        await (status(429, Retry_After="1") if len(moments) == 1 else answer(1))(request, writer)

    async with Server([note]) as server:
        assert await world.ask("source", server, 20.0) == {"status": 200, "body": 1}
    assert moments[1] - moments[0] >= 1.0
    # Not how long it took, which is the machine's affair: how long it was to wait.
    assert "next attempt in 1.0 s" in caplog.text


@BOTH
async def test_the_window_is_over_after_its_time(world: World, kind: str) -> None:
    """The first attempt has the whole window, and not more."""
    begun = asyncio.get_running_loop().time()
    async with Server([NEVER]) as server:
        result = await world.ask(kind, server, 0.6)
    assert result["failed"]["code"] == "timed_out"
    # The activity's own time-out is five seconds behind the window, for a machine that is busy.
    assert 0.55 < asyncio.get_running_loop().time() - begun < 5.0


async def test_every_attempt_carries_the_same_key(world: World) -> None:
    """All attempts of an action have one `Idempotency-Key`; two calls have two; a look-up has none."""
    async with Server([status(500), reset(), answer({}), status(500), answer({}), answer({})]) as server:
        name = world.define("action", server.url())
        await world.run("action", name)
        await world.run("action", name)
        await world.ask("source", server)
    keys = [request.header("Idempotency-Key") for request in server.requests]
    assert keys[0] == keys[1] == keys[2]
    assert keys[3] == keys[4]
    assert keys[0] is not None
    assert keys[3] not in {None, keys[0]}
    assert keys[5] is None


async def test_an_attempt_that_died_with_its_worker_is_made_again(world: World) -> None:
    """An attempt that never reports costs no window: the same call is sent once more, with the same key.

    The worker is played by an activity that outlives its time as Temporal sees it; the server then gives the
    attempt up as it does when a worker is gone.
    """
    async with Server([status(500), late(60, answer({})), answer({"ok": 1})]) as server:
        name = world.define("action", server.url("/x"))
        result = await world.run("action", name, 3.0, -2.5)
    assert result == {"status": 200, "body": {"ok": 1}}
    assert len({request.header("Idempotency-Key") for request in server.requests}) == 1
    assert len(server.requests) == 3


REFUSED: dict[str, dict[str, Any]] = {
    "a parameter that is missing": {"parameters": {"id": {}}},
    "a secret that is missing": {"auth": {"type": "bearer", "token": {"secret": "OTHER"}}},
    "a header that breaks out": {"headers": {"X": "a\nb"}},
}


@BOTH
@pytest.mark.parametrize("name", REFUSED)
async def test_calls_that_are_not_made(world: World, kind: str, name: str) -> None:
    """What is wrong on our side is `refused` at once, and nothing is sent."""
    async with Server([answer({})]) as server:
        result = await world.ask(kind, server, **REFUSED[name])
    assert result["failed"]["code"] == "refused"
    assert server.requests == []


@BOTH
async def test_an_unknown_endpoint_is_refused(world: World, kind: str) -> None:
    """The error says what to do."""
    result = await world.run(kind, "nowhere")
    assert result["failed"]["code"] == "refused"
    assert "publish" in result["failed"]["message"]


async def test_an_action_is_not_a_source(world: World) -> None:
    """The same name may be both; each kind of call finds its own."""
    async with Server([answer({})]) as server:
        name = world.define("action", server.url())
        result = await world.run("source", name)
    assert result["failed"]["code"] == "refused"
    assert server.requests == []


async def test_an_address_inside_is_refused(world: World) -> None:
    """The address is refused at connection, and another attempt is not made."""
    result = await world.run("action", world.define("action", "http://localhost:1/x"))
    assert result["failed"]["code"] == "refused"
    assert "not a public address" in result["failed"]["message"]


async def test_a_rotated_endpoint_is_live(world: World) -> None:
    """What the directory says at the moment of the call holds, also between attempts."""
    async with Server([status(500)]) as old, Server([answer({"new": True})]) as new:
        name = world.define("action", old.url())

        async def rotate(request: Any, writer: asyncio.StreamWriter) -> None:
            world.endpoints[f"action:{name}"] = EndpointDefinition.load(
                {"kind": "action", "name": name, "url": new.url()}
            )
            await status(500)(request, writer)

        old.replies = [rotate]
        assert await world.run("action", name) == {"status": 200, "body": {"new": True}}
    assert len(old.requests) == 1


async def test_a_token_that_is_refused_is_renewed_within_the_attempt(world: World) -> None:
    """After a 401 the call is made once more with a new token; a second 401 is the answer."""
    tokens = Server([answer({"access_token": "tok-1"}), answer({"access_token": "tok-2"})])
    async with tokens, Server([status(401), answer({"ok": 1}), status(401), status(401)]) as server:
        auth = {
            "type": "oauth2",
            "token_url": tokens.url(),
            "client_id": "me",
            "client_secret": {"secret": "TOKEN"},
        }
        name = world.define("action", server.url(), auth=auth)
        assert await world.run("action", name) == {"status": 200, "body": {"ok": 1}}
        assert (await world.run("action", name))["failed"]["code"] == "http_401"
    sent = [request.header("Authorization") for request in server.requests]
    assert sent == ["Bearer tok-1", "Bearer tok-2", "Bearer tok-2", "Bearer tok-2"]
    assert len({request.header("Idempotency-Key") for request in server.requests[:2]}) == 1


async def test_a_cached_look_up_is_shared(world: World) -> None:
    """Equal look-ups make one request, other parameters another one, and a changed endpoint a third."""
    async with Server(
        [late(0.05, answer({"n": 1})), late(0.05, answer({"n": 2})), answer({"n": 3})]
    ) as server:
        parameters = {"id": {"type": "string"}}
        name = world.define("source", server.url("/{id}"), parameters=parameters, cache=60)
        results = await asyncio.gather(*(world.run("source", name, id="a") for _ in range(5)))
        assert results == [{"status": 200, "body": {"n": 1}}] * 5
        assert (await world.run("source", name, id="b"))["body"] == {"n": 2}
        assert (await world.run("source", name, id="a"))["body"] == {"n": 1}
        definition = {"kind": "source", "name": name, "url": server.url("/v2/{id}"), "cache": 60}
        world.endpoints[f"source:{name}"] = EndpointDefinition.load({**definition, "parameters": parameters})
        assert (await world.run("source", name, id="a"))["body"] == {"n": 3}


async def test_failed_look_ups_are_not_kept(world: World) -> None:
    """An error is tried again at once by the next attempt, whatever the cache is for."""
    async with Server([status(500), answer({"n": 1})]) as server:
        assert await world.ask("source", server, cache=60) == {"status": 200, "body": {"n": 1}}


async def test_nothing_is_cached_unless_asked_for(world: World) -> None:
    """Without `cache` each look-up is a request of its own; actions always are."""
    async with Server([answer({})]) as server:
        for kind in ("source", "action"):
            name = world.define(kind, server.url())
            await world.run(kind, name)
            await world.run(kind, name)
    assert len(server.requests) == 4


async def test_secrets_and_customers_are_in_no_history_and_no_log(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """A server that repeats our credentials gets them into neither results nor errors, nor the log."""
    caplog.set_level(logging.DEBUG)

    def echo(code: int) -> Reply:
        async def reply(request: Any, writer: asyncio.StreamWriter) -> None:
            body = {"headers": dict(request.headers), "url": request.target}
            await answer(body, code)(request, writer)

        return reply

    for code in (200, 400, 500):
        for auth in (
            {"type": "bearer", "token": {"secret": "TOKEN"}},
            {"type": "api_key", "query": "key", "value": {"secret": "TOKEN"}},
            {"type": "basic", "username": "me", "password": {"secret": "TOKEN"}},
        ):
            async with Server([echo(code)]) as server:
                name = world.define("action", server.url("/x"), auth=auth, parameters={"who": {}})
                result = await world.run("action", name, 1.0, who="zoe@example.com")
            assert "***" in str(result), "the server did repeat them"
            assert "hunter2" not in str(result)
    logged = "\n".join(f"{record.getMessage()} {vars(record)}" for record in caplog.records)
    mine = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("sojourn"))
    assert "hunter2" not in logged
    assert "failed at attempt 1: the answer is HTTP 500 (http_500); next attempt in" in mine
    assert "example.com" not in mine


async def test_expected_failures_are_benign(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """An endpoint that is down is no failure of the worker: Temporal's SDK logs no traceback for it."""
    caplog.set_level(logging.INFO, "temporalio")
    async with Server([status(503)]) as server:
        await world.ask("action", server)
    assert [record for record in caplog.records if record.name.startswith("temporalio")] == []


async def test_a_request_can_be_shown_without_being_sent(world: World) -> None:
    """The preview is the request that would be sent, with `***` for secrets."""
    async with Server([answer({})]) as server:
        auth = {"type": "bearer", "token": {"secret": "TOKEN"}}
        name = world.define("action", server.url("/{id}"), auth=auth, parameters={"id": {}, "x": {}})
        request = await world.calls.request_preview("action", name, {"id": "a b", "x": [1]})
        with pytest.raises(CallError, match="missing"):
            await world.calls.request_preview("action", name, {"id": "a b"})
    assert (request.method, request.url, request.body) == ("POST", server.url("/a%20b"), b'{"x":[1]}')
    assert dict(request.headers) == {"Content-Type": "application/json", "Authorization": "Bearer ***"}
    assert server.requests == []


@pytest.mark.parametrize("broken", [{}, {"endpoint": 5}, {"endpoint": "a", "window": "long"}])
async def test_a_call_that_is_none_of_ours_is_refused(world: World, broken: dict[str, Any]) -> None:
    """Input that no journey makes is an error at once, not an endless retry."""
    from temporalio.exceptions import ApplicationError
    from temporalio.testing import ActivityEnvironment

    with pytest.raises(ApplicationError) as caught:
        await ActivityEnvironment().run(world.calls.action, broken)
    assert caught.value.non_retryable


async def test_endpoints_that_cannot_be_read_are_tried_again(
    temporal: WorkflowEnvironment, unique: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A database that is away for a moment costs an attempt and a line in the log; its URL is not in it."""

    class Directory:
        asked = 0

        async def endpoint(self, kind: str, name: str, *, newest: bool = False) -> EndpointDefinition | None:
            self.asked += 1
            if self.asked == 1:
                raise ConnectionError(SECRETS["TOKEN"])
            return EndpointDefinition.load({"kind": kind, "name": name, "url": server.url()})

    world = World(temporal.client, f"calls-{unique}")
    async with (
        Server([answer({"ok": 1})]) as server,
        Calls(Directory(), transport=Transport(AddressGuard(["127.0.0.1"]))) as calls,
        Worker(
            temporal.client,
            task_queue=world.queue,
            workflows=[CallOnce],
            activities=calls.activities,
            workflow_runner=UnsandboxedWorkflowRunner(),
        ),
    ):
        assert await world.run("action", "any") == {"status": 200, "body": {"ok": 1}}
    [line] = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert "the endpoints cannot be read at the moment (ConnectionError) (network)" in line.getMessage()
    assert line.exc_info is None
    assert "\n" not in line.getMessage()
    assert "hunter2" not in caplog.text


async def test_an_endpoint_published_a_moment_ago_is_found(world: World) -> None:
    """A journey may be faster than what a worker knows: before a call is refused, the newest is asked for."""
    asked = []

    class Directory(StaticEndpoints):
        async def endpoint(self, kind: str, name: str, *, newest: bool = False) -> EndpointDefinition | None:
            asked.append((name, newest))
            found = await super().endpoint(kind, name)
            if newest or found is None:
                return found if newest else None
            return None if name == "new" else found.model_copy(update={"parameters": {}})

    fields = {"kind": "action", "parameters": {"id": {"type": "string"}}}
    async with Server([answer({"ok": 1})]) as server:
        known = {
            f"action:{name}": EndpointDefinition.load({**fields, "name": name, "url": server.url()})
            for name in ("new", "changed")
        }
        async with Calls(Directory(known), transport=Transport(AddressGuard(["127.0.0.1"]))) as calls:
            for name in ("new", "changed"):
                assert (await calls.call("action", name, {"id": "a"}, window=10))["body"] == {"ok": 1}
            with pytest.raises(CallError, match="no action other"):
                await calls.call("action", "other", {}, window=10)
            assert asked == [(n, late) for n in ("new", "changed", "other") for late in (False, True)]
            with pytest.raises(CallError, match="the parameter id of new is missing"):
                await calls.call("action", "new", {}, window=10)


async def test_a_killed_worker_leaves_nothing_unsent(temporal: WorkflowEnvironment, unique: str) -> None:
    """SIGKILL in the middle of an attempt: another worker sends the call again, with the same key.

    The first attempt failed and used up three quarters of the window, which the third still knows; the second died, and
    costs nothing.
    """
    loop = asyncio.get_running_loop()
    arrived, begun = asyncio.Event(), [0.0]

    async def hang(request: Any, writer: asyncio.StreamWriter) -> None:
        arrived.set()
        begun[0] = loop.time()
        await asyncio.sleep(60)

    world = World(temporal.client, f"calls-{unique}")
    async with Server([late(3.0, status(500)), hang]) as server:
        address = temporal.client.service_client.config.target_host
        arguments = ["-m", "tests.activities.victim", address, world.queue, server.url("/x"), "10"]
        victim = await asyncio.create_subprocess_exec(sys.executable, *arguments, cwd=ROOT)
        options: dict[str, Any] = {"task_queue": world.queue, "workflow_runner": UnsandboxedWorkflowRunner()}
        async with Worker(temporal.client, workflows=[CallOnce], **options), world.calls:
            running = asyncio.create_task(world.run("action", "act", 4.0, 0.0))
            try:
                await asyncio.wait_for(arrived.wait(), 60)
            finally:
                victim.kill()
                await victim.wait()
            act = {"kind": "action", "name": "act", "url": server.url("/x")}
            world.endpoints["action:act"] = EndpointDefinition.load(act)
            async with Worker(temporal.client, task_queue=world.queue, activities=world.calls.activities):
                result = await running
        used = loop.time() - begun[0]
    assert len(server.requests) == 3, "two attempts of the worker that died, one of the other"
    assert len({request.header("Idempotency-Key") for request in server.requests}) == 1
    assert (result["failed"]["code"], result["failed"]["status"]) == ("timed_out", 500)
    assert used < 3.5, "the third attempt had what the first had left of the window"


async def test_a_deployment_configures_calls_by_its_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Secrets, their folder, hosts and authorities come from `SOJOURN_...` variables; mistakes in them are named."""
    (tmp_path / "MAIL_KEY").write_text("hunter2")
    async with Server([answer({})]) as server:
        monkeypatch.setenv("SOJOURN_SECRETS", "MAIL_KEY, OTHER")
        monkeypatch.setenv("SOJOURN_SECRETS_FOLDER", str(tmp_path))
        monkeypatch.setenv("SOJOURN_ALLOW_HOSTS", f"crm.internal,127.0.0.1:{server.port}")
        auth = {"type": "bearer", "token": {"secret": "MAIL_KEY"}}
        definition = {"kind": "source", "name": "a", "url": server.url(), "auth": auth}
        endpoints = StaticEndpoints({"source:a": EndpointDefinition.load(definition)})
        async with Calls.from_settings(endpoints, Settings()) as calls:
            assert await calls.call("source", "a", {}, window=5) == {"status": 200, "body": {}}
    assert server.requests[0].header("Authorization") == "Bearer hunter2"
    with pytest.raises(ValueError, match="SOJOURN_ALLOW_HOSTS"):
        Calls.from_settings(endpoints, Settings(allow_hosts="http://crm"))
    with pytest.raises(OSError, match="nowhere"):
        Calls.from_settings(endpoints, Settings(ca_file=tmp_path / "nowhere.pem"))
