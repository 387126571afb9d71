"""Examples of requests and answers about endpoints, for the OpenAPI document."""

from __future__ import annotations

from typing import Any

_ERROR = {
    "at": "2026-03-01T10:00:00.120000Z",
    "code": "http_503",
    "status": 503,
    "message": "the answer is HTTP 503",
    "journey": "cart-abandonment",
    "step": "remind",
    "attempt": 1,
    "final": False,
}
_THROTTLE = {"calls": 100, "per": "1s", "expire": "1h", "set_by": "operator"}
_SUMMARY = {
    "kind": "action",
    "name": "email.send",
    "description": "Sends a mail.",
    "method": "POST",
    "host": "mail.example.com",
    "python": None,
    "cap": None,
    "throttle": _THROTTLE,
    "waiting": 240,
    "last_error": _ERROR,
}
_DEFINITION = {
    "kind": "action",
    "name": "email.send",
    "description": "Sends a mail.",
    "method": "POST",
    "url": "https://mail.example.com/v1/messages",
    "parameters": {"to": {"type": "string"}},
    "auth": {"type": "api_key", "header": "X-Api-Key", "value": {"secret": "MAIL_KEY"}},
    "throttle": {"calls": 200, "per": 1, "expire": 21600},
}
_ENDPOINT = {
    **_SUMMARY,
    "definition": _DEFINITION,
    "secrets": ["MAIL_KEY"],
    "published": {"cap": None, "throttle": {"calls": 200, "per": "1s", "expire": "6h"}},
    "changed_at": "2026-03-01T09:55:00Z",
    "journeys": ["cart-abandonment"],
    "errors": [_ERROR],
}
_RESET = {
    **_ENDPOINT,
    "throttle": {"calls": 200, "per": "1s", "expire": "6h", "set_by": "definition"},
    "changed_at": None,
}

ANSWERS: dict[str, dict[str, Any]] = {
    "list_endpoints": {"endpoints": {"summary": "One endpoint", "value": {"endpoints": [_SUMMARY]}}},
    "read_endpoint": {"endpoint": {"summary": "A throttled action", "value": _ENDPOINT}},
    "set_limits": {"endpoint": {"summary": "The endpoint with its new limits", "value": _ENDPOINT}},
    "reset_limits": {"endpoint": {"summary": "The endpoint as it was published", "value": _RESET}},
}
"""Examples of good answers, by operation."""

LIMITS_REQUEST: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"$ref": "#/components/schemas/EndpointLimits"},
                "examples": {
                    "throttle": {
                        "summary": "At most 100 calls a second, each waiting an hour at most",
                        "value": {"throttle": {"calls": 100, "per": "1s", "expire": "1h"}},
                    },
                    "cap": {
                        "summary": "At most 15 calls a second, the others refused",
                        "value": {"cap": {"calls": 15, "per": "1s"}},
                    },
                },
            }
        },
    }
}
