"""Profiles over HTTP: written, read and erased, single and in batches, by those who may."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from temporalio.client import Client

from sojourn.api.app import create_app
from sojourn.settings import Settings
from sojourn.store import Store
from tests.api.conftest import problem_of, serving
from tests.conftest import free_port

PROJECT = """
profile: customer
description: What we know of a customer.
schema:
  type: object
  properties: {email: {type: string}, visits: {type: integer}}
  additionalProperties: false
"""
STRANGE = ["a/b//c", "/", "zoë ключ", "100%", "a?b#c&d=e", "line\nbreak\n", "k\x01", "~x", "read", "k" * 1000]


def path(key: str) -> str:
    """Return the path of a profile."""
    return f"/v1/profiles/{quote(key, safe='')}"


@pytest.mark.parametrize("key", STRANGE)
async def test_any_key_is_a_path(api: httpx.AsyncClient, key: str) -> None:
    """Whatever a key holds, percent-encoding reaches its profile, and no other."""
    written = await api.put(path(key), json={"attributes": {"x": 1}})
    assert (written.status_code, written.headers["etag"]) == (201, '"1"')
    assert written.json() == {"key": key, "status": "created", "version": 1}
    read = await api.get(path(key))
    assert (read.json()["key"], read.json()["attributes"]) == (key, {"x": 1})
    both = (await api.post("/v1/profiles/read", json={"keys": [key, "other"]})).json()
    assert ([p["key"] for p in both["profiles"]], both["missing"]) == ([key], ["other"])
    assert (await api.delete(path(key))).json() == {"key": key, "erased": True}
    problem_of(await api.get(path(key)), "unknown-profile")


async def test_slashes_may_stand_as_they_are(api: httpx.AsyncClient) -> None:
    """`/v1/profiles/a/b` is the profile `a/b`, encoded or not."""
    await api.put("/v1/profiles/a/b", json={"attributes": {"x": 1}})
    assert (await api.get("/v1/profiles/a%2Fb")).json()["key"] == "a/b"


@pytest.mark.parametrize(
    "target", ["/v1/profiles/", "/v1/profiles/%20", f"/v1/profiles/{'k' * 1001}", "/v1/profiles/%ff"]
)
@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
async def test_no_key(shared_api: httpx.AsyncClient, method: str, target: str) -> None:
    """What is no key is told as such, and no other profile is meant."""
    body: Any = {"attributes": {}} if method[0] == "P" else None
    problem = problem_of(await shared_api.request(method, target, json=body), "invalid-request")
    assert problem["violations"][0]["path"] == "key"


async def test_put_replaces_and_patch_merges(api: httpx.AsyncClient) -> None:
    """PUT leaves nothing of before; PATCH is RFC 7396, in either content type."""
    await api.patch(path("a"), json={"attributes": {"a": 1, "b": {"c": 1, "d": 2}}})
    merge = {"content-type": "application/merge-patch+json"}
    body = json.dumps({"attributes": {"a": None, "b": {"c": None}, "e": [None]}})
    changed = await api.patch(path("a"), content=body, headers=merge)
    assert (changed.status_code, changed.json()["status"], changed.headers["etag"]) == (200, "updated", '"2"')
    assert (await api.get(path("a"))).json()["attributes"] == {"b": {"d": 2}, "e": [None]}
    assert (await api.patch(path("a"), json={"attributes": {"e": [None]}})).json()["status"] == "unchanged"
    assert (await api.put(path("a"), json={"attributes": {"f": None}})).json()["version"] == 3
    read = await api.get(path("a"))
    assert (read.json()["attributes"], read.headers["etag"]) == ({"f": None}, '"3"')
    problem_of(await api.put(path("a"), content=body, headers=merge), "wrong-content-type")


@pytest.mark.parametrize(
    ("body", "where", "says"),
    [
        ([], "", "must be an object, and is a list"),
        ({}, "/attributes", "is missing"),
        ({"email": "x"}, "/attributes", "is missing"),
        ({"atributes": {}}, "/atributes", "did you mean attributes?"),
    ],
)
async def test_bodies_of_another_form(
    shared_api: httpx.AsyncClient, body: Any, where: str, says: str
) -> None:
    """A body that is not `{"attributes": …}` is refused with what to write."""
    problem = problem_of(await shared_api.patch(path("form"), json=body), "invalid-request")
    said = {violation["path"]: violation["message"] for violation in problem["violations"]}
    assert says in said[where]
    problem_of(await shared_api.get(path("form")), "unknown-profile")


@pytest.mark.parametrize(
    ("attributes", "where", "says"),
    [
        ("[]", "/attributes", "is a list"),
        ("null", "/attributes", "is null"),
        ('{"a": [1e999]}', "/attributes/a/0", "too large for a double"),
        ("{" + '"a":{' * 64 + "}" * 65, "/attributes", "nested more than 64"),
        ('{"a": "' + "x" * 65_536 + '"}', "/attributes", "at most 65,536"),
    ],
)
async def test_unfit_attributes(
    shared_api: httpx.AsyncClient, attributes: str, where: str, says: str
) -> None:
    """What no profile can keep is refused, alone and in a batch, at the same place."""
    headers = {"content-type": "application/json"}
    one = await shared_api.put(path("unfit"), content=f'{{"attributes": {attributes}}}', headers=headers)
    many = await shared_api.put(
        "/v1/profiles", content=f'[{{"key": "unfit", "attributes": {attributes}}}]', headers=headers
    )
    for violations in (
        problem_of(one, "invalid-profile")["violations"],
        many.json()["results"][0]["violations"],
    ):
        assert violations[0]["path"] == where
        assert says in violations[0]["message"]


async def test_batches_judge_each_item(api: httpx.AsyncClient) -> None:
    """Good items are written beside bad ones, each with its own result, in order."""
    items: list[Any] = [
        {"key": "a", "attributes": {"x": 1}},
        {"key": "", "attributes": {}},
        {"key": 42, "attributes": {"x": 1}},
        {"key": "b"},
        "text",
        {"key": "c", "attributes": {}, "atributes": {}},
        {"key": "a", "attributes": {"y": 2}},
        {"key": True, "attributes": []},
    ]
    results = (await api.patch("/v1/profiles", json=items)).json()["results"]
    assert [(r["key"], r["status"], r["version"]) for r in results] == [
        ("a", "created", 1),
        (None, "refused", None),
        ("42", "created", 1),
        ("b", "refused", None),
        (None, "refused", None),
        ("c", "refused", None),
        ("a", "updated", 2),
        (None, "refused", None),
    ]
    assert [v["path"] for r in results for v in r.get("violations", [])] == [
        "/key",
        "/attributes",
        "",
        "/atributes",
        "/key",
    ]
    read = (await api.post("/v1/profiles/read", json={"keys": ["42", "a", 42, "b"]})).json()
    assert [(p["key"], p["attributes"]) for p in read["profiles"]] == [
        ("42", {"x": 1}),
        ("a", {"x": 1, "y": 2}),
    ]
    assert read["missing"] == ["b"]


async def test_a_thousand_at_once(api: httpx.AsyncClient) -> None:
    """A batch has up to 1,000 profiles, to write and to read; one more is refused whole."""
    items = [{"key": f"k{n}", "attributes": {"n": n}} for n in range(1001)]
    results = (await api.put("/v1/profiles", json=items[:1000])).json()["results"]
    assert [r["status"] for r in results] == ["created"] * 1000
    keys = [item["key"] for item in items]
    read = (await api.post("/v1/profiles/read", json={"keys": keys[999::-1]})).json()["profiles"]
    assert [profile["attributes"]["n"] for profile in read] == list(range(999, -1, -1))
    for answer in (
        await api.put("/v1/profiles", json=items),
        await api.patch("/v1/profiles", json=items),
        await api.post("/v1/profiles/read", json={"keys": keys}),
    ):
        assert problem_of(answer, "too-many-profiles")["count"] == 1001
    problem_of(await api.get(path("k1000")), "unknown-profile")


async def test_optimistic_concurrency(api: httpx.AsyncClient) -> None:
    """`If-Match` and `If-None-Match` let one writer win, and the other learn it."""
    body = {"attributes": {"x": 1}}
    new, there = {"If-None-Match": "*"}, {"If-Match": "*"}
    assert (
        problem_of(await api.put(path("a"), json=body, headers=there), "version-conflict")["version"] is None
    )
    answers = await asyncio.gather(*(api.put(path("a"), json=body, headers=new) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [201, 412, 412, 412, 412]
    etag = (await api.get(path("a"))).headers["etag"]
    changes = [{"attributes": {"x": n}} for n in range(2, 7)]
    answers = await asyncio.gather(
        *(api.patch(path("a"), json=change, headers={"If-Match": etag}) for change in changes)
    )
    assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412, 412]
    stale = await api.delete(path("a"), headers={"If-Match": etag})
    assert problem_of(stale, "version-conflict")["version"] == 2
    assert (await api.delete(path("a"), headers={"If-Match": '"2"'})).json()["erased"] is True
    assert (await api.delete(path("a"))).json()["erased"] is False
    for headers in ({"If-Match": "2"}, {"If-None-Match": '"2"'}, {**new, **there}):
        problem_of(await api.put(path("a"), json=body, headers=headers), "invalid-request")


async def test_concurrent_patches_lose_nothing(api: httpx.AsyncClient) -> None:
    """Fifty requests that each change another attribute of a new profile are all there afterwards."""
    await asyncio.gather(*(api.patch(path("p"), json={"attributes": {f"a{n}": n}}) for n in range(50)))
    assert (await api.get(path("p"))).json()["attributes"] == {f"a{n}": n for n in range(50)}


async def test_the_published_schema_is_kept(api: httpx.AsyncClient) -> None:
    """From publication on, what does not fit is refused by field; the schema itself can be read."""
    assert (await api.get("/v1/profile-schema")).json() == {"name": None, "description": None, "schema": None}
    published = (await api.post("/v1/journeys", json={"files": {"profile.yaml": PROJECT}})).json()
    assert published["profile"] == "customer"
    again = (await api.post("/v1/journeys", json={"files": {"profile.yaml": PROJECT}})).json()
    assert again["profile"] is None
    schema = (await api.get("/v1/profile-schema")).json()
    assert (schema["name"], schema["schema"]["additionalProperties"]) == ("customer", False)
    problem = problem_of(await api.put(path("a"), json={"attributes": {"visits": "3"}}), "invalid-profile")
    assert problem["violations"] == [
        {"path": "/attributes/visits", "message": "is a text; write a whole number"}
    ]
    items = [{"key": "a", "attributes": {"e-mail": "x"}}, {"key": "b", "attributes": {"email": "x"}}]
    results = (await api.patch("/v1/profiles", json=items)).json()["results"]
    assert [result["status"] for result in results] == ["refused", "created"]
    assert results[0]["violations"][0]["path"] == "/attributes/e-mail"


@pytest.fixture
async def guarded(settings: Settings, store: Store, nowhere: Client) -> AsyncIterator[httpx.AsyncClient]:
    """An API that shares its store with the test, so that keys made here count at once."""
    app = create_app(settings, store=store, client=nowhere)
    async with serving(app) as url, httpx.AsyncClient(base_url=url, timeout=20) as client:
        yield client


@pytest.mark.parametrize(
    ("method", "target", "body", "scopes"),
    [
        ("PUT", "/v1/profiles/a", {"attributes": {}}, {"events", "operate"}),
        ("PATCH", "/v1/profiles/a", {"attributes": {}}, {"events", "operate"}),
        ("PUT", "/v1/profiles", [], {"events", "operate"}),
        ("PATCH", "/v1/profiles", [], {"events", "operate"}),
        ("GET", "/v1/profiles/a", None, {"read", "operate"}),
        ("POST", "/v1/profiles/read", {"keys": []}, {"read", "operate"}),
        ("DELETE", "/v1/profiles/a", None, {"operate"}),
        ("GET", "/v1/profile-schema", None, {"events", "read", "operate"}),
    ],
)
async def test_scopes(
    guarded: httpx.AsyncClient, store: Store, method: str, target: str, body: Any, scopes: set[str]
) -> None:
    """Who sends events may write, who reads may read, and only operators erase."""
    for scope in ("events", "read", "operate"):
        headers = {"Authorization": f"Bearer {(await store.create_key(scope, [scope])).secret}"}
        answer = await guarded.request(method, target, json=body, headers=headers)
        if scope not in scopes:
            assert problem_of(answer, "missing-scope")["scope"] in scopes
        else:
            assert answer.status_code in (200, 201) or answer.json()["type"].endswith("unknown-profile")


async def test_without_the_database(nowhere: Client) -> None:
    """While the database is away every operation answers 503 and says to come back."""
    settings = Settings(database=f"postgresql://u@127.0.0.1:{free_port()}/d")
    async with (
        serving(create_app(settings, client=nowhere)) as url,
        httpx.AsyncClient(base_url=url, timeout=20) as client,
    ):
        for method, target, body in (
            ("PUT", "/v1/profiles/a", {"attributes": {}}),
            ("GET", "/v1/profiles/a", None),
            ("DELETE", "/v1/profiles/a", None),
            ("PATCH", "/v1/profiles", [{"key": "a", "attributes": {}}]),
            ("POST", "/v1/profiles/read", {"keys": ["a"]}),
        ):
            answer = await client.request(method, target, json=body)
            problem_of(answer, "unavailable")
            assert int(answer.headers["retry-after"]) > 0
