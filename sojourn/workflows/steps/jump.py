"""The step `jump`: starts the profile on another journey."""

from __future__ import annotations

from sojourn.definitions.compiled import CompiledStep
from sojourn.workflows.engine import evaluate, jumping
from sojourn.workflows.engine.instance import Instance
from sojourn.workflows.steps.kind import Passed, StepKind, place


async def run(step: CompiledStep, instance: Instance) -> Passed:
    """Start the other journey with the given data, or with those of this instance's entry event."""
    data = instance.start.event.data
    if step["with"] is not None:
        await instance.profile.ensure(step["with"])
        data = evaluate.parameters(step["with"], instance.variables(), place(instance, "with"))
    answer = await jumping.jump(instance, step["journey"], data)
    return Passed(jumping.summary(answer), step["next"])


KIND = StepKind(run, ("journey", "with", "next"))
