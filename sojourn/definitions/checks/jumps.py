"""Checks of `jump`: the journey that it leads to, and the data of the event on which profiles enter that one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sojourn.definitions.checks import scopes
from sojourn.definitions.checks.graph import cycles
from sojourn.definitions.checks.literals import check_constant
from sojourn.definitions.checks.profile_usage import CheckTemplate
from sojourn.definitions.codes import Code
from sojourn.definitions.documents.reading import Reading, ReadJourney
from sojourn.definitions.kinds.journey import CodeJourney
from sojourn.definitions.problems import Path, choose
from sojourn.definitions.steps import JumpStep
from sojourn.expressions.types import field_of


def check_jump(journey: ReadJourney, path: Path, step: JumpStep, reading: Reading) -> None:
    """Report a jump to a journey that is not there, and data that its entry event lacks or does not know."""
    source = journey.source
    target = reading.journeys.get(step.jump)
    if target is None:
        if not reading.broken:
            near = choose(step.jump, reading.journeys)
            hint = f"{near} Publishing refuses it unless the journey is published by then."
            message = f"There is no journey `{step.jump[:80]}` in this project"
            source.report(Code.JOURNEY_ELSEWHERE, (*path, "jump"), message, hint.strip())
        return
    if target.head is None or journey.head is None:
        return
    event = target.head.entry.event
    if step.with_ is None:
        if event != journey.head.entry.event:
            source.report(
                Code.MISSING_PARAMETER,
                (*path, "jump"),
                f"Profiles enter `{step.jump}` on `{event}`, and the jump says no data for it",
                'Add it: with: {FIELD: "${...}"}. It can be left out where both journeys enter on the same event.',
                key=True,
            )
        return
    schema = _schema(event, reading)
    known = list(_properties(schema))
    for name in step.with_:
        if schema.get("additionalProperties") is False and name not in known and not source.full:
            message = f"The event `{event}` has no field `{name[:60]}`"
            source.report(
                Code.UNKNOWN_PARAMETER, (*path, "with", name), message, choose(name, known), key=True
            )
    required = schema.get("required")
    for name in required if isinstance(required, list) else ():
        if name not in step.with_:
            source.report(
                Code.MISSING_PARAMETER,
                (*path, "with") if step.with_ else (*path, "jump"),
                f"The event `{event}`, on which profiles enter `{step.jump}`, needs the field `{name}`",
                f'Add it: with: {{{name}: "${{...}}"}}.',
                key=True,
            )


def check_data(
    journey: ReadJourney, path: Path, step: JumpStep, reading: Reading, check: CheckTemplate
) -> None:
    """Report templates in `with` that do not compile, or cannot yield what the entry event's schema wants.

    Args:
        journey: The journey that jumps.
        path: Where the step stands.
        step: The step.
        reading: All that was read.
        check: Checks the template of one field.
    """
    target = reading.journeys.get(step.jump)
    event = target.head.entry.event if target is not None and target.head is not None else None
    schema = {} if event is None else _schema(event, reading)
    for name, value in (step.with_ or {}).items():
        where, before = (*path, "with", name), len(journey.source.failed)
        expected = None if event is None else field_of(scopes.event_type(event, reading), name)
        check(value, where, expected)
        if len(journey.source.failed) == before:
            what = f"the event's field `{name}`"
            check_constant(value, journey.source, where, _properties(schema).get(name), what)


def _schema(event: str, reading: Reading) -> Mapping[str, Any]:
    read = reading.events.get(event)
    schema = read.model.data_schema if read is not None and read.model is not None else None
    return schema if isinstance(schema, Mapping) else {}


def _properties(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    found = schema.get("properties")
    return found if isinstance(found, Mapping) else {}


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


def targets(compiled: Mapping[str, Any]) -> list[str]:
    """Return the journeys to which a compiled journey jumps, each once."""
    steps: Iterable[Mapping[str, Any]] = compiled.get("steps", {}).values()
    found = [str(step["journey"]) for step in steps if step["kind"] == "jump"]
    return list(dict.fromkeys([*found, *compiled.get("jumps", ())]))
