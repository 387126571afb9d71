"""Moves of an instance to a newer version of its journey, from the wait at which it is.

What an instance has done stays done: it continues with all that it knows, in another definition. That is certain to
make sense only at a wait that both versions have. Whether it does is decided before anything happens. The wait then
begins a new run with the new definition (`engine.next_run`), so that no run ever has two.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from temporalio.exceptions import ApplicationError

from sojourn.contract import names
from sojourn.definitions import compiled
from sojourn.workflows.compiled_check import parse_definition
from sojourn.workflows.engine import limits, messages
from sojourn.workflows.engine.instance import Instance
from sojourn.workflows.engine.values import weight
from sojourn.workflows.steps import KINDS, Obstacle, Waiting


def read(message: tuple[Any, ...]) -> dict[str, Any]:
    """Return the definition that an update or a query carries.

    Raises:
        BadMessage: It carries no definition that this worker can run.
    """
    value = messages.only(message)
    if not isinstance(value, dict):
        raise messages.BadMessage("expected one JSON object {definition}")
    return parse_definition(value.get("definition"))


def obstacle(instance: Instance, message: tuple[Any, ...]) -> Obstacle | None:
    """Return why an instance cannot be moved to a definition; None if it can. Changes nothing.

    Args:
        instance: The instance.
        message: What the update or the query carries.
    """
    try:
        new = read(message)
    except messages.BadMessage as problem:
        return Obstacle("invalid", str(problem))
    return (
        _of_versions(instance, new)
        or _of_position(instance)
        or _of_wait(instance, new)
        or _of_future(instance, new)
    )


def refusal(instance: Instance, found: Obstacle) -> ApplicationError:
    """Return the failure of an update that cannot be accepted."""
    detail = {"code": found.code, "message": found.message, **described(instance)}
    return ApplicationError(found.message, detail, type=names.ERROR_NOT_MOVED, non_retryable=True)


def described(instance: Instance) -> dict[str, Any]:
    """Return the part of an answer that says which instance it is about: `{profile, version}`."""
    return {"profile": instance.start.key, "version": instance.definition["version"]}


def _of_versions(instance: Instance, new: dict[str, Any]) -> Obstacle | None:
    old = instance.definition
    if new["name"] != old["name"] or new.get("workflow") != old.get("workflow"):
        return Obstacle(
            "invalid", f"this is an instance of {old['name']}, and no other journey can go on with it"
        )
    if new["version"] == old["version"]:
        return Obstacle("already", f"it is in version {new['version']} already")
    if new["version"] < old["version"]:
        return Obstacle("invalid", f"it is in version {old['version']}, which is newer than {new['version']}")
    return None


def _of_position(instance: Instance) -> Obstacle | None:
    here, arrivals = instance.position, instance.arrivals
    step = instance.definition["steps"].get(here.step, {})
    if arrivals.ending is not None:
        return Obstacle("ended", "it has ended")
    if not compiled.waits(step) or not here.waits:
        return Obstacle(
            "not_waiting", f"it is not at a wait: it is at {here.step}, {step.get('kind') or 'the end'}"
        )
    if instance.next_run.version is not None or arrivals or arrivals.holding or instance.profile.reading:
        return Obstacle("busy", "an event is just being decided: try again")
    return None


def _of_wait(instance: Instance, new: dict[str, Any]) -> Obstacle | None:
    name, version = str(instance.position.step), new["version"]
    here, there = instance.definition["steps"][name], new["steps"].get(name)
    if there is None:
        return Obstacle("step", f"it waits at {name}, which version {version} has not")
    if there["kind"] != here["kind"]:
        return Obstacle("step", f"it waits at {name}, which is {there['kind']} in version {version}")
    return KINDS[here["kind"]].can_move(Waiting(name, here, there, version))


def _of_future(instance: Instance, new: dict[str, Any]) -> Obstacle | None:
    state = instance.state
    if state.entered_at + timedelta(seconds=new.get("timeout", 91 * 86_400)) <= instance.now():
        return Obstacle("lifetime", f"it is older than version {new['version']} lets instances become")
    here = str(state.position.step)
    ahead = _reachable(new["steps"], here)
    for name in sorted(ahead | {here}):
        for needed in _results_named(new["steps"][name]):
            # A step that the old version has, too, may have been passed already, as in the new version.
            known = needed in state.results or needed in ahead or needed in instance.definition["steps"]
            if needed in new["steps"] and not known:
                return Obstacle(
                    "result",
                    f"{name} needs the result of {needed}, which is new and lies behind this instance",
                )
    if weight(new) + weight(state.next_start()) > limits.CARRIED_BYTES:
        return Obstacle("too_large", "what it knows and the new version are too large for one run together")
    return None


def _reachable(steps: dict[str, Any], start: str) -> set[str]:
    """Return the steps that may follow a step."""
    found: set[str] = set()
    waiting = [start]
    while waiting:
        for target in compiled.targets(steps[waiting.pop()]):
            if target not in found:
                found.add(target)
                waiting.append(target)
    return found


def _results_named(step: dict[str, Any]) -> Iterator[str]:
    for expression in compiled.step_expressions(step):
        for path in expression.paths:
            if len(path) > 1 and path[0] == "steps":
                yield str(path[1])
