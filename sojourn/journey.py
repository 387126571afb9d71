"""Journeys as Python workflows: the authoring API.

    from sojourn import Event, journey

Modelled on `temporalio.workflow`: functions of this module work inside a running journey. Anything that Temporal lets
a workflow do is still allowed.
"""

from sojourn.workflows.authoring.calls import Result, act, fetch, jump
from sojourn.workflows.authoring.context import State, entry, exit, now, split, state, step  # noqa: A004
from sojourn.workflows.authoring.continue_as_new import carried, continue_as_new, continue_as_new_suggested
from sojourn.workflows.authoring.define import defn, run
from sojourn.workflows.authoring.errors import CallError, JourneyError
from sojourn.workflows.authoring.profile import profile, update_profile
from sojourn.workflows.authoring.runtime import Stretch
from sojourn.workflows.authoring.source_scan import On
from sojourn.workflows.authoring.times import Day, within
from sojourn.workflows.authoring.waits import on, sleep, sleep_until, wait_for
from sojourn.workflows.steps.log import log

__all__ = [
    "CallError",
    "Day",
    "JourneyError",
    "On",
    "Result",
    "State",
    "Stretch",
    "act",
    "carried",
    "continue_as_new",
    "continue_as_new_suggested",
    "defn",
    "entry",
    "exit",
    "fetch",
    "jump",
    "log",
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
    "within",
]
