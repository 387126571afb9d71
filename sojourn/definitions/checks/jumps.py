"""Circles of journeys that jump to each other."""

from __future__ import annotations

from collections.abc import Iterator

from sojourn.definitions.checks.graph import cycles
from sojourn.definitions.codes import Code
from sojourn.definitions.documents.reading import Reading, ReadJourney
from sojourn.definitions.kinds.journey import CodeJourney
from sojourn.definitions.problems import Path
from sojourn.definitions.steps.jump import JumpStep


def check_loops(reading: Reading) -> None:
    """Report journeys that jump to each other in a circle, a journey that jumps to itself included."""
    jumps: dict[str, dict[str, Path]] = {}
    for name, journey in reading.journeys.items():
        # The first of several to the same journey is named.
        jumps[name] = {
            target: path for target, path in reversed(list(_jumps(journey))) if target in reading.journeys
        }
    for cycle in cycles(jumps):
        path = jumps[cycle[0]][cycle[1 % len(cycle)]]
        first = reading.journeys[cycle[0]]
        first.source.report(Code.JUMP_LOOP, path, *loop_problem(cycle))


def loop_problem(cycle: list[str]) -> tuple[str, str]:
    """Return what is wrong with journeys that jump in a circle, and what to do.

    Args:
        cycle: Their names, each of which jumps to the next, and the last one to the first.
    """
    if len(cycle) == 1:
        return "The journey jumps to itself", "Remove the jump."
    return f"The journeys {arrows(cycle)} jump in a circle", "Remove one of the jumps."


def arrows(cycle: list[str]) -> str:
    """Return the names of a circle with arrows between them, so that one sees where it closes."""
    shown = cycle if len(cycle) <= 8 else [*cycle[:7], "..."]
    return " → ".join(f"`{name}`" if name != "..." else name for name in [*shown, cycle[0]])


def _jumps(journey: ReadJourney) -> Iterator[tuple[str, Path]]:
    if isinstance(journey.head, CodeJourney):
        yield from ((name, ("jumps", index)) for index, name in enumerate(journey.head.jumps))
    for step, model in journey.steps.items():
        if isinstance(model, JumpStep):
            yield model.jump, ("steps", step, "jump")
