"""The API with a real database and a real Temporal: publishing, events, instances."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from sojourn.api import examples
from sojourn.api.app import create_app
from sojourn.contract import names
from sojourn.settings import Settings
from sojourn.store import Store
from sojourn.temporal.connection import connect
from tests.api.conftest import forwarding, problem_of, serving
from tests.conftest import free_port

EVENTS = """
event: cart.updated
key: event.customerId
schema:
  type: object
  required: [customerId, items]
  properties:
    customerId: {type: string}
    items: {type: array, items: {type: object}}
---
event: order.placed
key: event.customerId
---
event: page.viewed
key: event.customerId
"""
JOURNEY = """
journey: %s
entry: {event: cart.updated}
reentry: {allow: false}
steps:
  await-order:
    wait_for:
      - {event: order.placed, next: bought}
    timeout: {after: 30d, next: late}
  bought: {end: purchased}
  late: {end: "%s"}
"""


def project(journey: str, text: str = "reminded") -> dict[str, Any]:
    """Return a project with one journey."""
    return {"files": {"events.yaml": EVENTS, f"journeys/{journey}.yaml": JOURNEY % (journey, text)}}


@pytest.fixture
async def live(settings: Settings, store: Store, client: Client) -> AsyncIterator[httpx.AsyncClient]:
    """An API on the shared Temporal, with a database of its own."""
    app = create_app(settings, store=store, client=client)
    async with serving(app) as url, httpx.AsyncClient(base_url=url, timeout=30) as api:
        yield api


def cart(customer: str, event_id: str | None = None) -> dict[str, Any]:
    """Return an event that starts an instance."""
    data = {"customerId": customer, "items": [{"sku": "A-1"}]}
    return {"name": "cart.updated", "data": data} | ({"id": event_id} if event_id else {})


async def test_publishing_makes_versions_of_what_changed(live: httpx.AsyncClient, unique: str) -> None:
    """The first publication is version 1, the same again is none, a change is version 2."""
    journey = f"cart-{unique}"
    first = await live.post("/v1/journeys", json=project(journey))
    assert first.status_code == 200, first.text
    assert first.json()["published"] == [{"journey": journey, "version": 1}]
    assert first.json()["events"] == ["cart.updated", "order.placed", "page.viewed"]
    again = (await live.post("/v1/journeys", json=project(journey))).json()
    assert (again["published"], again["unchanged"], again["events"]) == ([], [journey], [])
    changed = (await live.post("/v1/journeys", json=project(journey, "too late"))).json()
    assert changed["published"] == [{"journey": journey, "version": 2}]


async def test_journeys_and_versions_can_be_read(live: httpx.AsyncClient, unique: str) -> None:
    """Each version keeps its definition and the files that it was published from."""
    journey = f"cart-{unique}"
    for text in ("reminded", "too late"):
        await live.post("/v1/journeys", json=project(journey, text))
    (summary,) = (await live.get("/v1/journeys")).json()["journeys"]
    assert (summary["name"], summary["state"], summary["version"]) == (journey, "live", 2)
    assert summary["entry_event"] == "cart.updated"
    whole = (await live.get(f"/v1/journeys/{journey}")).json()
    assert [(each["version"], each["state"]) for each in whole["versions"]] == [(2, "live"), (1, "closed")]
    assert whole["definition"]["steps"]["late"]["outcome"] == "too late"
    old = (await live.get(f"/v1/journeys/{journey}/versions/1")).json()
    assert old["definition"]["version"] == 1
    assert old["definition"]["steps"]["late"]["outcome"] == "reminded"
    assert old["files"] == project(journey)["files"]
    missing = problem_of(await live.get(f"/v1/journeys/{journey}/versions/3"), "unknown-version")
    assert missing["latest"] == 2
    near = problem_of(await live.get(f"/v1/journeys/{journey}s"), "unknown-journey")
    assert f"The nearest name is {journey}." in near["detail"]


async def test_wrong_definitions_are_refused_whole(live: httpx.AsyncClient, unique: str) -> None:
    """Every problem comes with its place and code, and nothing is stored."""
    wrong = project(f"cart-{unique}")
    wrong["files"]["journeys/other.yaml"] = (
        "journey: other\nentry: {event: cart.update}\nsteps:\n  a: {end: x}\n"
    )
    problem = problem_of(await live.post("/v1/journeys", json=wrong), "invalid-definitions")
    (found,) = [each for each in problem["problems"] if each["severity"] == "error"]
    assert (found["file"], found["line"]) == ("journeys/other.yaml", 2)
    assert found["code"].startswith("E")
    assert "cart.updated" in found["hint"]
    assert found["file"] in problem["detail"]
    assert (await live.get("/v1/journeys")).json() == {"journeys": []}


async def test_validating_stores_nothing(live: httpx.AsyncClient, unique: str) -> None:
    """Good and bad projects are told apart, with 200 for both."""
    good = (await live.post("/v1/journeys/validate", json=project(f"cart-{unique}"))).json()
    assert good == {"ok": True, "problems": []}
    bad = await live.post("/v1/journeys/validate", json={"files": {"a.yaml": "journey: [\n"}})
    assert bad.status_code == 200
    assert bad.json()["ok"] is False
    assert bad.json()["problems"][0]["file"] == "a.yaml"
    assert (await live.get("/v1/journeys")).json() == {"journeys": []}


async def test_the_example_of_a_project_can_be_published(live: httpx.AsyncClient) -> None:
    """The OpenAPI document's example is a working one."""
    body = examples.PROJECT_REQUEST["requestBody"]["content"]["application/json"]["examples"]["project"]
    assert (await live.post("/v1/journeys", json=body["value"])).status_code == 200


async def test_an_event_starts_an_instance_and_another_one_reaches_it(
    live: httpx.AsyncClient, unique: str
) -> None:
    """Each result says what happened to which instance, and a resend is recognised."""
    journey, customer = f"cart-{unique}", f"cust-{unique}"
    await live.post("/v1/journeys", json=project(journey))
    workflow_id = f"{journey}:{customer}"
    answer = await live.post("/v1/events", json=cart(customer, "evt-1"))
    assert answer.status_code == 202
    effect = {"journey": journey, "version": 1, "workflow_id": workflow_id, "effect": "started"}
    started = {"id": "evt-1", "name": "cart.updated", "status": "accepted", "protected": True}
    assert answer.json()["results"] == [started | {"instances": [effect], "refusals": []}]
    (again,) = (await live.post("/v1/events", json=cart(customer, "evt-1"))).json()["results"]
    assert (again["status"], again["instances"]) == ("duplicate", [])
    order = {"name": "order.placed", "data": {"customerId": customer}}
    (reached,) = (await live.post("/v1/events", json=order)).json()["results"]
    assert reached["instances"] == [effect | {"effect": "signalled"}]
    assert reached["protected"] is False
    (inside,) = (await live.post("/v1/events", json=cart(customer))).json()["results"]
    assert [refusal["reason"] for refusal in inside["refusals"]] == ["already_inside"]


async def test_two_sources_of_cloud_events_may_use_the_same_id(live: httpx.AsyncClient, unique: str) -> None:
    """They are different events; one source sending the same again is not."""
    await live.post("/v1/journeys", json=project(f"cart-{unique}"))
    headers = {"Content-Type": "application/cloudevents-batch+json"}

    def event(source: str, customer: str) -> dict[str, Any]:
        return {"specversion": "1.0", "id": "1", "source": source, "type": "cart.updated"} | {
            "data": cart(f"{customer}-{unique}")["data"]
        }

    batch = [event("/eu", "a"), event("/us", "b"), event("/eu", "a")]
    results = (await live.post("/v1/events", json=batch, headers=headers)).json()["results"]
    assert [result["status"] for result in results] == ["accepted", "accepted", "duplicate"]


async def test_data_that_breaks_the_schema_is_pointed_at_from_the_event(
    live: httpx.AsyncClient, unique: str
) -> None:
    """Pointers of all violations start at the event, those into its data too; the data is not quoted."""
    await live.post("/v1/journeys", json=project(f"cart-{unique}"))
    event = {"name": "cart.updated", "data": {"customerId": "c", "items": [{}, "a secret"]}}
    (result,) = (await live.post("/v1/events", json=event)).json()["results"]
    assert result["status"] == "refused"
    assert result["refusals"][0]["violations"][0]["path"] == "/data/items/1"
    assert "a secret" not in str(result["refusals"])


@pytest.mark.parametrize(
    "data",
    [
        {"customerId": "nul \x00 and \u2028", "items": []},
        {"customerId": "🦉" * 300, "items": []},
        {"customerId": "large", "items": [{"text": "x" * 125_000}]},
        {"customerId": "number", "items": [{"n": 10**400, "small": 1e-300}]},
        {"customerId": "deep", "items": [json.loads('{"a":' * 98 + "1" + "}" * 98)]},
    ],
    ids=["control", "long key", "large", "huge number", "deep"],
)
async def test_what_the_api_takes_temporal_takes(
    live: httpx.AsyncClient, client: Client, unique: str, data: dict[str, Any]
) -> None:
    """At the edges of what is allowed an instance starts, with the data unchanged."""
    await live.post("/v1/journeys", json=project(f"cart-{unique}"))
    (result,) = (await live.post("/v1/events", json={"name": "cart.updated", "data": data})).json()["results"]
    assert result["status"] == "accepted", result
    handle = client.get_workflow_handle(result["instances"][0]["workflow_id"])
    started = (await handle.fetch_history()).events[0].workflow_execution_started_event_attributes
    (start,) = await client.data_converter.decode(started.input.payloads)
    assert start["event"]["data"] == data


async def test_instances_can_be_found_and_read(live: httpx.AsyncClient, unique: str) -> None:
    """By journey, profile and status, page by page; one of them by its id."""
    journey = f"cart-{unique}"
    await live.post("/v1/journeys", json=project(journey))
    await live.post("/v1/events", json=[cart(f"c{number}-{unique}") for number in range(3)])

    async def found(**filters: Any) -> dict[str, Any]:
        answer = await live.get("/v1/instances", params={"journey": journey} | filters)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    async with asyncio.timeout(15):  # Temporal's index is a moment behind.
        while len((await found())["instances"]) < 3:
            await asyncio.sleep(0.1)
    (one,) = (await found(profile=f"c1-{unique}", status="running"))["instances"]
    assert (one["workflow_id"], one["version"], one["step"]) == (f"{journey}:c1-{unique}", 1, "await-order")
    assert (await found(status="completed"))["instances"] == []
    first = await found(limit=2)
    rest = await found(limit=2, page=first["next_page"])
    assert len({each["run_id"] for each in first["instances"] + rest["instances"]}) == 3
    assert rest["next_page"] is None
    read = (await live.get(f"/v1/instances/{one['workflow_id']}")).json()
    assert (read["run_id"], read["status"], read["source"]) == (one["run_id"], "running", "temporal")
    # A customer's key may hold anything; whoever knows it finds the instance, whatever its workflow id is.
    key = f"zoë/#{unique}"
    await live.post("/v1/events", json=cart(key))
    odd = await live.get(f"/v1/instances/{quote(f'{journey}:{key}', safe='')}")
    assert odd.json()["workflow_id"] == names.workflow_id(journey, key)
    by_run = await live.get(f"/v1/instances/{one['workflow_id']}", params={"run_id": one["run_id"]})
    assert by_run.json()["run_id"] == one["run_id"]
    problem_of(await live.get(f"/v1/instances/{journey}:nobody"), "unknown-instance")
    problem_of(await live.get("/v1/instances", params={"page": "nonsense"}), "invalid-request")


async def test_while_temporal_is_away_nothing_is_lost(
    settings: Settings, store: Store, temporal: WorkflowEnvironment, unique: str
) -> None:
    """503 says for each event what became of it; sending the same again completes it, once."""
    port = free_port()
    away = await connect(lazy=True, address=f"127.0.0.1:{port}", namespace=temporal.client.namespace)
    journey, customer = f"cart-{unique}", f"cust-{unique}"
    batch = [
        cart(customer, "evt-1"),
        {"id": "evt-2"},
        {"id": "evt-3", "name": "page.viewed", "data": {"customerId": "c"}},
    ]
    app = create_app(settings, store=store, client=away)
    async with serving(app) as url, httpx.AsyncClient(base_url=url, timeout=30) as api:
        await api.post("/v1/journeys", json=project(journey))
        answer = await api.post("/v1/events", json=batch)
        results = problem_of(answer, "unavailable")["results"]
        assert [(result["id"], result["status"]) for result in results] == [
            ("evt-1", "unavailable"),
            ("evt-2", "refused"),
            ("evt-3", "refused"),
        ]
        # Without an id the made-up one is in the answer, so that the sender can send again with it.
        single = problem_of(await api.post("/v1/events", json=cart(f"other-{unique}")), "unavailable")
        assert (len(single["results"][0]["id"]), single["results"][0]["protected"]) == (36, False)
        async with forwarding(port, temporal.client.service_client.config.target_host):
            async with asyncio.timeout(30):
                while (answer := await api.post("/v1/events", json=batch)).status_code == 503:
                    await asyncio.sleep(float(answer.headers["retry-after"]) / 4)
            assert answer.json()["results"][0]["status"] in ("accepted", "duplicate")
            (again,) = (await api.post("/v1/events", json=batch[0])).json()["results"]
            assert again["status"] == "duplicate"
    handle = temporal.client.get_workflow_handle(f"{journey}:{customer}")
    assert (await handle.describe()).status is not None


async def test_events_for_nobody_need_no_temporal(
    settings: Settings, store: Store, nowhere: Client, unique: str
) -> None:
    """An event on which no journey listens is answered from memory."""
    app = create_app(settings, store=store, client=nowhere)
    async with serving(app) as url, httpx.AsyncClient(base_url=url, timeout=30) as api:
        await api.post("/v1/journeys", json=project(f"cart-{unique}"))
        event = {"name": "page.viewed", "data": {"customerId": "c"}}
        (result,) = (await api.post("/v1/events", json=event)).json()["results"]
        assert [refusal["reason"] for refusal in result["refusals"]] == ["no_journey"]
