"""Sojourn: customer journeys as durable Temporal workflows.

The package's parts and how imports run between them are described in `docs/explanation/architecture.md`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sojourn.workflows.authoring.events import Event

__version__ = "0.1.0"

__all__ = ["Event", "__version__"]


def __getattr__(name: str) -> Any:
    # Found when it is asked for: `import sojourn` is to cost nothing.
    if name == "Event":
        from sojourn.workflows.authoring.events import Event

        return Event
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
