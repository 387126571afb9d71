"""From an event to the instances it concerns: checks, the profile key, admission, delivery."""

from __future__ import annotations

from sojourn.contract.event_result import (
    Effect,
    EventResult,
    IncomingEvent,
    InstanceEffect,
    Reason,
    Refusal,
    RoutingUnavailable,
    Status,
    Violation,
)
from sojourn.routing.jump import RoutedJumps
from sojourn.routing.router import Maintenance, Router

__all__ = [
    "Effect",
    "EventResult",
    "IncomingEvent",
    "InstanceEffect",
    "Maintenance",
    "Reason",
    "Refusal",
    "RoutedJumps",
    "Router",
    "RoutingUnavailable",
    "Status",
    "Violation",
]
