"""`/openapi.json`, and the reference at `/docs` made from it: plain HTML that loads nothing from anywhere."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Iterator
from html import escape
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from sojourn.api.problems import kinds
from sojourn.api.problems.errors import ProblemError
from sojourn.api.problems.kinds import ProblemType

_STYLE = """
:root { color-scheme: light dark; --line: #8886; --soft: #8881; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h2 { margin-top: 3rem; border-bottom: 1px solid var(--line); }
h3 code { font-size: 1.1rem; }
pre { background: var(--soft); padding: .8rem; overflow-x: auto; border-radius: .3rem; font-size: .85rem; }
table { border-collapse: collapse; }
td, th { text-align: left; vertical-align: top; padding: .2rem 1rem .2rem 0; border-bottom: 1px solid var(--line); }
summary { cursor: pointer; padding: .2rem 0; }
.method { font-weight: 700; }
"""
_DIGEST = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_HEADERS = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_DIGEST}'; frame-ancestors 'none'",
    "Cache-Control": "no-cache",
}

router = APIRouter(include_in_schema=False)


@router.get("/openapi.json")
async def openapi_document(request: Request) -> Response:
    """Return the OpenAPI document."""
    return JSONResponse(request.app.openapi(), headers={"Cache-Control": "no-cache"})


@router.get("/docs")
async def docs(request: Request) -> Response:
    """Return the reference of the API."""
    return _page("Sojourn's HTTP API", _reference(request.app.openapi()))


@router.get("/problems")
async def problems() -> Response:
    """Return every kind of problem."""
    rows = "".join(
        f'<tr><td><a href="{kind.uri}"><code>{kind.uri}</code></a></td><td>{kind.status}</td>'
        f"<td>{escape(kind.title)}</td></tr>"
        for kind in kinds.TYPES.values()
    )
    table = f"<table><tr><th>type</th><th>status</th><th>it means</th></tr>{rows}</table>"
    return _page("Problems", [table])


@router.get("/problems/{slug}")
async def problem(slug: str) -> Response:
    """Return what one kind of problem means: the address is its `type`."""
    kind = kinds.TYPES.get(slug)
    if kind is None:
        raise ProblemError(kinds.NOT_FOUND, "No kind of problem has this name. All are listed at /problems.")
    return _page(kind.title, _explain(kind))


def _explain(kind: ProblemType) -> Iterator[str]:
    yield f"<p>Status {kind.status}, type <code>{kind.uri}</code>.</p><p>{_text(kind.remedy)}</p>"
    yield _example("Example", kind.example())
    yield '<p><a href="/problems">All problems</a></p>'


def _page(title: str, parts: Iterable[str]) -> HTMLResponse:
    html = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>'
        f"<body><main><h1>{escape(title)}</h1>{''.join(parts)}</main></body></html>"
    )
    return HTMLResponse(html, headers=_HEADERS)


def _text(text: str) -> str:
    """Return plain text with `code` as HTML."""
    pieces = escape(text).split("`")
    return "".join(f"<code>{piece}</code>" if index % 2 else piece for index, piece in enumerate(pieces))


def _paragraphs(text: str) -> str:
    return "".join(f"<p>{_text(paragraph)}</p>" for paragraph in text.split("\n\n"))


def _reference(openapi: dict[str, Any]) -> Iterator[str]:
    info = openapi["info"]
    yield f"<p>Version {escape(info['version'])}. <a href='/openapi.json'>OpenAPI document</a>, "
    yield "<a href='/problems'>problems</a>.</p>" + _paragraphs(info["description"])
    for tag in openapi["tags"]:
        yield f"<h2>{escape(tag['name'].title())}</h2><p>{_text(tag['description'])}</p>"
        for path, operations in openapi["paths"].items():
            for method, operation in operations.items():
                if tag["name"] in operation["tags"]:
                    yield from _operation(method, path, operation)


def _operation(method: str, path: str, operation: dict[str, Any]) -> Iterator[str]:
    title = f'<span class="method">{method.upper()}</span> {escape(path)}'
    yield f'<h3 id="{operation["operationId"]}"><code>{title}</code></h3>{_paragraphs(operation["description"])}'
    parameters = operation.get("parameters", [])
    if parameters:
        yield "<table>" + "".join(_parameter(parameter) for parameter in parameters) + "</table>"
    body = operation.get("requestBody", {})
    if "description" in body:
        yield _paragraphs(body["description"])
    for media_type, content in body.get("content", {}).items():
        yield from _examples(f"Body, {media_type}", content)
    for status, response in operation["responses"].items():
        for content in response.get("content", {}).values():
            yield from _examples(f"Answer {status}", content)


def _parameter(parameter: dict[str, Any]) -> str:
    description = parameter.get("description") or parameter["schema"].get("description", "")
    return (
        f"<tr><td><code>{escape(parameter['name'])}</code></td><td>{escape(parameter['in'])}</td>"
        f"<td>{_text(description)}</td></tr>"
    )


def _examples(heading: str, content: dict[str, Any]) -> Iterator[str]:
    for example in content.get("examples", {}).values():
        yield _example(f"{heading}: {example['summary']}", example["value"])


def _example(heading: str, value: Any) -> str:
    text = escape(json.dumps(value, indent=2, ensure_ascii=False))
    return f"<details><summary>{escape(heading)}</summary><pre>{text}</pre></details>"
