"""Checks of a step that need no expressions: references, times, shares, parameters."""

from __future__ import annotations

from sojourn.definitions.checks.graph import exits
from sojourn.definitions.checks.jumps import check_jump
from sojourn.definitions.codes import Code
from sojourn.definitions.dates import parse_date, parse_moment
from sojourn.definitions.documents.reading import Reading, ReadJourney
from sojourn.definitions.documents.validate import Source
from sojourn.definitions.durations import whole
from sojourn.definitions.problems import Path, choose, nearest, sentence
from sojourn.definitions.steps import (
    CALLS,
    ActionStep,
    FetchStep,
    JumpStep,
    SplitStep,
    Step,
    TimeConditionStep,
    WaitForStep,
    WaitStep,
)


def check_event(name: str, path: Path, source: Source, reading: Reading) -> bool:
    """Report an event that is not defined; nothing is said while a file is unreadable that may define it."""
    if name in reading.events:
        return True
    if not reading.broken:
        hint = (
            choose(name, reading.events, "event") + f" Events are defined by a document `event: {name[:60]}`."
        )
        source.report(Code.UNKNOWN_EVENT, path, f"There is no event `{name[:80]}`", hint.strip())
    return False


def check_step(journey: ReadJourney, step: str, model: Step, reading: Reading) -> None:
    """Report what is wrong with a step, apart from its expressions."""
    source, path = journey.source, ("steps", step)
    _check_targets(journey, path, model)
    if isinstance(model, WaitForStep):
        _check_wait_for(journey, path, model, reading)
    elif isinstance(model, WaitStep):
        _check_wait(journey, path, model, reading)
    elif isinstance(model, SplitStep):
        _check_shares(model, source, path)
    elif isinstance(model, FetchStep | ActionStep):
        _check_call(model, source, path, reading)
    elif isinstance(model, TimeConditionStep):
        _check_window(model, source, path)
    elif isinstance(model, JumpStep):
        check_jump(journey, path, model, reading)
    if model.kind in CALLS and getattr(model, "on_error", None) is None:
        source.report(
            Code.NO_ERROR_PATH,
            path,
            "The step calls out and has no error path: an error ends the instance as failed",
            "Name the step that takes over with `on_error`.",
            key=True,
        )


def _check_targets(journey: ReadJourney, path: Path, model: Step) -> None:
    reported = set()
    for way in exits(model, None):
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


def _check_wait_for(journey: ReadJourney, path: Path, model: WaitForStep, reading: Reading) -> None:
    source = journey.source
    for index, event in enumerate(model.wait_for):
        where = (*path, "wait_for", index)
        check_event(event.event, (*where, "event"), source, reading)
        if event.restart and event.next:
            source.report(
                Code.NEXT,
                (*where, "next"),
                "An event that restarts the wait leads nowhere",
                "Leave out `next`, or `restart`.",
                key=True,
            )
        if event.restart and model.timeout is None:
            message = "There is no timeout whose timer could start again"
            hint = "Add `timeout: {after: 1h}` to the step, or leave out `restart`."
            source.report(Code.MISSING_KEY, (*where, "restart"), message, hint, key=True)
    if all(event.restart for event in model.wait_for):
        message = "Each event restarts the wait, so that none ends it"
        source.report(Code.WRONG_VALUE, (*path, "wait_for"), message, "Use `wait`, or add the awaited event.")
    if model.timeout is None:
        source.report(
            Code.NO_TIMEOUT,
            path,
            "The wait has no timeout: it lasts until the event comes or the journey's own timeout",
            "Add `timeout: {after: 1d, next: ...}`.",
            key=True,
        )
    elif isinstance(model.timeout.after, int | float):
        _check_length(journey, model.timeout.after, (*path, "timeout", "after"), reading)


def _check_length(journey: ReadJourney, seconds: float, path: Path, reading: Reading) -> None:
    if seconds > reading.limits.wait:
        most = f"{whole(reading.limits.wait / 86400):g} days"
        hint = "Make it shorter, or divide it into several waits."
        journey.source.report(Code.OUT_OF_RANGE, path, f"A wait takes at most {most}", hint)
    elif journey.head is not None and seconds >= journey.head.timeout:
        journey.source.report(
            Code.OUTLIVES,
            path,
            "The wait takes as long as the whole instance may live, so it never ends by itself",
            f"Make it shorter, or the journey's `timeout` longer than {whole(journey.head.timeout / 86400):g}d.",
        )


def _check_wait(journey: ReadJourney, path: Path, model: WaitStep, reading: Reading) -> None:
    source, wait, path = journey.source, model.wait, (*path, "wait")
    given = [
        key
        for key, value in (("for", wait.for_), ("until", wait.until), ("until_time", wait.until_time))
        if value
    ]
    if len(given) > 1:
        shown = " and ".join(f"`{key}`" for key in given)
        message = f"The wait has two ends, {shown}"
        source.report(Code.ONE_OF, (*path, given[1]), message, "Keep one of them.", key=True)
    if not given:
        hint = "Write {for: 1h}, {until: ...} with a moment, or {until_time: ...} with a time of day."
        source.report(Code.MISSING_KEY, path, "The wait does not say how long", hint, key=True)
    if isinstance(wait.for_, int | float):
        _check_length(journey, wait.for_, (*path, "for"), reading)
    if wait.until is not None and "${" not in wait.until:
        try:
            parse_moment(wait.until, None)
        except ValueError as error:
            message, _, hint = str(error).partition("; ")
            source.report(Code.DATE, (*path, "until"), sentence(message), sentence(hint) + '; or "${...}".')
    if wait.on is not None and wait.until_time is None:
        source.report(Code.ONE_OF, (*path, "on"), "`on` needs `until_time`", "Add `until_time`.", key=True)


def _check_shares(model: SplitStep, source: Source, path: Path) -> None:
    total = round(sum(branch.share for branch in model.split.branches), 6)
    if total != 100:
        message = f"The shares come to {total:g}, not to 100"
        hint = "Change them, so that together they make 100."
        source.report(Code.SHARES, (*path, "split", "branches"), message, hint)


def _check_call(model: FetchStep | ActionStep, source: Source, path: Path, reading: Reading) -> None:
    kind = "source" if isinstance(model, FetchStep) else "action"
    name = model.fetch if isinstance(model, FetchStep) else model.action
    read = reading.endpoints.get(f"{kind}:{name}")
    if read is None:
        if not reading.broken:
            _unknown_endpoint(kind, name, model.kind, source, path, reading)
        return
    if read.model is None:
        return
    known = read.model.parameters
    for parameter in model.with_:
        if parameter not in known and not source.full:
            message = f"The {kind} `{name}` has no parameter `{parameter[:60]}`"
            hint = choose(parameter, known) or f"It has none: remove it, or declare it in the {kind}."
            source.report(Code.UNKNOWN_PARAMETER, (*path, "with", parameter), message, hint, key=True)
    for parameter in read.model.required_parameters:
        if parameter not in model.with_:
            source.report(
                Code.MISSING_PARAMETER,
                (*path, "with") if model.with_ else (*path, model.kind),
                f"The {kind} `{name}` needs the parameter `{parameter}`",
                f'Add it: with: {{{parameter}: "${{...}}"}}.',
                key=True,
            )


def _unknown_endpoint(kind: str, name: str, step: str, source: Source, path: Path, reading: Reading) -> None:
    code = Code.UNKNOWN_SOURCE if kind == "source" else Code.UNKNOWN_ACTION
    other = "action" if kind == "source" else "source"
    if f"{other}:{name}" in reading.endpoints:
        written = "action" if kind == "source" else "fetch"
        hint = f"`{name}` is {'an action' if other == 'action' else 'a source'}: write `{written}: {name}`."
    else:
        known = [key.partition(":")[2] for key in reading.endpoints if key.startswith(kind)]
        hint = choose(name, known, kind) + f" A document `{kind}: {name[:60]}` defines it."
    source.report(code, (*path, step), f"There is no {kind} `{name[:80]}`", hint.strip())


def _check_window(model: TimeConditionStep, source: Source, path: Path) -> None:
    window, path = model.time_condition, (*path, "time_condition")
    if window.hours is None and window.days is None and window.dates is None:
        hint = "Write {hours: 09:00-18:00}, {days: [mon]} or {dates: {from: ..., to: ...}}."
        source.report(Code.MISSING_KEY, path, "The condition says no time", hint, key=True)
    if window.dates is not None:
        if window.dates.from_ is None and window.dates.to is None:
            hint = "Write {from: 2026-12-01, to: 2026-12-31}, or one of the two."
            source.report(Code.MISSING_KEY, (*path, "dates"), "The dates say neither `from` nor `to`", hint)
        found = {}
        for key, text in (("from", window.dates.from_), ("to", window.dates.to)):
            if text is not None:
                found[key] = parse_date(text)
                if found[key] is None:
                    source.report(
                        Code.DATE,
                        (*path, "dates", key),
                        f"`{text[:40]}` is no date",
                        "Write it like 2026-12-31.",
                    )
        start, end = found.get("from"), found.get("to")
        if start and end and start > end:
            message, hint = "The last day is before the first", "Exchange the two."
            source.report(Code.DATE, (*path, "dates", "to"), message, hint)
