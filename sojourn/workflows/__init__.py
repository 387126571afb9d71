"""The code that runs inside Temporal workflows. Nothing here does input or output."""

from __future__ import annotations

from sojourn.workflows.event import EventWorkflow
from sojourn.workflows.journey import Journey

__all__ = ["EventWorkflow", "Journey"]
