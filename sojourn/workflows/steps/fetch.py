"""The step `fetch`: asks a data source; the result is `steps.<id>`."""

from __future__ import annotations

from sojourn.workflows.steps.action import run
from sojourn.workflows.steps.kind import StepKind

# A source and an action differ in their activity, which `engine.calling` chooses by the endpoint's own kind.
KIND = StepKind(run, ("endpoint", "with", "next"))
