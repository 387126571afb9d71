"""Errors as RFC 9457 problem details: how they are raised, sent and documented."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import Any

from pydantic_core import to_json
from starlette.responses import Response

from sojourn.api.problems import kinds
from sojourn.api.problems.kinds import TYPES, ProblemType
from sojourn.steering.instances import FilterError

MEDIA_TYPE = "application/problem+json"

LOG_INTERVAL = 10.0
"""Seconds between two lines in the log that say what is away."""

logger = logging.getLogger("sojourn.api")


class ProblemError(Exception):
    """Raised anywhere below the API to end a request with a problem.

    Attributes:
        type: The kind of problem.
        detail: What is wrong in this request, and what to write instead.
        extensions: Further members of the answer.
        headers: Headers of the answer, over those of the kind.
    """

    def __init__(
        self,
        problem_type: ProblemType,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        **extensions: Any,
    ) -> None:
        super().__init__(detail)
        self.type = problem_type
        self.detail = detail
        self.extensions = extensions
        self.headers = {**problem_type.headers, **(headers or {})}

    def body(self) -> dict[str, Any]:
        """Return the problem details."""
        return {
            "type": self.type.uri,
            "title": self.type.title,
            "status": self.type.status,
            "detail": self.detail,
            **self.extensions,
        }

    def response(self) -> Response:
        """Return the answer to send."""
        return Response(
            to_json(self.body()), status_code=self.type.status, headers=self.headers, media_type=MEDIA_TYPE
        )


_logged_at = float("-inf")


def unavailable(error: Exception, advice: str, **extensions: Any) -> ProblemError:
    """Return the problem that Temporal or the database is away.

    The cause may name hosts and users, so it goes to the log, once in a while, and not to the client.

    Args:
        error: What was raised; its message says after a colon why.
        advice: What the client is to do, a sentence.
        extensions: Further members of the answer.
    """
    global _logged_at
    if time.monotonic() - _logged_at >= LOG_INTERVAL:
        _logged_at = time.monotonic()
        logger.warning("%s; answering 503 meanwhile", error)
    what = str(error).partition(": ")[0].rstrip(".")
    return ProblemError(kinds.UNAVAILABLE, f"{what[:1].upper()}{what[1:]}. {advice}", **extensions)


def invalid_filter(error: FilterError) -> ProblemError:
    """Return the problem that a filter of a list cannot be used."""
    violation = {"path": error.field, "message": str(error)}
    return ProblemError(kinds.INVALID_REQUEST, f"The request does not fit: {error}.", violations=[violation])


def openapi_responses(*problem_types: ProblemType) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI description of answers of these kinds, each with an example, grouped by status."""
    responses: dict[int | str, dict[str, Any]] = {}
    for problem_type in problem_types:
        response = responses.setdefault(
            problem_type.status,
            {
                "description": "",
                "content": {
                    MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDetails"}, "examples": {}}
                },
            },
        )
        response["description"] += ("" if not response["description"] else "; ") + problem_type.title
        response["content"][MEDIA_TYPE]["examples"][problem_type.slug] = {
            "summary": problem_type.title,
            "value": problem_type.example(),
        }
        for name in problem_type.headers:
            response.setdefault("headers", {})[name] = {
                "schema": {"type": "string"},
                "example": problem_type.headers[name],
            }
    return responses


def markdown() -> str:
    """Return the page `docs/reference/problems.md`."""
    lines = [
        "# Problems",
        "",
        "<!-- Made by `python -m sojourn.api.problems > docs/reference/problems.md`. Do not edit. -->",
        "",
        "Every error of the HTTP API is a problem detail (RFC 9457): a JSON object of the media type",
        f"`{MEDIA_TYPE}` with `type`, `title`, `status` and `detail`. `type` and",
        "`status` are stable, programs may rely on them; `detail` is for people. Some kinds have further",
        "members, shown in the examples.",
        "",
        "| type | status | it means |",
        "|---|---|---|",
    ]
    lines += [f"| [`{kind.uri}`](#{kind.slug}) | {kind.status} | {kind.title} |" for kind in TYPES.values()]
    for kind in TYPES.values():
        lines += ["", f"## {kind.slug}", "", f"**{kind.status}: {kind.title}.** {kind.remedy}", ""]
        if kind.headers:
            lines += ["Headers: " + ", ".join(f"`{name}`" for name in kind.headers) + ".", ""]
        lines += ["```json", to_json(kind.example(), indent=2).decode(), "```"]
    return "\n".join(lines) + "\n"
