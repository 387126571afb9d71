"""The check of compiled definitions: whether this worker can run them.

The compiler writes only valid ones. But anybody may start a workflow, and an API may be newer than a worker. A mistake
in a definition would fail the same workflow task forever, so it is found before anything runs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from sojourn.definitions import compiled
from sojourn.expressions import compile, compile_template  # noqa: A004 - the name of the contract
from sojourn.workflows.engine.messages import BadMessage
from sojourn.workflows.steps import KINDS

FORMAT = 1
"""The format of compiled definitions that this code interprets."""

_NUMBERS = ("timeout", "call_timeout", "max_visits", "max_pending", "max_wait")
_LARGEST = 10**10


def parse_definition(definition: Any) -> dict[str, Any]:
    """Return a compiled definition that came in a message.

    Raises:
        BadMessage: This worker cannot run it; the text says why.
    """
    if not isinstance(definition, dict) or not {"name", "version", "first", "steps"} <= definition.keys():
        raise BadMessage("`definition` must be a compiled journey with its version")
    if definition.get("format") != FORMAT:
        raise BadMessage(
            f"`definition` has format {definition.get('format')!r}; this worker knows format {FORMAT}: update it"
        )
    if (found := _problem(json.dumps(definition))) is not None:
        raise BadMessage(f"`definition` cannot be run by this worker: {found}")
    return definition


@lru_cache(maxsize=256)
def _problem(text: str) -> str | None:
    # Cached by text: each instance brings a copy of its own, and a worker checks each version only once.
    return problem(json.loads(text))


def problem(definition: dict[str, Any]) -> str | None:
    """Return what is wrong with a compiled definition; None if it can be run.

    Args:
        definition: The definition, in the format `FORMAT`.
    """
    try:
        return next(_problems(definition), None)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        # Something is missing, has the wrong type, or does not compile. The errors' texts hold no customer's data.
        return f"{type(error).__name__}: {error}"[:300]


def _problems(definition: dict[str, Any]) -> Iterator[str]:
    steps = definition["steps"]
    if definition["first"] not in steps and "workflow" not in definition:
        yield f"there is no step `{definition['first']}` to begin with"
    for field in _NUMBERS:
        if not 0 <= definition.get(field, 1) <= _LARGEST:
            yield f"`{field}` must be a number that is not negative"
    compile_template(definition.get("timezone", "UTC") + "")
    if "profile" in definition and not _is_profile_use(definition["profile"]):
        yield "`profile` must be {attributes: a list of names, or null for all}"
    for criterion in definition.get("exit_when", []):
        _check_condition(criterion["event"], criterion.get("when"))
    for name, step in steps.items():
        yield from _step_problems(f"steps.{name}", step, definition)


def _step_problems(where: str, step: dict[str, Any], definition: dict[str, Any]) -> Iterator[str]:
    kind = KINDS.get(step["kind"])
    if kind is None:
        yield f"{where} has the kind `{step['kind']}`, which this worker does not know"
        return
    missing = next((field for field in kind.fields if field not in step), None)
    if missing is not None:
        yield f"{where} lacks `{missing}`"
        return
    if "endpoint" in step and definition["endpoints"][step["endpoint"]]["kind"] not in ("source", "action"):
        yield f"{where} calls what is neither a source nor an action"
    kind.check(step)
    _check_expressions(step)
    for target in compiled.targets(step):
        if target not in definition["steps"]:
            yield f"{where} leads to `{target}`, and there is no such step"


def _is_profile_use(value: Any) -> bool:
    attributes = value["attributes"]
    return attributes is None or all(isinstance(name, str) for name in attributes)


def _check_expressions(step: dict[str, Any]) -> None:
    for path in compiled.paths(step):
        _check_condition(path.get("event", ""), path.get("when"))
    for template in compiled.templates(step):
        compile_template(template)


def _check_condition(event: str, text: str | None) -> None:
    event + ""  # raises TypeError unless it is a text
    if text is not None:
        compile(text)
