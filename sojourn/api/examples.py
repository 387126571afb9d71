"""Examples of requests and answers for the OpenAPI document. Tests send the former and check the latter."""

from __future__ import annotations

from typing import Any

from sojourn.api.endpoints import examples as endpoints
from sojourn.api.journeys.versions import examples as versions
from sojourn.api.operations import examples as operations
from sojourn.api.profiles import examples as profiles

_EVENT = {
    "id": "evt-1",
    "name": "cart.updated",
    "time": "2026-03-01T10:00:00Z",
    "data": {"customerId": "cust-1", "cartId": "cart-9", "items": [{"sku": "A-1"}]},
}
_CLOUD_EVENT = {
    "specversion": "1.0",
    "id": "evt-1",
    "source": "/shop/carts",
    "type": "cart.updated",
    "time": "2026-03-01T10:00:00Z",
    "data": _EVENT["data"],
}
_STARTED = {
    "id": "evt-1",
    "name": "cart.updated",
    "status": "accepted",
    "protected": True,
    "instances": [
        {
            "journey": "cart-abandonment",
            "version": 3,
            "workflow_id": "cart-abandonment:cust-1",
            "effect": "started",
        }
    ],
    "refusals": [],
}
_REFUSED = {
    "id": "evt-2",
    "name": "cart.updated",
    "status": "refused",
    "protected": True,
    "instances": [],
    "refusals": [
        {
            "journey": None,
            "reason": "invalid",
            "message": "this is not an event: /data: is missing; write the event's data, an object; {} if "
            "there is none",
            "violations": [
                {
                    "path": "/data",
                    "message": "is missing; write the event's data, an object; {} if there is none",
                }
            ],
        }
    ],
}
_PROJECT = {
    "files": {
        "events.yaml": "event: cart.updated\n"
        "key: event.customerId\n"
        "schema: {type: object, required: [customerId], properties: {customerId: {type: string}}}\n",
        "journeys/cart-abandonment.yaml": "journey: cart-abandonment\n"
        "description: Reminds customers of a cart that they left.\n"
        "entry: {event: cart.updated}\n"
        "steps:\n"
        "  pause:\n"
        "    wait: {for: 1h}\n"
        "  done: {end: reminded}\n",
    }
}
_DEFINITION = {
    "format": 1,
    "name": "cart-abandonment",
    "version": 3,
    "entry": {"event": "cart.updated"},
    "first": "pause",
    "steps": {
        "pause": {"kind": "wait", "for": 3600, "next": "done"},
        "done": {"kind": "end", "outcome": "reminded"},
    },
}
_SUMMARY = {
    "name": "cart-abandonment",
    "state": "live",
    "version": 3,
    "draft": None,
    "description": "Reminds customers of a cart that they left.",
    "entry_event": "cart.updated",
    "published_at": "2026-03-01T09:00:00Z",
}
_VERSION = {"version": 3, "state": "live", "published_at": "2026-03-01T09:00:00Z"}
_WARNING = {
    "code": "W602",
    "severity": "warning",
    "file": "journeys/cart-abandonment.yaml",
    "line": 5,
    "column": 3,
    "field": "steps.await-order",
    "message": "the wait has no timeout",
    "hint": "Add `timeout: {after: 1h}`.",
}
_INSTANCE = {
    "workflow_id": "cart-abandonment:cust-1",
    "run_id": "019ab8c2-4f6e-7c1d-9d6b-5b0f6a3f7a11",
    "journey": "cart-abandonment",
    "version": 3,
    "profile": "cust-1",
    "per": None,
    "status": "running",
    "step": "pause",
    "entered_at": "2026-03-01T10:00:00.120000Z",
    "ended_at": None,
}

_RUNNING = {
    **_INSTANCE,
    "paused": False,
    "paused_by": [],
    "outcome": None,
    "text": None,
    "kind": "wait",
    "waiting_for": [],
    "until": "2026-03-01T11:00:00.120000Z",
    "pending": 0,
    "dropped": 0,
    "steps": [],
    "last_error": None,
    "error": None,
    "source": "worker",
}

ANSWERS: dict[str, dict[str, Any]] = {
    **operations.answers(_RUNNING),
    **endpoints.ANSWERS,
    **profiles.ANSWERS,
    **versions.answers(),
    "post_events": {
        "started": {"summary": "An instance was started", "value": {"results": [_STARTED]}},
        "mixed": {
            "summary": "A batch with a good and a bad event",
            "value": {"results": [_STARTED, _REFUSED]},
        },
    },
    "publish": {
        "published": {
            "summary": "A new version",
            "value": {
                "published": [{"journey": "cart-abandonment", "version": 3}],
                "drafts": [],
                "unchanged": ["welcome"],
                "events": ["cart.updated"],
                "endpoints": ["action:email.send"],
                "profile": None,
                "overridden": [
                    {
                        "kind": "action",
                        "name": "email.send",
                        "limits": ["throttle"],
                        "message": "the action email.send keeps the throttle of 100 in 1s that an operator set, "
                        "whatever its definition says; `sojourn endpoints reset email.send` puts it back",
                    }
                ],
                "problems": [_WARNING],
            },
        }
    },
    "validate": {
        "good": {"summary": "It can be published", "value": {"ok": True, "problems": [_WARNING]}},
    },
    "list_journeys": {"journeys": {"summary": "One journey", "value": {"journeys": [_SUMMARY]}}},
    "read_journey": {
        "journey": {
            "summary": "A journey",
            "value": {**_SUMMARY, "versions": [_VERSION], "definition": _DEFINITION},
        }
    },
    "read_version": {
        "version": {
            "summary": "A version",
            "value": {
                "journey": "cart-abandonment",
                **_VERSION,
                "definition": _DEFINITION,
                "files": _PROJECT["files"],
            },
        }
    },
    "get_instances": {"page": {"summary": "A page", "value": {"instances": [_INSTANCE], "next_page": None}}},
    "get_instance": {
        "running": {
            "summary": "An instance that waits",
            "value": _RUNNING,
        }
    },
    "live": {"live": {"summary": "It is", "value": {"status": "live"}}},
    "ready": {
        "ready": {
            "summary": "It can",
            "value": {"status": "ready", "checks": {"database": "ok", "temporal": "ok"}},
        }
    },
}
"""Examples of good answers, by operation."""


def _header(name: str, description: str, example: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": "header",
        "required": False,
        "description": f"{description} Only for CloudEvents in binary form.",
        "schema": {"type": "string"},
        "example": example,
    }


EVENTS_REQUEST: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "One event, a list of up to 1,000, or CloudEvents. `Content-Encoding: gzip` is "
        "read. In the "
        "binary form of CloudEvents the attributes are headers and the body is the data.",
        "content": {
            "application/json": {
                "schema": {
                    "oneOf": [
                        {"$ref": "#/components/schemas/Event"},
                        {"type": "array", "items": {"$ref": "#/components/schemas/Event"}},
                    ]
                },
                "examples": {
                    "one": {"summary": "One event", "value": _EVENT},
                    "batch": {"summary": "A list", "value": [_EVENT, {**_EVENT, "id": "evt-2"}]},
                },
            },
            "application/cloudevents+json": {
                "schema": {"$ref": "#/components/schemas/CloudEvent"},
                "examples": {"structured": {"summary": "One CloudEvent", "value": _CLOUD_EVENT}},
            },
            "application/cloudevents-batch+json": {
                "schema": {"type": "array", "items": {"$ref": "#/components/schemas/CloudEvent"}},
                "examples": {"batch": {"summary": "A batch of CloudEvents", "value": [_CLOUD_EVENT]}},
            },
        },
    },
    "parameters": [
        _header("ce-specversion", "The version of CloudEvents.", "1.0"),
        _header("ce-id", "The event's id.", "evt-1"),
        _header("ce-source", "Where the event comes from.", "/shop/carts"),
        _header("ce-type", "The event's name.", "cart.updated"),
        _header("ce-time", "When it happened.", "2026-03-01T10:00:00Z"),
    ],
}

PROJECT_REQUEST: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"$ref": "#/components/schemas/Project"},
                "examples": {"project": {"summary": "A small project", "value": _PROJECT}},
            }
        },
    }
}
