"""The OpenAPI document: valid, complete, its examples true; and the pages made from it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import jsonschema_rs
import pytest

from sojourn.api.problems import kinds
from sojourn.api.problems.errors import MEDIA_TYPE, markdown

ROOT = Path(__file__).parents[2]
# What the middleware and the routing answer, before any operation.
NOT_OF_AN_OPERATION = {"not-found", "wrong-method", "request-refused"}


@pytest.fixture(scope="module")
async def document(shared_api: httpx.AsyncClient) -> dict[str, Any]:
    """The document as it is served."""
    answer = await shared_api.get("/openapi.json")
    assert answer.status_code == 200
    body: dict[str, Any] = answer.json()
    return body


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every operation with its name."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema that stands alone."""
    return {**schema, "components": document["components"]}


def contents(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every body, of requests and answers, with where it stands."""
    for name, operation in operations(document):
        for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
            yield f"{name} {media_type}", content
        for status, response in operation["responses"].items():
            for media_type, content in response["content"].items():
                yield f"{name} {status} {media_type}", content


async def test_every_reference_leads_somewhere_and_every_schema_is_one(document: dict[str, Any]) -> None:
    """OpenAPI 3.1 schemas are JSON Schema 2020-12."""
    assert document["openapi"].startswith("3.1")
    references = set(re.findall(r"'\$ref': '([^']+)'", str(document)))
    assert references
    for reference in references:
        target: Any = document
        for part in reference.removeprefix("#/").split("/"):
            target = target[part]
    for schema in document["components"]["schemas"].values():
        jsonschema_rs.Draft202012Validator(resolved(document, schema))


async def test_every_operation_is_described(document: dict[str, Any]) -> None:
    """A summary, a description, an answer and every error that a guard or a body brings."""
    for name, operation in operations(document):
        assert operation["summary"], name
        assert operation["description"], name
        assert operation["tags"], name
        assert operation["operationId"], name
        documented = {
            slug
            for response in operation["responses"].values()
            for slug in response["content"].get(MEDIA_TYPE, {}).get("examples", {})
        }
        if "/v1/" in name:
            assert {kind.slug for kind in kinds.GUARDED} <= documented, name
            assert operation["security"] == [{"key": []}, {}]
        if "requestBody" in operation:
            assert {kind.slug for kind in kinds.WITH_BODY} <= documented, name
        for parameter in operation.get("parameters", []):
            assert parameter.get("description") or parameter["schema"].get("description"), (name, parameter)


async def test_every_body_has_examples_that_fit_its_schema(document: dict[str, Any]) -> None:
    """Of requests, answers and errors alike."""
    seen = 0
    for where, content in contents(document):
        validator = jsonschema_rs.Draft202012Validator(resolved(document, content["schema"]))
        assert content.get("examples"), where
        for example in content["examples"].values():
            assert example["summary"], where
            validator.validate(example["value"])
            seen += 1
    assert seen > 80


async def test_every_kind_of_problem_is_documented_somewhere(document: dict[str, Any]) -> None:
    """No kind is without an operation that answers with it."""
    documented = {
        slug
        for _, operation in operations(document)
        for response in operation["responses"].values()
        for slug in response["content"].get(MEDIA_TYPE, {}).get("examples", {})
    }
    assert documented | NOT_OF_AN_OPERATION == set(kinds.TYPES)


async def test_the_reference_loads_nothing_from_elsewhere(shared_api: httpx.AsyncClient) -> None:
    """/docs names every operation and works offline."""
    answer = await shared_api.get("/docs")
    assert answer.headers["content-type"].startswith("text/html")
    assert not re.search(r"""(src|href)=["']?(https?:)?//|<script|@import|url\(""", answer.text)
    for name in ("/v1/events", "/v1/instances/{workflow_id}", "application/cloudevents-batch+json", "ce-id"):
        assert name in answer.text
    assert "sha256-" in answer.headers["content-security-policy"]


async def test_every_type_of_problem_can_be_followed(shared_api: httpx.AsyncClient) -> None:
    """`type` is an address of the API, where people read what to do."""
    listing = (await shared_api.get("/problems")).text
    for kind in kinds.TYPES.values():
        assert f'href="{kind.uri}"' in listing
        page = await shared_api.get(kind.uri)
        assert page.status_code == 200
        assert kind.title in page.text.replace("&#x27;", "'")
    assert (await shared_api.get("/problems/nothing")).status_code == 404


def test_the_page_of_problems_is_up_to_date() -> None:
    """Made from the code: `python -m sojourn.api.problems > docs/reference/problems.md`."""
    assert (ROOT / "docs/reference/problems.md").read_text("utf-8") == markdown()


def test_kinds_of_problems_are_consistent() -> None:
    """Status, title and example of each are as RFC 9457 wants them."""
    for slug, kind in kinds.TYPES.items():
        assert kind.slug == slug
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", slug)
        assert 400 <= kind.status < 600
        assert not kind.title.endswith(".")
        assert kind.remedy.endswith(".")
        assert kind.detail.endswith((".", "…"))
        assert not {"type", "title", "status", "detail"} & set(kind.extensions)
