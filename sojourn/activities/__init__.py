"""What runs outside of workflows: calls to data sources and actions, as Temporal activities."""

from __future__ import annotations

from sojourn.activities.addresses import AddressGuard
from sojourn.activities.calls import Calls
from sojourn.activities.caps import Caps, LocalCaps
from sojourn.activities.directory import EndpointDirectory, StaticEndpoints, ThrottleDirectory
from sojourn.activities.errors import CallError
from sojourn.activities.events import EventRouting
from sojourn.activities.jumps import Jumps
from sojourn.activities.observer import CallFailure, CallObserver
from sojourn.activities.profiles import Profiles
from sojourn.activities.queues import ThrottledQueues
from sojourn.activities.secrets import SecretMissingError, Secrets, SecretStore
from sojourn.activities.transport import Transport

__all__ = [
    "AddressGuard",
    "CallError",
    "CallFailure",
    "CallObserver",
    "Calls",
    "Caps",
    "EndpointDirectory",
    "EventRouting",
    "Jumps",
    "LocalCaps",
    "Profiles",
    "SecretMissingError",
    "SecretStore",
    "Secrets",
    "StaticEndpoints",
    "ThrottleDirectory",
    "ThrottledQueues",
    "Transport",
]
