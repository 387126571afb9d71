"""JSON answers, written without a second pass over values that are JSON already."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic_core import to_json
from starlette.responses import Response

JSON = "application/json"


def json_response(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return an answer with `value` as its JSON body."""
    return Response(to_json(value), status_code=status, headers=headers, media_type=JSON)
