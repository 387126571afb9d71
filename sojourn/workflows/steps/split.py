"""The step `split`: draws one of several branches."""

from __future__ import annotations

from temporalio import workflow

from sojourn.definitions.compiled import CompiledStep
from sojourn.workflows.engine import splitting
from sojourn.workflows.engine.instance import Instance
from sojourn.workflows.steps.kind import Passed, StepKind


async def run(step: CompiledStep, instance: Instance) -> Passed:
    """Draw a branch: the same one for each profile, or a random one."""
    if step["by"] == "random":
        point = workflow.random().random() * 100
    else:
        name = str(instance.position.step)
        point = splitting.place_of(instance.start.key, instance.definition["name"], name)
    index = splitting.branch_at(point, [branch["share"] for branch in step["branches"]])
    return Passed(f"branch {index + 1}", step["branches"][index]["next"])


def check(step: CompiledStep) -> None:
    """Check that each branch has a share.

    Raises:
        KeyError: One has none.
        TypeError: One has a share that is not a number.
    """
    for branch in step["branches"]:
        branch["share"] + 0


KIND = StepKind(run, ("branches", "by"), check=check)
