"""The interpreter of compiled definitions."""

from __future__ import annotations

from sojourn.definitions.compiled import CompiledStep
from sojourn.workflows.engine.endings import Ending, StepError, TimedOut, failed, timed_out
from sojourn.workflows.engine.instance import Instance
from sojourn.workflows.steps import KINDS


class Interpreter:
    """Runs an instance through its definition.

    Args:
        instance: The instance.
    """

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._steps: dict[str, CompiledStep] = instance.definition["steps"]

    async def run(self) -> Ending:
        """Run the steps from where the instance is to its end."""
        try:
            while (name := self._instance.position.step) is not None:
                ending = await self._run_step(name, self._steps[name])
                if ending is not None:
                    return ending
        except TimedOut:
            # The end that falls due during a pause takes effect after it.
            await self._instance.resumed()
            return timed_out()
        return Ending("completed")

    async def _run_step(self, name: str, compiled: CompiledStep) -> Ending | None:
        """Run one step. Returns the ending if it was the last."""
        kind = compiled["kind"]
        try:
            async with self._instance.step(name, kind, on_error=compiled.get("on_error")) as step:
                passed = await KINDS[kind].run(compiled, self._instance)
                step.result, step.following = passed.result, passed.following
        except StepError as error:
            return failed(name, error) if self._instance.position.step is None else None
        return Ending("completed", passed.text) if passed.following is None else None
