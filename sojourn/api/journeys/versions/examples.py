"""Examples of answers about versions, for the OpenAPI document."""

from __future__ import annotations

from typing import Any

_JOURNEY = "cart-abandonment"


def answers() -> dict[str, dict[str, Any]]:
    """Return the examples of each operation, by its name."""
    versions = [
        {"version": 2, "state": "live", "published_at": "2026-03-02T10:00:00Z", "running": 14},
        {"version": 1, "state": "closed", "published_at": "2026-03-01T10:00:00Z", "running": 3},
    ]
    change = {"path": "steps.await-order.timeout.after", "kind": "changed", "old": "1h", "new": "2h"}
    movable = {
        "workflow_id": f"{_JOURNEY}:cust-1",
        "effect": "movable",
        "version": 1,
        "code": None,
        "message": None,
    }
    stays = {
        "workflow_id": f"{_JOURNEY}:cust-2",
        "effect": "refused",
        "version": 1,
        "code": "step",
        "message": "it waits at await-reply, which version 2 has not",
    }
    return {
        "list_versions": {
            "two": {
                "summary": "Two versions",
                "value": {"journey": _JOURNEY, "versions": versions, "unknown": 0},
            }
        },
        "compare_versions": {
            "one": {
                "summary": "A longer timeout",
                "value": {"journey": _JOURNEY, "from": 1, "to": 2, "changes": [change]},
            }
        },
        "ask_instances": {
            "asked": {
                "summary": "One could be moved, one would stay",
                "value": {"journey": _JOURNEY, "to": 2, "instances": [movable, stays], "next_page": None},
            }
        },
    }
