"""Reads the steps of a journey: which kind each is, and whether it has the shape of that kind."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter, ValidationError

from sojourn.definitions.base import StepId
from sojourn.definitions.codes import Code
from sojourn.definitions.documents.validate import Source, described, fit
from sojourn.definitions.limits import Limits
from sojourn.definitions.problems import Path, a, nearest, sentence
from sojourn.definitions.steps import STEP_KINDS, Step

_STEP_ID = TypeAdapter(StepId)
_FAILING = [kind for kind, model in STEP_KINDS.items() if model.fails]
_SHORT_FORMS = {
    "wait": (str, "Write wait: {for: 1h} or wait: {until: ...}."),
    "split": (list, "Write split: {branches: [...]}."),
    "wait_for": (str, "Write wait_for: [{event: NAME}]."),
    "condition": (str, "Write condition: [{when: ..., next: STEP}]."),
}


def read_steps(journey: dict[str, Any], source: Source, limits: Limits) -> dict[str, Step | None]:
    """Return the steps of a journey's document in the order in which they are written.

    Args:
        journey: The document.
        source: Where problems are reported.
        limits: How many steps there may be.

    Returns:
        The steps by id; None for one that has not the shape of any kind.
    """
    if "steps" not in journey:
        source.report(Code.MISSING_KEY, ("steps",), "The journey has no steps", "Add `steps:`.", key=True)
        return {}
    steps = journey["steps"]
    if not isinstance(steps, dict) or not steps:
        source.report(
            Code.WRONG_VALUE,
            ("steps",),
            f"`steps` must be a mapping, not {described(steps) if steps != {} else 'an empty one'}",
            "Write the id of each step and below it what it does, such as `bye: {end: done}`.",
        )
        return {}
    if len(steps) > limits.steps:
        source.report(
            Code.TOO_MANY_STEPS,
            ("steps",),
            f"The journey has {len(steps)} steps; at most {limits.steps} are allowed",
            "Divide it into several journeys.",
            key=True,
        )
    return {step: _read_step(step, value, source) for step, value in steps.items()}


def _read_step(step: str, value: Any, source: Source) -> Step | None:
    path: Path = ("steps", step)
    try:
        _STEP_ID.validate_python(step)
    except ValidationError as error:
        context = error.errors()[0]["ctx"]
        source.report(Code.NAME, path, context["message"], context["hint"], key=True)
    if not isinstance(value, dict):
        source.report(
            Code.WRONG_VALUE,
            path,
            f"A step must be a mapping, not {described(value)}",
            f"Write one of {', '.join(STEP_KINDS)} below it, such as `{step[:40]}: {{end: done}}`.",
        )
        return None
    kinds = [kind for kind in value if kind in STEP_KINDS]
    if len(kinds) != 1:
        _wrong_kinds(kinds, value, source, path)
        return None
    model = STEP_KINDS[kinds[0]]
    short = _SHORT_FORMS.get(model.kind)
    if short and isinstance(value[model.kind], short[0]):
        message = f"This is not how a `{model.kind}` step is written"
        source.report(Code.WRONG_VALUE, (*path, model.kind), message, short[1])
        return None
    value = _without_timeouts(value, model, source, path)
    value = _without_misplaced(value, model, source, path)
    return fit(model, value, source, path)


def _wrong_kinds(kinds: list[str], value: dict[str, Any], source: Source, path: Path) -> None:
    if kinds:
        shown = " and ".join(f"`{kind}`" for kind in kinds)
        source.report(
            Code.TWO_KINDS,
            path,
            f"The step has {len(kinds)} kinds, {shown}",
            "Make each a step of its own; steps run in the order in which they are written.",
            key=True,
        )
        return
    known = {"label", "next", "on_error", "with", "timeout", "else", "since"}
    for key in value:
        near = nearest(key, STEP_KINDS) if key not in known else None
        if near:
            message = f"The step has no kind; `{key[:60]}` is none"
            source.report(Code.NO_KIND, (*path, key), message, f"Did you mean `{near}`?", key=True)
            return
    source.report(
        Code.NO_KIND, path, "The step has no kind", f"Give it one of {', '.join(STEP_KINDS)}.", key=True
    )


def _without_timeouts(value: dict[str, Any], model: type[Step], source: Source, path: Path) -> dict[str, Any]:
    """Report timeouts that stand at an event, and return the step without them."""
    events = value.get("wait_for")
    if model.kind != "wait_for" or not isinstance(events, list):
        return value
    misplaced = [
        index for index, event in enumerate(events) if isinstance(event, dict) and "timeout" in event
    ]
    if not misplaced:
        return value
    two = len(misplaced) + ("timeout" in value) > 1
    for index in misplaced:
        source.report(
            Code.TWO_TIMEOUTS,
            (*path, "wait_for", index, "timeout"),
            "The step has two timeouts"
            if two
            else "The timeout stands at one event, but it holds for the step",
            "Write one `timeout: {after: ..., next: ...}` beside `wait_for`; it holds for all its events.",
            key=True,
        )
    cleaned = [
        {key: item for key, item in event.items() if key != "timeout"} if isinstance(event, dict) else event
        for event in events
    ]
    # So that nobody is told, besides, that the wait has no timeout.
    return {"timeout": {"after": "1h"}, **value, "wait_for": cleaned}


def _without_misplaced(
    value: dict[str, Any], model: type[Step], source: Source, path: Path
) -> dict[str, Any]:
    """Report keys that other kinds of steps have, where more can be said than that they are unknown here."""
    removed = set()
    if "on_error" in value and not model.fails:
        removed.add("on_error")
        source.report(
            Code.ON_ERROR,
            (*path, "on_error"),
            f"{sentence(a(model.kind))} step has no `on_error`",
            f"Leave it out; only {', '.join(_FAILING)} may have it.",
            key=True,
        )
    if "next" in value and model.kind == "end":
        removed.add("next")
        source.report(
            Code.NEXT, (*path, "next"), "Nothing comes after an `end` step", "Leave out `next`.", key=True
        )
    if "timeout" in value and model.kind != "wait_for":
        removed.add("timeout")
        hint = "Leave it out; only wait_for has it."
        if model.kind in ("fetch", "action"):
            hint = "Leave it out; `call_timeout` of the journey holds for its calls."
        message = f"{sentence(a(model.kind))} step has no timeout"
        source.report(Code.UNKNOWN_KEY, (*path, "timeout"), message, hint, key=True)
    return {key: item for key, item in value.items() if key not in removed} if removed else value


def targets(value: Any) -> set[str]:
    """Return all ids of steps that a step's document may name, whatever its shape."""
    found: set[str] = set()
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, list):
            waiting += item
        elif isinstance(item, dict):
            for key, part in item.items():
                if key in ("next", "else", "on_error") and isinstance(part, str):
                    found.add(part)
                waiting.append(part)
    return found
