"""The step `update_profile`: writes attributes of the built-in profile."""

from __future__ import annotations

from sojourn.definitions.compiled import CompiledStep
from sojourn.workflows.engine import evaluate
from sojourn.workflows.engine.instance import Instance
from sojourn.workflows.steps.kind import Passed, StepKind, place


async def run(step: CompiledStep, instance: Instance) -> Passed:
    """Evaluate the changes and write them."""
    await instance.profile.ensure(step["values"])
    changes = evaluate.parameters(step["values"], instance.variables(), place(instance, "update_profile"))
    instance.show("writes the profile")
    await instance.profile.update(changes)
    return Passed("updated", step["next"])


KIND = StepKind(run, ("values", "next"))
