"""What gets an answer of its own: JSON that is no event, alone and in a list."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.api.conftest import problem_of

GOOD: dict[str, Any] = {"name": "nobody.listens", "data": {}}


@pytest.mark.parametrize(
    ("change", "path", "words"),
    [
        ({"name": None}, "/name", "must be a string, and is null"),
        ({"name": 7}, "/name", "must be a string, and is a number"),
        ({"name": ""}, "/name", "must not be empty"),
        ({"name": "x" * 256}, "/name", "at most 255"),
        ({"name": "a\nb"}, "/name", "control characters"),
        ({"id": True}, "/id", "must be a string, and is a boolean"),
        ({"id": 12}, "/id", "in quotes"),
        ({"id": ""}, "/id", "must not be empty"),
        ({"id": "x" * 256}, "/id", "at most 255"),
        ({"id": "a\x00"}, "/id", "control characters"),
        ({"time": "2026-03-01T10:00:00"}, "/time", "write 2026-03-01T10:00:00Z if it is UTC"),
        ({"time": "2026-03-01"}, "/time", "such as 2026-03-01T10:00:00Z"),
        ({"time": "yesterday"}, "/time", "such as 2026-03-01T10:00:00Z"),
        ({"time": "2026-02-30T10:00:00Z"}, "/time", "no time of the calendar"),
        ({"time": "0001-01-01T00:00:00+14:00"}, "/time", "no time of the calendar"),
        ({"time": 1772359200}, "/time", "must be a string, and is a number"),
        ({"time": "1772359200"}, "/time", "such as 2026-03-01T10:00:00Z"),
        ({"user": "x"}, "/user", "there are id, name, time, data"),
        ({"dta": {}}, "/dta", "did you mean data?"),
        ({"a/b~c": 1}, "/a~1b~0c", "is not a field"),
        ({"specversion": "1.0"}, "/specversion", "application/cloudevents+json"),
    ],
)
async def test_a_wrong_member_is_named_with_what_to_write(
    shared_api: httpx.AsyncClient, change: dict[str, Any], path: str, words: str
) -> None:
    """Each violation has a JSON pointer and a message; values are never converted."""
    problem = problem_of(await shared_api.post("/v1/events", json=GOOD | change), "invalid-event")
    assert [violation["path"] for violation in problem["violations"]] == [path]
    assert words in problem["violations"][0]["message"]
    assert words in problem["detail"]


@pytest.mark.parametrize("body", ["[]x", "7", '"event"', "true", "null"])
async def test_json_that_is_no_object_is_refused(shared_api: httpx.AsyncClient, body: str) -> None:
    """A body that is JSON but neither an object nor a list gets an answer, not an error."""
    answer = await shared_api.post("/v1/events", content=body, headers={"Content-Type": "application/json"})
    problem_of(answer, "invalid-json" if body == "[]x" else "invalid-event")


async def test_everything_missing_is_listed_at_once(shared_api: httpx.AsyncClient) -> None:
    """All violations come in one answer."""
    problem = problem_of(await shared_api.post("/v1/events", json={}), "invalid-event")
    assert {violation["path"] for violation in problem["violations"]} == {"/name", "/data"}


@pytest.mark.parametrize("number", ["1e999", "-1e999", "9" * 400 + ".5", "1" + "0" * 250 + "e99"])
async def test_a_number_that_no_double_holds_is_refused(shared_api: httpx.AsyncClient, number: str) -> None:
    """Such a number would become infinity, which no JSON after it could carry."""
    body = f'{{"name": "x", "data": {{"total": [1, {number}]}}}}'
    answer = await shared_api.post("/v1/events", content=body, headers={"Content-Type": "application/json"})
    problem = problem_of(answer, "invalid-event")
    assert problem["violations"][0]["path"] == "/data/total/1"


@pytest.mark.parametrize("number", ["1e308", "12345678901234567890123", "-0.0", "1e-999"])
async def test_numbers_of_any_other_size_are_taken(shared_api: httpx.AsyncClient, number: str) -> None:
    """Large whole numbers and tiny ones are JSON like any other."""
    body = f'{{"name": "x", "data": {number}}}'
    answer = await shared_api.post("/v1/events", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 202


async def test_in_a_list_each_event_has_its_own_answer(shared_api: httpx.AsyncClient) -> None:
    """Bad events are refused one by one, in order, and the good ones go through."""
    sent = [GOOD | {"id": "a"}, 7, {"id": "b", "name": "x"}, GOOD | {"id": True}, GOOD | {"id": "c"}]
    answer = await shared_api.post("/v1/events", json=sent)
    assert answer.status_code == 202
    results = answer.json()["results"]
    assert [result["id"] for result in results] == ["a", None, "b", None, "c"]
    reasons = [result["refusals"][0]["reason"] for result in results]
    assert reasons == ["no_journey", "invalid", "invalid", "invalid", "no_journey"]
    assert results[2]["refusals"][0]["violations"][0]["path"] == "/data"
    assert results[1]["name"] is None


async def test_a_number_too_large_spoils_its_own_event_only(shared_api: httpx.AsyncClient) -> None:
    """Of a list with one such number the other events go through."""
    body = '[{"name": "x", "data": 1e999}, {"name": "x", "data": 1}]'
    answer = await shared_api.post("/v1/events", content=body, headers={"Content-Type": "application/json"})
    reasons = [result["refusals"][0]["reason"] for result in answer.json()["results"]]
    assert reasons == ["invalid", "no_journey"]


async def test_a_list_of_a_thousand_is_taken_and_one_more_is_not(shared_api: httpx.AsyncClient) -> None:
    """The limit is exact; of a list over it nothing is taken."""
    answer = await shared_api.post("/v1/events", json=[GOOD] * 1000)
    assert len(answer.json()["results"]) == 1000
    problem = problem_of(await shared_api.post("/v1/events", json=[GOOD] * 1001), "too-many-events")
    assert (problem["limit"], problem["count"]) == (1000, 1001)


async def test_an_empty_list_is_nothing_to_do(shared_api: httpx.AsyncClient) -> None:
    """No events, no results."""
    answer = await shared_api.post("/v1/events", json=[])
    assert (answer.status_code, answer.json()) == (202, {"results": []})


async def test_an_event_without_id_gets_one_and_is_not_protected(shared_api: httpx.AsyncClient) -> None:
    """The answer gives the id and says that sending the event again would not be recognised."""
    first, second = (await shared_api.post("/v1/events", json=[GOOD, GOOD | {"id": "mine"}])).json()[
        "results"
    ]
    assert first["protected"] is False
    assert len(first["id"]) == 36
    assert (second["id"], second["protected"]) == ("mine", True)


async def test_times_with_any_offset_and_precision_are_taken(shared_api: httpx.AsyncClient) -> None:
    """RFC 3339 in all its forms."""
    times = ["2026-03-01T10:00:00Z", "2026-03-01t10:00:00.123456789z", "2026-03-01 10:00:00.5+05:45", None]
    answer = await shared_api.post("/v1/events", json=[GOOD | {"time": time} for time in times])
    assert {result["refusals"][0]["reason"] for result in answer.json()["results"]} == {"no_journey"}
