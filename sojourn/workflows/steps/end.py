"""The step `end`: ends the journey, with a text as its outcome."""

from __future__ import annotations

from sojourn.definitions.compiled import CompiledStep
from sojourn.workflows.engine import evaluate
from sojourn.workflows.engine.instance import Instance
from sojourn.workflows.steps.kind import Passed, StepKind, place


async def run(step: CompiledStep, instance: Instance) -> Passed:
    """Evaluate the outcome."""
    await instance.profile.ensure(step["outcome"])
    text = evaluate.text(step["outcome"], instance.variables(), place(instance, "end"))
    # The value of an expression may be a customer's data, which must not get into a trace.
    computed = isinstance(step["outcome"], str) and "${" in step["outcome"]
    return Passed("ended" if computed or not text else text, None, text)


KIND = StepKind(run, ("outcome",))
