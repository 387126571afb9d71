"""The step `log`: writes a line to the worker's log, in YAML and in Python journeys."""

from __future__ import annotations

import logging
from typing import get_args

from temporalio import workflow

from sojourn.definitions.compiled import CompiledStep
from sojourn.definitions.steps.log import Level
from sojourn.workflows.authoring.errors import JourneyError
from sojourn.workflows.authoring.runtime import Running, perform
from sojourn.workflows.engine import evaluate
from sojourn.workflows.engine.instance import Instance
from sojourn.workflows.steps.kind import Passed, StepKind, place

LEVELS = {level: logging.getLevelNamesMapping()[level.upper()] for level in get_args(Level)}
_LONGEST = 8000

# The SDK's adapter writes nothing while a history is replayed: each line is written when the step is first done.
_log = workflow.LoggerAdapter(logging.getLogger("sojourn.journey"), {})
_log.workflow_info_on_message = False


async def run(step: CompiledStep, instance: Instance) -> Passed:
    """Evaluate the message and write it."""
    await instance.profile.ensure(step["message"])
    message = evaluate.text(step["message"], instance.variables(), place(instance, "log.message"))
    _write(instance, message or "", step["level"])
    return Passed(step["level"], step["next"])


def check(step: CompiledStep) -> None:
    """Check the level of a compiled step."""
    if step["level"] not in LEVELS:
        raise ValueError(f"`{step['level']}` is not a level of the log")


KIND = StepKind(run, ("message", "level", "next"), check=check)


async def log(message: str, /, level: Level = "info") -> None:
    """Write a line to the worker's log, once: not again while the history is replayed.

    The line has the journey, its version, the instance and the step as fields. The trace has the step and the level,
    not the text.

        await journey.log(f"{order.total} is above the limit", level="warning")

    Args:
        message: The text, cut after 8,000 characters.
        level: `debug`, `info`, `warning` or `error`.

    Raises:
        JourneyError: The level is another one, or the message is not a text.
    """
    if level not in LEVELS:
        raise JourneyError(f"journey.log has no level {level!r}: write one of {', '.join(LEVELS)}")
    if not isinstance(message, str):
        raise JourneyError(f"journey.log needs a text, got {type(message).__name__}")

    async def work(current: Running) -> tuple[None, str]:
        _write(current.instance, message, level)
        return None, level

    await perform("log", "log", work)


def _write(instance: Instance, message: str, level: str) -> None:
    definition = instance.state.definition
    fields = {
        "journey": definition["name"],
        "version": definition.get("version"),
        "instance": workflow.info().workflow_id,
        "step": instance.position.step,
    }
    # On one line: a customer's text must not be able to add lines of its own to the log.
    line = message[:_LONGEST].replace("\r", "\\r").replace("\n", "\\n")
    _log.log(LEVELS[level], "%s, step %s: %s", fields["journey"], fields["step"], line, extra=fields)
