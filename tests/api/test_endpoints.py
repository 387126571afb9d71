"""`/v1/endpoints`: what operators see of endpoints, and how they steer them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from sojourn.activities import CallFailure
from sojourn.api.app import create_app
from sojourn.contract import names
from sojourn.settings import Settings
from sojourn.store import Store
from tests.api.conftest import problem_of, serving
from tests.api.waiting import Queueing

ENDPOINTS = """
source: crm.customer
method: GET
url: https://user.example.com:8443/customers/{id}
parameters: {id: {type: string}}
auth: {type: bearer, token: {secret: CRM_TOKEN}}
cache: 1m
---
action: email.send
description: Sends a mail.
url: https://mail.example.com/v1/messages
parameters: {to: {type: string}, note: {type: string, optional: true}}
headers: {X-Key: {secret: MAIL_KEY}}
throttle: {calls: 200, per: 1s, expire: 6h}
---
event: cart.updated
key: event.customerId
---
journey: reminder
entry: {event: cart.updated}
steps:
  send: {action: email.send, with: {to: "${entry.customerId}"}, on_error: done}
  done: {end: reminded}
"""
LIMITS = "/v1/endpoints/action/email.send/limits"
THROTTLE = {"calls": 5, "per": "1s", "expire": "1h"}


@pytest.fixture
async def steered(settings: Settings, store: Store, nowhere: Client) -> AsyncIterator[httpx.AsyncClient]:
    """An API with two endpoints and a journey, which shares its store with the test."""
    app = create_app(settings, store=store, client=nowhere)
    async with serving(app) as url, httpx.AsyncClient(base_url=url, timeout=20) as client:
        (await client.post("/v1/journeys", json={"files": {"all.yaml": ENDPOINTS}})).raise_for_status()
        yield client


def failure(number: int, **fields: Any) -> CallFailure:
    """The n-th failed attempt of a call."""
    at = datetime(2026, 3, 1, 10, tzinfo=UTC) + timedelta(seconds=number)
    values: dict[str, Any] = {
        "kind": "action", "name": "email.send", "at": at, "code": "http_503", "status": 503,
        "message": f"number {number}", "journey": "reminder", "step": "send", "attempt": 1, "final": False, **fields,
    }  # fmt: skip
    return CallFailure(**values)


async def test_endpoints_are_listed_without_what_is_secret(steered: httpx.AsyncClient, store: Store) -> None:
    """Sources first; host, limits in force, last error; no secret's name, no path."""
    await store.endpoint_errors.record([failure(1), failure(2, final=True, attempt=2)])
    answer = await steered.get("/v1/endpoints")
    assert answer.status_code == 200
    crm, mail = answer.json()["endpoints"]
    assert crm == {
        "kind": "source", "name": "crm.customer", "description": None, "method": "GET",
        "host": "user.example.com:8443", "python": None, "cap": None, "throttle": None, "waiting": None,
        "last_error": None,
    }  # fmt: skip
    assert (mail["kind"], mail["name"], mail["method"]) == ("action", "email.send", "POST")
    assert mail["throttle"] == {"calls": 200, "per": "1s", "expire": "6h", "set_by": "definition"}
    assert mail["waiting"] is None  # there is no Temporal to ask
    assert mail["last_error"] == {
        "at": "2026-03-01T10:00:02Z", "code": "http_503", "status": 503, "message": "number 2",
        "journey": "reminder", "step": "send", "attempt": 2, "final": True,
    }  # fmt: skip
    assert "CRM_TOKEN" not in answer.text


async def test_one_endpoint_is_shown_whole(steered: httpx.AsyncClient, store: Store) -> None:
    """Its definition, names of secrets, journeys, and its failures, the newest first."""
    await store.endpoint_errors.record([failure(1), failure(2), failure(3, name="other")])
    found = (await steered.get("/v1/endpoints/action/email.send")).json()
    assert found["definition"]["url"] == "https://mail.example.com/v1/messages"
    assert found["secrets"] == ["MAIL_KEY"]
    assert found["journeys"] == ["reminder"]
    assert found["published"] == {"cap": None, "throttle": {"calls": 200, "per": "1s", "expire": "6h"}}
    assert found["changed_at"] is None
    assert [error["message"] for error in found["errors"]] == ["number 2", "number 1"]


async def test_limits_are_set_and_reset(steered: httpx.AsyncClient) -> None:
    """What is not named stays; what GET says is what PUT takes."""
    found = (await steered.put(LIMITS, json={"throttle": THROTTLE})).json()
    assert found["throttle"] == {**THROTTLE, "set_by": "operator"}
    assert found["published"]["throttle"]["calls"] == 200
    assert found["changed_at"].endswith("Z")
    found = (await steered.put(LIMITS, json={"cap": {"calls": 9, "per": "1m"}})).json()
    assert (found["cap"], found["throttle"]["calls"]) == ({"calls": 9, "per": "1m", "set_by": "operator"}, 5)
    listed = (await steered.get("/v1/endpoints")).json()["endpoints"][1]
    assert (listed["cap"], listed["throttle"]) == (found["cap"], found["throttle"])
    found = (await steered.delete(LIMITS, params={"limit": "throttle"})).json()
    assert (found["cap"]["calls"], found["throttle"]["set_by"]) == (9, "definition")
    for _ in range(2):
        found = (await steered.delete(LIMITS)).json()
        assert (found["cap"], found["throttle"]["calls"], found["changed_at"]) == (None, 200, None)


async def test_publishing_says_what_has_no_effect(steered: httpx.AsyncClient) -> None:
    """An operator's limit stays in force, and the publisher is told how to put it back."""
    project = {"files": {"all.yaml": ENDPOINTS}}
    assert (await steered.post("/v1/journeys", json=project)).json()["overridden"] == []
    await steered.put(LIMITS, json={"throttle": THROTTLE})
    (told,) = (await steered.post("/v1/journeys", json=project)).json()["overridden"]
    assert (told["kind"], told["name"], told["limits"]) == ("action", "email.send", ["throttle"])
    assert "throttle of 5 in 1s that an operator set" in told["message"]
    assert "sojourn endpoints reset email.send" in told["message"]
    found = (await steered.get("/v1/endpoints/action/email.send")).json()
    assert found["throttle"]["set_by"] == "operator"


@pytest.mark.parametrize(
    ("body", "path", "message"),
    [
        ({"cap": {"calls": 0, "per": "1s"}}, "/cap/calls", "from 1 to 10,000,000 calls"),
        ({"cap": {"calls": "5", "per": "1s"}}, "/cap/calls", "integer"),
        ({"cap": {"calls": 5}}, "/cap/per", "is missing"),
        ({"cap": {"calls": 5, "per": 1}}, "/cap/per", "must be a string"),
        ({"cap": {"calls": 5, "per": "soon"}}, "/cap/per", "is not a duration"),
        ({"cap": {"calls": 5, "per": "0s"}}, "/cap/per", "from 100ms to 366d"),
        ({"cap": {"calls": 5, "per": "1s", "expire": "1h"}}, "/cap/expire", "is not a field here"),
        ({"cap": None}, "/cap", "reset one with DELETE"),
        ({"throttle": {"calls": 5, "per": "1s", "expire": "900d"}}, "/throttle/expire", "from 1s to 90d"),
        ({"throttel": THROTTLE}, "/throttel", "did you mean throttle?"),
        ({}, "/", "name a limit"),
        ([], "", "must be an object"),
    ],
)
async def test_limits_that_make_no_sense_are_refused(
    steered: httpx.AsyncClient, body: Any, path: str, message: str
) -> None:
    """With a pointer to what is wrong; nothing changes."""
    problem = problem_of(await steered.put(LIMITS, json=body), "invalid-request")
    assert problem["violations"][0]["path"] == path
    assert message in problem["violations"][0]["message"]
    assert (await steered.get("/v1/endpoints/action/email.send")).json()["changed_at"] is None


@pytest.mark.parametrize(
    ("limit", "value"),
    [
        ("cap", {"calls": 0, "per": "1s"}),
        ("cap", {"calls": 10**9, "per": "1s"}),
        ("cap", {"calls": 5, "per": "10ms"}),
        ("cap", {"calls": 5, "per": "400d"}),
        ("throttle", {"calls": 6000, "per": "1s"}),
        ("throttle", {"calls": 1, "per": "2d"}),
        ("throttle", {"calls": 1, "per": "1s", "expire": "10ms"}),
        ("throttle", {"calls": 1, "per": "1s", "expire": "91d"}),
    ],
)
async def test_what_validation_refuses_no_operator_sets(
    steered: httpx.AsyncClient, limit: str, value: dict[str, Any]
) -> None:
    """A limit out of range is refused in both places, with the same words, and nothing changes."""
    text = f"action: a\nurl: https://a.example.com/\n{limit}: {json.dumps(value)}\n"
    answer = (await steered.post("/v1/journeys/validate", json={"files": {"a.yaml": text}})).json()
    (written,) = answer["problems"]
    problem = problem_of(await steered.put(LIMITS, json={limit: value}), "invalid-request")
    (told,) = problem["violations"]
    assert told["message"] == f"{written['message']}. {written['hint']}"
    assert told["path"] == f"/{written['field'].replace('.', '/')}"
    assert (await steered.get("/v1/endpoints/action/email.send")).json()["changed_at"] is None


async def test_a_source_is_throttled_by_nobody(steered: httpx.AsyncClient) -> None:
    """Neither in a file nor by an operator, in the same words."""
    text = "source: s\nurl: https://a.example.com/\nthrottle: {calls: 1, per: 1s}\n"
    answer = (await steered.post("/v1/journeys/validate", json={"files": {"a.yaml": text}})).json()
    (written,) = answer["problems"]
    reply = await steered.put("/v1/endpoints/source/crm.customer/limits", json={"throttle": THROTTLE})
    (told,) = problem_of(reply, "invalid-request")["violations"]
    assert (told["path"], told["message"]) == ("/throttle", f"{written['message']}. {written['hint']}")


async def test_what_is_not_there_is_said(steered: httpx.AsyncClient) -> None:
    """With the nearest name, or the other kind that has it."""
    for method, path in (
        ("GET", "/v1/endpoints/action/email.sent"),
        ("DELETE", "/v1/endpoints/action/email.sent/limits"),
    ):
        problem = problem_of(await steered.request(method, path), "unknown-endpoint")
        assert "The nearest name is email.send." in problem["detail"]
    answer = await steered.put(
        "/v1/endpoints/source/email.send/limits", json={"cap": {"calls": 1, "per": "1s"}}
    )
    assert "There is an action of this name." in problem_of(answer, "unknown-endpoint")["detail"]
    answer = await steered.put("/v1/endpoints/source/crm.customer/limits", json={"throttle": THROTTLE})
    assert "A source is not throttled" in problem_of(answer, "invalid-request")["detail"]
    problem_of(await steered.get("/v1/endpoints/thing/email.send"), "invalid-request")
    problem_of(await steered.delete(LIMITS, params={"limit": "all"}), "invalid-request")
    problem_of(await steered.put(LIMITS, content=b"{"), "wrong-content-type")


async def test_looking_and_steering_need_their_scopes(steered: httpx.AsyncClient, store: Store) -> None:
    """`read` looks; only `operate` sets and resets."""
    read = {"Authorization": f"Bearer {(await store.create_key('r', ['read'])).secret}"}
    operate = {"Authorization": f"Bearer {(await store.create_key('o', ['operate'])).secret}"}
    events = {"Authorization": f"Bearer {(await store.create_key('e', ['events'])).secret}"}
    body = {"throttle": THROTTLE}
    problem_of(await steered.get("/v1/endpoints"), "unauthorized")
    problem_of(await steered.get("/v1/endpoints", headers=events), "missing-scope")
    assert (await steered.get("/v1/endpoints", headers=read)).status_code == 200
    assert (await steered.get("/v1/endpoints/action/email.send", headers=read)).status_code == 200
    problem_of(await steered.put(LIMITS, json=body, headers=read), "missing-scope")
    problem_of(await steered.delete(LIMITS, headers=read), "missing-scope")
    assert (await steered.put(LIMITS, json=body, headers=operate)).status_code == 200
    assert (await steered.delete(LIMITS, headers=operate)).status_code == 200


async def test_waiting_calls_are_counted_where_temporal_says(
    settings: Settings, store: Store, client: Client, unique: str
) -> None:
    """A queue that nobody polls holds what was put into it; the number is about that many."""
    settings = settings.model_copy(update={"task_queue": unique})
    queue = names.throttled_queue(unique, "email.send")
    app = create_app(settings, store=store, client=client)
    async with (
        Worker(client, task_queue=unique, workflows=[Queueing], workflow_runner=UnsandboxedWorkflowRunner()),
        serving(app) as url,
        httpx.AsyncClient(base_url=url, timeout=20) as api,
    ):
        (await api.post("/v1/journeys", json={"files": {"all.yaml": ENDPOINTS}})).raise_for_status()
        handle = await client.start_workflow(Queueing.run, args=[queue, 3], id=unique, task_queue=unique)
        waiting = None
        for _ in range(400):
            waiting = (await api.get("/v1/endpoints")).json()["endpoints"][1]["waiting"]
            if waiting == 3:
                break
            await asyncio.sleep(0.05)
        await handle.terminate()
    assert waiting == 3, json.dumps(waiting)
