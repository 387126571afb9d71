"""A pytest plugin that records what the API answers in tests, and the compiled form of the journeys they define.

Loaded with `-p tests.surface.recorder`; the variable SURFACE names the folder to write to, a file for each process.
"""

from __future__ import annotations

import functools
import importlib
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from sojourn.definitions import Project
from tests.surface.definitions import digest

_ID = re.compile(
    r"[0-9a-f]{8}-[0-9a-f-]{27}|(?<![A-Za-z])[0-9a-f]{16,}|\d{4}-\d\d-\d\d[T ][\d:.]+(?:Z|[+-]\d\d:\d\d)?|(?<=:)\d{4,5}\b"
)
"""Ids, times and ports."""

_OPAQUE = {
    "attributes",
    "schema",
    "properties",
    "values",
    "entry",
    "example",
    "examples",
    "components",
    "paths",
}
"""Keys under which a test's own data stands."""

_CODES = {"type", "reason", "code", "status", "state", "outcome", "effect", "kind", "severity"}
"""Keys whose values are names that programs compare with."""

_found: dict[str, dict[str, set[str]]] = {}
_running = ""


def normalized(path: str) -> str:
    """Return a path without ids, times, ports and query."""
    return _ID.sub("*", path.partition("?")[0])


def shape(value: Any, key: str = "") -> Any:
    """Return the shape of JSON: keys, types, and the values that programs compare with."""
    if isinstance(value, dict):
        return (
            "object" if key in _OPAQUE else {name: shape(item, name) for name, item in sorted(value.items())}
        )
    if isinstance(value, list):
        kinds = {json.dumps(shape(item, key), sort_keys=True) for item in value}
        return [json.loads(kind) for kind in sorted(kinds)]
    if isinstance(value, str):
        return f"={value}" if key in _CODES and re.fullmatch(r"[\w./:#-]{1,80}", value) else "text"
    if isinstance(value, bool) or value is None:
        return type(value).__name__
    return f"={value}" if key == "status" else "number"


def _note(kind: str, text: str) -> None:
    _found.setdefault(_running, {}).setdefault(kind, set()).add(text)


def _answered(request: Any, response: Any) -> None:
    content = response.headers.get("content-type", "").partition(";")[0]
    path = normalized(request.url.path)
    if not path.startswith("/v1") and not content.startswith(("application/problem", "application/json")):
        return
    try:
        body = json.dumps(shape(response.json()), sort_keys=True)
    except (ValueError, RuntimeError):
        body = "no JSON"
    _note("answers", f"{request.method} {path} -> {response.status_code} {content} {body}")


def _watch(module: Any) -> None:
    send, send_async = module.Client.send, module.AsyncClient.send

    @functools.wraps(send)
    def sent(self: Any, request: Any, **more: Any) -> Any:
        response = send(self, request, **more)
        if not more.get("stream"):
            _answered(request, response)
        return response

    @functools.wraps(send_async)
    async def sent_async(self: Any, request: Any, **more: Any) -> Any:
        response = await send_async(self, request, **more)
        if not more.get("stream"):
            _answered(request, response)
        return response

    module.Client.send, module.AsyncClient.send = sent, sent_async


def pytest_configure() -> None:
    """Watch the HTTP clients of the tests and the compiler."""
    for name in ("httpx", "httpx2"):
        try:
            _watch(importlib.import_module(name))
        except ImportError:
            continue
    compiled = Project.compiled

    def noted(self: Project) -> dict[str, dict[str, Any]]:
        found = compiled(self)
        for journey, form in found.items():
            _note("compiled", f"{journey} {digest(form)}")
        return found

    Project.compiled = noted  # type: ignore[method-assign]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> None:
    """Remember which test runs: by its name alone, since files move."""
    global _running
    _running = _ID.sub("*", item.name)


def pytest_sessionfinish() -> None:
    """Write what was recorded."""
    if _found:
        folder = Path(os.environ["SURFACE"])
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(
            {
                test: {kind: sorted(texts) for kind, texts in kinds.items()}
                for test, kinds in sorted(_found.items())
            },
            indent=1,
            ensure_ascii=False,
        )
        (folder / f"{os.getpid()}.json").write_text(text, "utf-8")
