"""Lengths of waits: checked against what a project may hold, and compiled to seconds."""

from __future__ import annotations

from sojourn.definitions.codes import Code
from sojourn.definitions.durations import whole
from sojourn.definitions.problems import Path
from sojourn.definitions.steps.context import StepContext


def check_length(seconds: float, path: Path, context: StepContext) -> None:
    """Report a wait that is longer than allowed, or as long as the instance may live.

    Args:
        seconds: The length.
        path: Its place in the journey's document.
        context: The step's surroundings.
    """
    if seconds > context.limits.wait:
        most = f"{whole(context.limits.wait / 86400):g} days"
        hint = "Make it shorter, or divide it into several waits."
        context.source.report(Code.OUT_OF_RANGE, path, f"A wait takes at most {most}", hint)
    elif context.lifetime is not None and seconds >= context.lifetime:
        context.source.report(
            Code.OUTLIVES,
            path,
            "The wait takes as long as the whole instance may live, so it never ends by itself",
            f"Make it shorter, or the journey's `timeout` longer than {whole(context.lifetime / 86400):g}d.",
        )


def compiled_span(value: float | str) -> float | str:
    """Return a span as it is compiled: whole seconds as an integer, a template as it is."""
    return value if isinstance(value, str) else whole(value)
