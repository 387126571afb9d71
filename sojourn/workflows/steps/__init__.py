"""The kinds of steps that the interpreter runs: one module each, named as in `sojourn.definitions.steps`.

A new kind is a module here with its `KIND`, and one there with its model.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

from sojourn.definitions import steps
from sojourn.workflows.steps.kind import Obstacle, Passed, StepKind, Waiting

KINDS: Mapping[str, StepKind] = {kind: import_module(f"{__name__}.{kind}").KIND for kind in steps.KINDS}
"""Every kind, by the value of `kind` in compiled definitions."""

__all__ = ["KINDS", "Obstacle", "Passed", "StepKind", "Waiting"]
