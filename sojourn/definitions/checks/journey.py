"""Checks of a journey that need no expressions: its head and the graph of its steps."""

from __future__ import annotations

from collections.abc import Mapping

from sojourn.definitions import limits
from sojourn.definitions.checks.event_names import check_event
from sojourn.definitions.checks.graph import cycles, reachable
from sojourn.definitions.checks.jumps import arrows
from sojourn.definitions.checks.step_context import JourneyStep
from sojourn.definitions.codes import Code
from sojourn.definitions.dates import parse_moment, zone, zone_names
from sojourn.definitions.documents.reading import Reading, ReadJourney
from sojourn.definitions.documents.validate import Source
from sojourn.definitions.durations import whole
from sojourn.definitions.kinds.journey import CodeJourney
from sojourn.definitions.problems import Path, choose, nearest, sentence
from sojourn.definitions.steps import Step
from sojourn.definitions.steps.exits import Exit
from sojourn.definitions.steps.kind import check_error_path
from sojourn.definitions.steps.reading import targets


def check_journey(journey: ReadJourney, reading: Reading) -> None:
    """Report what is wrong with a journey, apart from its expressions."""
    _check_head(journey, reading)
    if isinstance(journey.head, CodeJourney):
        _check_code(journey.head, journey.source, reading)
        return
    for step, model in journey.steps.items():
        if model is not None:
            context = JourneyStep(journey, step, reading)
            _check_targets(journey, context.path, model)
            model.check(context)
            check_error_path(model, context)
    check_graph(journey)


def _check_targets(journey: ReadJourney, path: Path, model: Step) -> None:
    reported = set()
    for way in model.exits(None):
        if way.target is None or way.target in journey.steps or (way.path, way.target) in reported:
            continue
        reported.add((way.path, way.target))
        if journey.source.full:
            return
        hint = choose(way.target, journey.steps)
        if way.target == "end" and nearest("end", journey.steps) is None:
            hint = "A journey ends in a step of its own: write `done: {end: some text}` and go there."
        message = f"There is no step `{way.target[:80]}` in this journey"
        journey.source.report(Code.UNKNOWN_STEP, (*path, *way.path), message, hint)


def _check_code(head: CodeJourney, source: Source, reading: Reading) -> None:
    """Check what the code of a Python journey names."""
    for index, event in enumerate(head.listens):
        check_event(event, ("listens", index), source, reading)
    for kind, names in (("source", head.sources), ("action", head.actions)):
        known = [key.partition(":")[2] for key in reading.endpoints if key.startswith(f"{kind}:")]
        for index, name in enumerate(names):
            if name not in known and not reading.broken:
                message = f"The code calls the {kind} `{name[:80]}`, and there is none of that name"
                code = Code.UNKNOWN_SOURCE if kind == "source" else Code.UNKNOWN_ACTION
                source.report(code, (f"{kind}s", index), message, choose(name, known))


# The head of a journey -------------------------------------------------------------------------------------


def _check_head(journey: ReadJourney, reading: Reading) -> None:
    head, source = journey.head, journey.source
    if head is None:
        return
    check_event(head.entry.event, ("entry", "event"), source, reading)
    for index, criterion in enumerate(head.exit_when):
        check_event(criterion.event, ("exit_when", index, "event"), source, reading)
    least, most = limits.CALL_TIMEOUT
    if not least <= head.call_timeout <= most:
        source.report(
            Code.OUT_OF_RANGE,
            ("call_timeout",),
            f"A call may take from {least} s to {most} s",
            f"Write a duration from {least}s to {most}s.",
        )
    if head.timeout > reading.limits.timeout and "timeout" in source.document.value:
        longest = f"{whole(reading.limits.timeout / 86400):g}"
        message = f"An instance lives at most {longest} days"
        source.report(Code.OUT_OF_RANGE, ("timeout",), message, f"Write {longest}d or less.")
    if "${" not in head.timezone and zone(head.timezone) is None:
        near = nearest(head.timezone, zone_names())
        source.report(
            Code.TIMEZONE,
            ("timezone",),
            f"There is no time zone `{head.timezone[:60]}`",
            f"Did you mean `{near}`?" if near else "Write an IANA name such as Europe/Paris, or UTC.",
        )
    _check_dates(journey)


def _check_dates(journey: ReadJourney) -> None:
    head, source = journey.head, journey.source
    assert head is not None
    where = zone("UTC" if "${" in head.timezone else head.timezone) or zone("UTC")
    moments = {}
    for name, text in (("start", head.start), ("end", head.end)):
        if text is None:
            continue
        try:
            moments[name] = parse_moment(text, where, last=name == "end")
        except ValueError as error:
            message, _, hint = str(error).partition("; ")
            source.report(Code.DATE, (name,), sentence(message), sentence(hint) + ".")
    if len(moments) == 2 and moments["start"] >= moments["end"]:
        message = "The journey ends before it starts"
        source.report(Code.DATE, ("end",), message, "Write an `end` after `start`.")


# The graph -------------------------------------------------------------------------------------------------


def links_of(journey: ReadJourney) -> dict[str, list[Exit]]:
    """Return the ways out of each step; of a step that could not be read, all that it may name."""
    order = list(journey.steps)
    raw = journey.source.document.value.get("steps", {})
    links: dict[str, list[Exit]] = {}
    for index, step in enumerate(order):
        following = order[index + 1] if index + 1 < len(order) else None
        model = journey.steps[step]
        if model is not None:
            links[step] = [_meant(way, order) for way in model.exits(following)]
        else:
            links[step] = [Exit(name, (), "") for name in sorted(targets(raw[step]))] + [
                Exit(following, (), "")
            ]
    return links


def _meant(way: Exit, order: list[str]) -> Exit:
    """Return the way to the step that was probably meant, so that a slip is not reported twice."""
    if way.target is None or way.target in order:
        return way
    return way._replace(target=nearest(way.target, order) or way.target)


def check_graph(journey: ReadJourney) -> None:
    """Report steps that nothing reaches, and loops in which no time passes."""
    links = links_of(journey)
    _check_reached(journey, links)
    _check_cycles(journey, links)


def _check_reached(journey: ReadJourney, links: Mapping[str, list[Exit]]) -> None:
    if not links:
        return
    lost = set(links) - reachable(links, next(iter(links)))
    while lost:
        led_to = {way.target for step in lost for way in links[step] if way.target != step}
        # The first of a chain is named, not what follows from it; in a circle, the one written first.
        step = next((name for name in links if name in lost and name not in led_to), None)
        step = step or next(name for name in links if name in lost)
        journey.source.report(
            Code.UNREACHABLE,
            ("steps", step),
            f"Nothing leads to the step `{step[:80]}`",
            "Name it as `next` of the step before it, or remove it.",
            key=True,
        )
        lost -= reachable(links, step)


def _check_cycles(journey: ReadJourney, links: Mapping[str, list[Exit]]) -> None:
    busy = {
        step: links[step] for step, model in journey.steps.items() if model is not None and not model.waits
    }
    narrowed = {step: [way.target for way in ways if way.target in busy] for step, ways in busy.items()}
    for cycle in cycles({step: [name for name in names if name] for step, names in narrowed.items()}):
        back = next(way for way in links[cycle[-1]] if way.target == cycle[0])
        journey.source.report(
            Code.CYCLE,
            ("steps", cycle[-1], *back.path),
            f"The steps {arrows(cycle)} form a loop in which no time passes",
            "Put a `wait` or a `wait_for` on the way, such as wait: {for: 1h}.",
        )
