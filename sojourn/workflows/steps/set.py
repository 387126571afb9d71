"""The step `set`: names values for later steps, as `steps.<id>.<name>`."""

from __future__ import annotations

from sojourn.definitions.compiled import CompiledStep
from sojourn.workflows.engine import evaluate
from sojourn.workflows.engine.instance import Instance
from sojourn.workflows.steps.kind import Passed, StepKind, place


async def run(step: CompiledStep, instance: Instance) -> Passed:
    """Evaluate the values and keep them."""
    await instance.profile.ensure(step["values"])
    values = evaluate.template(step["values"], instance.variables(), place(instance, "set"))
    instance.state.keep(str(instance.position.step), values, "expression")
    return Passed("set", step["next"])


KIND = StepKind(run, ("values", "next"))
