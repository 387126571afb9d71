"""The kinds of steps that the interpreter runs: one module each, named as in `sojourn.definitions.steps`.

A new kind is a module here with its `KIND`, and a line in `KINDS`.
"""

from __future__ import annotations

from collections.abc import Mapping

from sojourn.workflows.steps import (
    action,
    condition,
    end,
    fetch,
    jump,
    set,  # noqa: A004 - the name of the step
    split,
    time_condition,
    update_profile,
    wait,
    wait_for,
)
from sojourn.workflows.steps.kind import Obstacle, Passed, StepKind, Waiting

KINDS: Mapping[str, StepKind] = {
    "action": action.KIND,
    "condition": condition.KIND,
    "end": end.KIND,
    "fetch": fetch.KIND,
    "jump": jump.KIND,
    "set": set.KIND,
    "split": split.KIND,
    "time_condition": time_condition.KIND,
    "update_profile": update_profile.KIND,
    "wait": wait.KIND,
    "wait_for": wait_for.KIND,
}
"""Every kind, by the value of `kind` in compiled definitions."""

__all__ = ["KINDS", "Obstacle", "Passed", "StepKind", "Waiting"]
