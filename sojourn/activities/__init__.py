"""What runs outside of workflows: calls to data sources and actions, as Temporal activities."""

from __future__ import annotations

from sojourn.activities.auth.secrets import SecretMissingError, Secrets, SecretStore
from sojourn.activities.call import Calls
from sojourn.activities.caps import Caps, LocalCaps
from sojourn.activities.directory import EndpointDirectory, StaticEndpoints, ThrottleDirectory
from sojourn.activities.errors import CallError
from sojourn.activities.event import EventRouting
from sojourn.activities.http.connection_guard import AddressGuard
from sojourn.activities.http.transport import Transport
from sojourn.activities.jump import Jumps
from sojourn.activities.observer import CallObserver
from sojourn.activities.profile import Profiles
from sojourn.activities.throttling.queues import ThrottledQueues
from sojourn.contract.call_failure import CallFailure

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
