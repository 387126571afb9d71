"""CloudEvents 1.0 in their three forms, also as the official SDK writes them."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from cloudevents.core.bindings import http as sdk
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from sojourn.api.events.cloudevents import read_cloud_event
from sojourn.contract.incoming_event import MAX_ID
from tests.api.conftest import problem_of

STRUCTURED = {"Content-Type": "application/cloudevents+json"}
BATCH = {"Content-Type": "application/cloudevents-batch+json; charset=utf-8"}
EVENT: dict[str, Any] = {
    "specversion": "1.0",
    "id": "evt-1",
    "source": "/shop/carts",
    "type": "cart.updated",
    "time": "2026-03-01T10:00:00Z",
    "data": {"customerId": "cust-1"},
}
HEADERS = {
    "Content-Type": "application/json",
    "ce-specversion": "1.0",
    "ce-id": "evt-1",
    "ce-source": "/shop/carts",
    "ce-type": "cart.updated",
    "ce-time": "2026-03-01T10:00:00Z",
}


def result_of(answer: httpx.Response) -> dict[str, Any]:
    """Return the only result of an answer."""
    assert answer.status_code == 202, answer.text
    (result,) = answer.json()["results"]
    assert isinstance(result, dict)
    return result


async def test_a_structured_event_is_taken(shared_api: httpx.AsyncClient) -> None:
    """The answer calls the event by the id and source of its sender."""
    result = result_of(await shared_api.post("/v1/events", json=EVENT, headers=STRUCTURED))
    assert (result["id"], result["source"], result["name"]) == ("evt-1", "/shop/carts", "cart.updated")
    assert result["protected"] is True


async def test_a_batch_is_taken_event_by_event(shared_api: httpx.AsyncClient) -> None:
    """A bad event in a batch is refused by itself."""
    bad = {key: value for key, value in EVENT.items() if key != "id"}
    answer = await shared_api.post("/v1/events", json=[EVENT, bad], headers=BATCH)
    good, refused = answer.json()["results"]
    assert good["refusals"][0]["reason"] == "no_journey"
    assert refused["refusals"][0]["reason"] == "invalid"
    assert refused["refusals"][0]["violations"][0]["path"] == "/id"
    assert (await shared_api.post("/v1/events", json=[], headers=BATCH)).json() == {"results": []}


async def test_a_binary_event_is_taken(shared_api: httpx.AsyncClient) -> None:
    """Attributes come from headers, %-encoded; the body is the data."""
    headers = HEADERS | {"ce-id": "caf%C3%A9%20%22x%22", "ce-subject": "cart"}
    result = result_of(await shared_api.post("/v1/events", json={"customerId": "c"}, headers=headers))
    assert (result["id"], result["source"], result["name"]) == ('café "x"', "/shop/carts", "cart.updated")


async def test_a_binary_event_needs_no_data(shared_api: httpx.AsyncClient) -> None:
    """An empty body is no data, not an error."""
    headers = {name: value for name, value in HEADERS.items() if name != "Content-Type"}
    assert result_of(await shared_api.post("/v1/events", headers=headers))["name"] == "cart.updated"


@pytest.mark.parametrize("form", ["structured", "binary"])
@pytest.mark.parametrize("missing", ["id", "source", "type", "specversion"])
async def test_a_missing_attribute_is_an_error_and_never_made_up(
    shared_api: httpx.AsyncClient, form: str, missing: str
) -> None:
    """An invented id would make every resend a new event."""
    if form == "structured":
        event = {key: value for key, value in EVENT.items() if key != missing}
        answer = await shared_api.post("/v1/events", json=event, headers=STRUCTURED)
    else:
        headers = {key: value for key, value in HEADERS.items() if key != f"ce-{missing}"}
        answer = await shared_api.post("/v1/events", json={}, headers=headers)
    problem = problem_of(answer, "invalid-event")
    assert [violation["path"] for violation in problem["violations"]] == [f"/{missing}"]
    assert "is missing" in problem["detail"]


@pytest.mark.parametrize(
    ("change", "path", "words"),
    [
        ({"specversion": "0.3"}, "/specversion", 'must be "1.0"'),
        ({"id": None}, "/id", "is missing"),
        ({"id": ""}, "/id", "must not be empty"),
        ({"id": 5}, "/id", "must be a string"),
        ({"source": "two words"}, "/source", "URI reference"),
        ({"time": "2026-03-01T10:00:00"}, "/time", "offset"),
        ({"datacontenttype": "text/xml", "data": "<a/>"}, "/datacontenttype", "JSON"),
        ({"Subject": "x"}, "/Subject", "lower-case"),
        ({"tags": ["x"]}, "/tags", "put it into data"),
        ({"ratio": 1.5}, "/ratio", "whole number"),
        ({"data_base64": "e30="}, "/data_base64", "one of the two"),
        ({"data": None, "data_base64": "%%%"}, "/data_base64", "not base64"),
        ({"data": None, "data_base64": "e30"}, "/data_base64", "not base64"),
        ({"data": None, "data_base64": base64.b64encode(b"{").decode()}, "/data_base64", "not JSON"),
        ({"data": None, "data_base64": base64.b64encode(b"1e999").decode()}, "/data", "too large"),
    ],
)
async def test_a_wrong_attribute_is_named(
    shared_api: httpx.AsyncClient, change: dict[str, Any], path: str, words: str
) -> None:
    """Types and forms are those of the standard, nothing is converted."""
    answer = await shared_api.post("/v1/events", json=EVENT | change, headers=STRUCTURED)
    problem = problem_of(answer, "invalid-event")
    assert [violation["path"] for violation in problem["violations"]] == [path]
    assert words in problem["detail"]


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({"ce-data": "x"}, "use body and Content-Type"),
        ({"ce-datacontenttype": "application/json"}, "use body and Content-Type"),
        ({"ce-id": "%FF"}, "not UTF-8"),
    ],
)
async def test_a_wrong_header_is_named(
    shared_api: httpx.AsyncClient, headers: dict[str, str], words: str
) -> None:
    """The binary form has rules of its own."""
    answer = await shared_api.post("/v1/events", json={}, headers=HEADERS | headers)
    assert words in problem_of(answer, "invalid-event")["detail"]


async def test_a_header_that_comes_twice_is_refused(shared_api: httpx.AsyncClient) -> None:
    """Two ids leave open which one counts."""
    headers = [*HEADERS.items(), ("ce-id", "evt-2")]
    answer = await shared_api.post("/v1/events", content=b"{}", headers=headers)
    assert "twice" in problem_of(answer, "invalid-event")["detail"]


async def test_binary_data_that_is_no_json_is_refused(shared_api: httpx.AsyncClient) -> None:
    """Journeys work on JSON; the type of the data is checked before its text."""
    headers = HEADERS | {"Content-Type": "text/xml"}
    problem_of(await shared_api.post("/v1/events", content=b"<a/>", headers=headers), "wrong-content-type")
    problem_of(await shared_api.post("/v1/events", content=b"{", headers=HEADERS), "invalid-json")
    headers = HEADERS | {"Content-Type": "application/vnd.shop+json"}
    result_of(await shared_api.post("/v1/events", content=b"{}", headers=headers))


async def test_structured_form_must_be_of_the_declared_shape(shared_api: httpx.AsyncClient) -> None:
    """A list is no event, and an event no batch."""
    problem_of(await shared_api.post("/v1/events", json=[EVENT], headers=STRUCTURED), "invalid-event")
    problem_of(await shared_api.post("/v1/events", json=EVENT, headers=BATCH), "invalid-event")


def test_source_and_id_together_make_the_event() -> None:
    """The same id of two sources is two events, and long ones fit what the database keeps."""
    first = read_cloud_event(EVENT, may_overflow=False).event
    other = read_cloud_event(EVENT | {"source": "/shop/orders"}, may_overflow=False).event
    long_one = read_cloud_event(EVENT | {"id": "x" * 900}, may_overflow=False).event
    long_other = read_cloud_event(EVENT | {"id": "x" * 901}, may_overflow=False).event
    assert len({first.id, other.id, long_one.id, long_other.id}) == 4
    assert max(len(long_one.id), len(long_other.id)) <= MAX_ID
    assert first.time == datetime(2026, 3, 1, 10, tzinfo=UTC)


def test_null_attributes_count_as_absent_and_base64_is_read() -> None:
    """As the JSON format of CloudEvents says."""
    encoded = base64.b64encode(b'{"a": 1}').decode()
    event = {**EVENT, "data": None, "subject": None, "data_base64": encoded, "traceparent": "00-x"}
    assert read_cloud_event(event, may_overflow=False).event.data == {"a": 1}


def sdk_event(event_id: str = "evt-7") -> CloudEvent:
    """Return an event made by the official SDK."""
    attributes = {
        "specversion": "1.0",
        "id": event_id,
        "source": "https://shop.example.com/carts?store=7",
        "type": "cart.updated",
        "time": datetime(2026, 3, 1, 10, tzinfo=UTC),
        "datacontenttype": "application/json",
        "subject": "panier à moi",
    }
    return CloudEvent(attributes=attributes, data={"customerId": "cust-1", "note": "déjà vu"})


@pytest.mark.parametrize("form", ["structured", "binary"])
async def test_what_the_official_sdk_writes_is_read(shared_api: httpx.AsyncClient, form: str) -> None:
    """The SDK's own binding to HTTP, in both forms that it has."""
    to_http = sdk.to_structured if form == "structured" else sdk.to_binary
    message = to_http(sdk_event("événement 7"), JSONFormat())
    answer = await shared_api.post("/v1/events", content=message.body, headers=dict(message.headers))
    result = result_of(answer)
    assert (result["id"], result["source"]) == ("événement 7", "https://shop.example.com/carts?store=7")


async def test_a_batch_of_what_the_official_sdk_writes_is_read(shared_api: httpx.AsyncClient) -> None:
    """The SDK writes no batches, so they are put together from its events."""
    events = [json.loads(JSONFormat().write(sdk_event(f"evt-{number}"))) for number in range(3)]
    answer = await shared_api.post("/v1/events", json=events, headers=BATCH)
    assert [result["id"] for result in answer.json()["results"]] == ["evt-0", "evt-1", "evt-2"]
