"""Reading of steps: which kind each is, and whether it has the shape of that kind."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter, ValidationError

from sojourn.definitions.base import StepId
from sojourn.definitions.codes import Code
from sojourn.definitions.documents.validate import Source, described, fit
from sojourn.definitions.limits import Limits
from sojourn.definitions.problems import Path, a, nearest, sentence
from sojourn.definitions.steps import KINDS, Step

_STEP_ID = TypeAdapter(StepId)
_FAILING = [kind for kind, model in KINDS.items() if "on_error" in model.model_fields]
# The keys that steps of some kind have besides the one that says the kind.
_COMMON_KEYS = {
    field.alias or name for model in KINDS.values() for name, field in model.model_fields.items()
} - KINDS.keys()


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
            f"Write one of {', '.join(KINDS)} below it, such as `{step[:40]}: {{end: done}}`.",
        )
        return None
    kinds = [kind for kind in value if kind in KINDS]
    if len(kinds) != 1:
        _wrong_kinds(kinds, value, source, path)
        return None
    model = KINDS[kinds[0]]
    short = model.short_form
    if short and isinstance(value[model.kind], short[0]):
        message = f"This is not how a `{model.kind}` step is written"
        source.report(Code.WRONG_VALUE, (*path, model.kind), message, short[1])
        return None
    value = model.prepare(value, source, path)
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
    for key in value:
        near = nearest(key, KINDS) if key not in _COMMON_KEYS else None
        if near:
            message = f"The step has no kind; `{key[:60]}` is none"
            source.report(Code.NO_KIND, (*path, key), message, f"Did you mean `{near}`?", key=True)
            return
    source.report(Code.NO_KIND, path, "The step has no kind", f"Give it one of {', '.join(KINDS)}.", key=True)


def _without_misplaced(
    value: dict[str, Any], model: type[Step], source: Source, path: Path
) -> dict[str, Any]:
    """Report keys that other kinds of steps have, where more can be said than that they are unknown here."""
    removed = set()
    if "on_error" in value and "on_error" not in model.model_fields:
        removed.add("on_error")
        source.report(
            Code.ON_ERROR,
            (*path, "on_error"),
            f"{sentence(a(model.kind))} step has no `on_error`",
            f"Leave it out; only {', '.join(_FAILING)} may have it.",
            key=True,
        )
    if "next" in value and not model.leads_on:
        removed.add("next")
        source.report(
            Code.NEXT,
            (*path, "next"),
            f"Nothing comes after {a(model.kind)} step",
            "Leave out `next`.",
            key=True,
        )
    if "timeout" in value and "timeout" not in model.model_fields:
        removed.add("timeout")
        message = f"{sentence(a(model.kind))} step has no timeout"
        source.report(Code.UNKNOWN_KEY, (*path, "timeout"), message, model.timeout_hint, key=True)
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
