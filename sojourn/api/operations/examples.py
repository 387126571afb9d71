"""Examples of answers about states and operations."""

from __future__ import annotations

from typing import Any

_OPERATION = {
    "id": 7,
    "journey": "cart-abandonment",
    "kind": "pause",
    "version": None,
    "state": "running",
    "total": 5000,
    "done": 1200,
    "failed": 0,
    "created_at": "2026-03-01T10:00:00Z",
    "ended_at": None,
}
_DONE = {**_OPERATION, "state": "done", "done": 5000, "ended_at": "2026-03-01T10:00:12Z"}


def _steered(state: str, operation: dict[str, Any] | None = None) -> dict[str, Any]:
    value = {"journey": "cart-abandonment", "state": state, "version": 3, "operation": operation}
    return {"steered": {"summary": f"It is {state} now", "value": value}}


def answers(instance: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the examples of good answers, by operation.

    Args:
        instance: The example of an instance.
    """
    told: dict[str, dict[str, Any]] = {
        "pause": {"paused": True, "paused_by": ["instance"]},
        "resume": {},
        "exit": {"outcome": "exited", "text": "exited by an operator"},
        "stop": {"outcome": "stopped", "text": "cancelled in Temporal"},
    }
    acts = {
        f"{act}_instance": {
            "asked": {"summary": "It was asked", "value": {"asked": act, "instance": {**instance, **more}}}
        }
        for act, more in told.items()
    }
    return {
        "pause_journey": _steered("paused", _OPERATION),
        "resume_journey": _steered("live", {**_OPERATION, "id": 8, "kind": "resume"}),
        "stop_journey": _steered("stopped", {**_OPERATION, "id": 9, "kind": "stop"}),
        "close_journey": _steered("closed"),
        "reopen_journey": _steered("live"),
        "move_instances": _steered("live", {**_OPERATION, "id": 10, "kind": "move"}),
        "publish_draft": _steered("live"),
        "discard_draft": {
            "discarded": {
                "summary": "It is gone",
                "value": {"journey": "cart-abandonment", "discarded": True},
            }
        },
        "list_operations": {"operations": {"summary": "One", "value": {"operations": [_OPERATION]}}},
        "read_operation": {"done": {"summary": "One that is over", "value": {**_DONE, "failures": []}}},
        **acts,
    }
