"""The step `action`: performs an action; the result is `steps.<id>`."""

from __future__ import annotations

from sojourn.definitions.compiled import CompiledStep
from sojourn.workflows.engine import evaluate
from sojourn.workflows.engine.calling import call
from sojourn.workflows.engine.instance import Instance
from sojourn.workflows.steps.kind import Passed, StepKind, place


async def run(step: CompiledStep, instance: Instance) -> Passed:
    """Call the step's endpoint and keep the result."""
    await instance.profile.ensure(step["with"])
    parameters = evaluate.parameters(step["with"], instance.variables(), place(instance, "with"))
    result = await call(instance, step["endpoint"], parameters)
    if instance.definition["endpoints"][step["endpoint"]].get("throttled"):
        # The call may have queued for hours.
        instance.profile.forget()
    instance.state.keep(str(instance.position.step), result)
    return Passed(str(result.get("status") or "ok"), step["next"])


KIND = StepKind(run, ("endpoint", "with", "next"))
