"""The step `condition`: goes to the first branch whose condition is true."""

from __future__ import annotations

from sojourn.definitions.compiled import CompiledStep
from sojourn.workflows.engine import evaluate
from sojourn.workflows.engine.instance import Instance
from sojourn.workflows.steps.kind import Passed, StepKind, place


async def run(step: CompiledStep, instance: Instance) -> Passed:
    """Evaluate the branches' conditions in their order."""
    variables = instance.variables()
    for index, branch in enumerate(step["branches"]):
        if await instance.profile.ensure(when=branch["when"]):
            variables = instance.variables()
        if evaluate.condition(branch["when"], variables, place(instance, f"condition[{index}].when")):
            return Passed(f"branch {index + 1}", branch["next"])
    return Passed("else", step.get("else"))


def check(step: CompiledStep) -> None:
    """Check that each branch has a condition.

    Raises:
        KeyError: One has none.
        TypeError: One has a condition that is not a text.
    """
    for branch in step["branches"]:
        branch["when"] + ""


KIND = StepKind(run, ("branches",), check=check)
