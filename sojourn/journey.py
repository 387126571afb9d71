"""Journeys as Python workflows: the authoring API.

    from sojourn import Event, journey

Modelled on `temporalio.workflow`: functions of this module work inside a running journey. Anything that Temporal lets
a workflow do is still allowed.
"""

from sojourn.workflows.authoring.calls import Result, act, fetch, jump
from sojourn.workflows.authoring.context import State, entry, exit, now, split, state, step  # noqa: A004
from sojourn.workflows.authoring.define import defn, run
from sojourn.workflows.authoring.errors import CallError, JourneyError
from sojourn.workflows.authoring.profile import profile, update_profile
from sojourn.workflows.authoring.waits import On, on, sleep, sleep_until, wait_for

__all__ = [
    "CallError",
    "JourneyError",
    "On",
    "Result",
    "State",
    "act",
    "defn",
    "entry",
    "exit",
    "fetch",
    "jump",
    "now",
    "on",
    "profile",
    "run",
    "sleep",
    "sleep_until",
    "split",
    "state",
    "step",
    "update_profile",
    "wait_for",
]
