"""Whether a compiled definition can be run at all.

The compiler writes none that cannot; but anybody may start a workflow, and an API may be newer than a worker.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date
from typing import Any

from sojourn.expressions import compile, compile_template  # noqa: A004 - the name of the contract
from sojourn.workflows.engine.calendars import DAYS

_FIELDS: dict[str, tuple[str, ...]] = {
    "wait_for": ("events",),
    "wait": ("next",),
    "condition": ("branches",),
    "time_condition": ("next",),
    "split": ("branches", "by"),
    "fetch": ("endpoint", "with", "next"),
    "action": ("endpoint", "with", "next"),
    "set": ("values", "next"),
    "update_profile": ("values", "next"),
    "jump": ("journey", "with", "next"),
    "end": ("outcome",),
}
"""What the interpreter reads of each kind of step."""

_DAY = 24 * 60


def problem(definition: dict[str, Any]) -> str | None:
    """Return what is wrong with a compiled definition, or nothing.

    Args:
        definition: The definition, of a format that this code knows.
    """
    try:
        return next(_problems(definition), None)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        # Of the wrong type somewhere, or an expression that does not compile here; those errors hold no data.
        return f"{type(error).__name__}: {error}"[:300]


def _problems(definition: dict[str, Any]) -> Iterator[str]:
    steps = definition["steps"]
    if definition["first"] not in steps and "workflow" not in definition:
        yield f"there is no step `{definition['first']}` to begin with"
    for field, low in (
        ("timeout", 0),
        ("call_timeout", 0),
        ("max_visits", 0),
        ("max_pending", 0),
        ("max_wait", 0),
    ):
        if not low <= definition.get(field, 1) <= 10**10:
            yield f"`{field}` is to be a number that is not negative"
    compile_template(definition.get("timezone", "UTC") + "")
    if "profile" in definition and not _is_profile_use(definition["profile"]):
        yield "`profile` is to be {attributes: a list of names, or null for all}"
    for criterion in definition.get("exit_when", []):
        _condition(criterion["event"], criterion.get("when"))
    for name, step in steps.items():
        where = f"steps.{name}"
        lacking = [field for field in _FIELDS.get(step["kind"], ("kind",)) if field not in step]
        if step["kind"] not in _FIELDS:
            yield f"{where} has the kind `{step['kind']}`, which this worker does not know"
        elif lacking:
            yield f"{where} lacks `{lacking[0]}`"
        elif "endpoint" in step and definition["endpoints"][step["endpoint"]]["kind"] not in (
            "source",
            "action",
        ):
            yield f"{where} calls what is neither a source nor an action"
        for target in _check(step):
            if target is not None and target not in steps:
                yield f"{where} leads to `{target}`, and there is no such step"


def _is_profile_use(value: Any) -> bool:
    attributes = value["attributes"]
    return attributes is None or all(isinstance(name, str) for name in attributes)


def _check(step: dict[str, Any]) -> list[str | None]:
    """Compile a step's expressions and return where it leads.

    Raises:
        ValueError: An expression does not compile.
        KeyError: Something is missing.
        TypeError: Something is of another type.
    """
    timeout = step.get("timeout")
    paths = [*step.get("events", []), *step.get("branches", []), *([timeout] if timeout else [])]
    for path in paths:
        if step["kind"] == "condition":
            path["when"] + ""
        if step["kind"] == "split":
            path["share"] + 0
        _condition(path.get("event", ""), path.get("when"))
    if step["kind"] == "wait" and "for" not in step:
        step["until_time" if "until_time" in step else "until"]
    _check_times(step)
    templates = [step.get(field) for field in ("with", "values", "outcome", "for", "until")]
    for value in [*templates, timeout and timeout["after"]]:
        compile_template(json.loads(json.dumps(value)))
    return [path["next"] for path in paths] + [step.get(field) for field in ("next", "else", "on_error")]


def _check_times(step: dict[str, Any]) -> None:
    """Check times of day, hours, days and dates.

    Raises:
        ValueError: One of them is none.
        TypeError: One of them is of another type.
    """
    if "until_time" in step and not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", step["until_time"]):
        raise ValueError("`until_time` is to be a time of day such as 09:00")
    for start, end in step.get("hours") or []:
        if not 0 <= start < _DAY or not 0 <= end <= _DAY or start == end:
            raise ValueError("`hours` are to be pairs of minutes of the day")
    if not set(step.get("days") or step.get("on") or []) <= set(DAYS):
        raise ValueError(f"days are to be {', '.join(DAYS)}")
    for field in ("from", "to"):
        if step.get(field) is not None and date.fromisoformat(step[field]).isoformat() != step[field]:
            raise ValueError(f"`{field}` is to be a date such as 2026-12-31")


def _condition(event: str, text: str | None) -> None:
    event + ""
    if text is not None:
        compile(text)
