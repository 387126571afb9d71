"""What a body gets that is not what the API reads."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import AsyncIterator

import httpx
import pytest

from tests.api.conftest import problem_of

JSON = {"Content-Type": "application/json"}
LIMIT = 1024 * 1024


async def post(api: httpx.AsyncClient, body: bytes, **headers: str) -> httpx.Response:
    """Post a body to the events operation."""
    return await api.post(
        "/v1/events", content=body, headers=JSON | {k.replace("_", "-"): v for k, v in headers.items()}
    )


@pytest.mark.parametrize(
    ("body", "line", "column", "words"),
    [
        (b'{"name": "x",\n "data": }', 2, 10, "a value should stand here"),
        (b'{"name": "x", "data": NaN}', 1, 23, "no NaN"),
        (b'{"name": "x", "data": -Infinity}', 1, 24, "no NaN"),
        (b'{"name": "x", "data": {}', 1, 24, "a } is missing"),
        (b"{'name': 1}", 1, 2, "double quotes"),
        (b"{name: 1}", 1, 2, "double quotes"),
        (b'{"name": "x",}', 1, 14, "remove the comma"),
        (b'{"name": None}', 1, 10, "null"),
        (b'{"name": "x"}\n{"name": "y"}', 2, 1, "as a list"),
        ('{"näme": nul}'.encode(), 1, 13, "true, false and null"),
        (b'{"name": "\\ud800"}', 1, 17, "half of a character"),
        (b'{"name": "\xff"}', 1, 11, "UTF-8"),
        (b'\xef\xbb\xbf{"name": "x"}', 1, 1, "byte order mark"),
        ('{"name": "x"}'.encode("utf-16"), 1, 1, "UTF-16"),
        (b"[" * 100_000, 1, 202, "200 levels"),
        (b"9" * 5_000, 1, 4302, "too many digits"),
        (b"\x00\x01\x02", 1, 1, "a value should stand here"),
    ],
)
async def test_a_body_that_is_no_json_is_told_where(
    shared_api: httpx.AsyncClient, body: bytes, line: int, column: int, words: str
) -> None:
    """The answer names line and column of the error and what to write instead."""
    problem = problem_of(await post(shared_api, body), "invalid-json")
    assert (problem["line"], problem["column"]) == (line, column)
    assert words in problem["detail"]
    assert f"line {line}, column {column}" in problem["detail"]


@pytest.mark.parametrize("body", [b"", b"  \n\t "])
async def test_an_empty_body_is_called_empty(shared_api: httpx.AsyncClient, body: bytes) -> None:
    """No body, or one of white space, is told apart from broken JSON."""
    problem_of(await post(shared_api, body), "empty-body")


async def test_a_body_over_the_limit_is_refused_by_its_declared_length(shared_api: httpx.AsyncClient) -> None:
    """One byte more than 1 MiB is too much, 1 MiB is not."""
    problem = problem_of(await post(shared_api, b" " * (LIMIT + 1)), "too-large")
    assert problem["limit"] == LIMIT
    event = b'{"name": "x", "data": "%s"}'
    padding = LIMIT - len(event) + 2
    answer = await post(shared_api, event % (b"x" * padding))
    assert answer.status_code == 202


async def test_a_body_over_the_limit_is_refused_without_a_declared_length(
    shared_api: httpx.AsyncClient,
) -> None:
    """A chunked body is cut off when it passes the limit."""

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b" " * 65536

    answer = await shared_api.post("/v1/events", content=chunks(), headers=JSON)
    assert "content-length" not in answer.request.headers
    problem_of(answer, "too-large")
    # The connection is good for the next request.
    assert (await post(shared_api, b'{"name": "x", "data": {}}')).status_code == 202


async def test_gzip_is_read(shared_api: httpx.AsyncClient) -> None:
    """A body compressed once with gzip is as good as a plain one, also of several members, also chunked."""
    text = b'{"name": "x", "data": {}}'
    for body in (gzip.compress(text), gzip.compress(text[:9]) + gzip.compress(text[9:])):
        answer = await post(shared_api, body, Content_Encoding="gzip")
        assert answer.status_code == 202, answer.text

    async def chunks() -> AsyncIterator[bytes]:
        for byte in gzip.compress(text):
            yield bytes([byte])

    answer = await shared_api.post(
        "/v1/events", content=chunks(), headers=JSON | {"Content-Encoding": "GZIP"}
    )
    assert answer.status_code == 202, answer.text


async def test_a_gzip_bomb_is_bounded(shared_api: httpx.AsyncClient) -> None:
    """What unpacks to more than the limit is refused, however small it is."""
    bomb = gzip.compress(b" " * (30 * LIMIT), 9)
    assert len(bomb) < LIMIT
    problem_of(await post(shared_api, bomb, Content_Encoding="gzip"), "too-large")


@pytest.mark.parametrize(
    "body",
    [
        b'{"name": "x", "data": {}}',
        gzip.compress(b'{"name": "x", "data": {}}')[:-4],
        gzip.compress(b'{"name": "x", "data": {}}') + b"more",
        zlib.compress(b'{"name": "x", "data": {}}'),
    ],
    ids=["plain", "cut off", "trailing", "zlib"],
)
async def test_gzip_that_is_none_is_refused(shared_api: httpx.AsyncClient, body: bytes) -> None:
    """Damaged or wrongly declared compression is told apart from broken JSON."""
    problem_of(await post(shared_api, body, Content_Encoding="gzip"), "invalid-encoding")


@pytest.mark.parametrize("encoding", ["br", "gzip, gzip", "zstd", "deflate"])
async def test_another_content_encoding_is_refused(shared_api: httpx.AsyncClient, encoding: str) -> None:
    """Only gzip is read, and the answer says so."""
    answer = await post(shared_api, b"x", Content_Encoding=encoding)
    assert problem_of(answer, "wrong-content-encoding")["accepted"] == ["gzip"]
    assert answer.headers["accept-encoding"] == "gzip"


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "", "application/xml", "application/cloudevents+xml"],
)
async def test_another_content_type_is_refused(shared_api: httpx.AsyncClient, content_type: str) -> None:
    """JSON under another name, or none, is refused: a browser's form could send it from any site."""
    request = shared_api.build_request("POST", "/v1/events", content=b'{"name": "x", "data": {}}')
    if content_type:
        request.headers["Content-Type"] = content_type
    problem = problem_of(await shared_api.send(request), "wrong-content-type")
    assert "application/json" in problem["accepted"]


async def test_another_charset_is_refused(shared_api: httpx.AsyncClient) -> None:
    """JSON is UTF-8; a request that says otherwise is not read wrongly."""
    answer = await post(shared_api, b"{}", Content_Type="application/json; charset=iso-8859-1")
    assert "iso-8859-1" in problem_of(answer, "wrong-content-type")["detail"]
    answer = await post(
        shared_api, b'{"name": "x", "data": {}}', Content_Type='Application/JSON; Charset="UTF-8"'
    )
    assert answer.status_code == 202


async def test_of_two_members_of_one_name_the_last_counts(shared_api: httpx.AsyncClient) -> None:
    """A repeated name is read as most JSON readers do, and breaks nothing."""
    answer = await post(shared_api, b'{"name": "first", "name": "second", "data": {}}')
    assert answer.json()["results"][0]["name"] == "second"
