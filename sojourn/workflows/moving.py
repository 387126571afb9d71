"""Moving an instance to the newest version of its journey, from the wait at which it stands.

What an instance has done stays done: it goes on with all that it knows, in another definition. That is only sure to
make sense at a wait that both versions have. Whether it does is decided before anything happens; the wait then begins a
new run with the new definition, so that no run ever has two.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from temporalio import workflow
from temporalio.common import SearchAttributeKey, SearchAttributePair
from temporalio.exceptions import ApplicationError

from sojourn.contract import names
from sojourn.expressions import Expression, compile_template
from sojourn.expressions import compile as compile_expression
from sojourn.workflows.engine import limits, messages, snapshot
from sojourn.workflows.engine.values import weight

if TYPE_CHECKING:
    from sojourn.workflows.engine.instance import Instance

WAITS = ("wait_for", "wait")

_VERSION = SearchAttributeKey.for_int(names.SEARCH_VERSION)
_TEMPLATES = ("with", "values", "outcome", "for", "until")


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why an instance cannot be moved.

    Attributes:
        code: `already`, `ended`, `busy`, `not_waiting`, `step`, `events`, `timeout`, `result`, `lifetime`, `too_large`
            or `invalid`.
        message: The same for people, without a customer's data.
    """

    code: str
    message: str


def read(message: tuple[Any, ...]) -> dict[str, Any]:
    """Return the definition that an update or a query carries.

    Raises:
        BadMessage: It carries none that this worker could run.
    """
    value = messages.only(message)
    if not isinstance(value, dict):
        raise messages.BadMessage("one JSON object {definition} is wanted")
    return messages.parse_definition(value.get("definition"))


def obstacle(instance: Instance, message: tuple[Any, ...]) -> Obstacle | None:
    """Return why an instance cannot be moved to a definition, or nothing. Changes nothing.

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
        or _of_place(instance)
        or _of_wait(instance, new["steps"].get(instance.position.step), new["version"])
        or _of_future(instance, new)
    )


def refusal(instance: Instance, found: Obstacle) -> ApplicationError:
    """Return what the sender of an update gets where the instance cannot be moved."""
    detail = {"code": found.code, "message": found.message, **told(instance)}
    return ApplicationError(found.message, detail, type=names.ERROR_NOT_MOVED, non_retryable=True)


def told(instance: Instance) -> dict[str, Any]:
    """Return what those who move an instance write down about it."""
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


def _of_place(instance: Instance) -> Obstacle | None:
    here = instance.position
    step = instance.definition["steps"].get(here.step, {})
    if instance.ending is not None:
        return Obstacle("ended", "it has ended")
    if step.get("kind") not in WAITS or not here.waits:
        return Obstacle(
            "not_waiting", f"it is not at a wait: it is at {here.step}, {step.get('kind') or 'the end'}"
        )
    if instance.moving is not None or instance.arrivals or instance.exits.holding or instance.profile.reading:
        return Obstacle("busy", "an event is just being decided: try again")
    return None


def _of_wait(instance: Instance, step: dict[str, Any] | None, version: int) -> Obstacle | None:
    here = instance.position
    old = instance.definition["steps"][here.step]
    if step is None:
        return Obstacle("step", f"it waits at {here.step}, which version {version} has not")
    if step["kind"] != old["kind"]:
        return Obstacle("step", f"it waits at {here.step}, which is {step['kind']} in version {version}")
    if step["kind"] == "wait":
        return None
    lost = {listen["event"] for listen in old["events"]} - {listen["event"] for listen in step["events"]}
    if lost:
        shown = " and ".join(sorted(lost))
        return Obstacle(
            "events", f"it waits at {here.step} for {shown}, for which version {version} does not"
        )
    if (old.get("timeout") is None) != (step.get("timeout") is None):
        has = "has a timeout" if step.get("timeout") else "has no timeout"
        return Obstacle("timeout", f"{here.step} {has} in version {version}, and the wait began otherwise")
    return None


def _of_future(instance: Instance, new: dict[str, Any]) -> Obstacle | None:
    if instance.entered_at + timedelta(seconds=new.get("timeout", 91 * 86_400)) <= instance.now():
        return Obstacle("lifetime", f"it is older than version {new['version']} lets instances become")
    here = str(instance.position.step)
    ahead = _reachable(new["steps"], here)
    for name in sorted(ahead | {here}):
        for needed in _results_named(new["steps"][name]):
            # One that the old version has as well, this instance may have passed by, there as here.
            known = needed in instance.results or needed in ahead or needed in instance.definition["steps"]
            if needed in new["steps"] and not known:
                return Obstacle(
                    "result",
                    f"{name} needs the result of {needed}, which is new and lies behind this instance",
                )
    if weight(new) + weight(snapshot.message(instance)) > limits.CARRIED_BYTES:
        return Obstacle("too_large", "what it knows and the new version are too large for one run together")
    return None


def _reachable(steps: dict[str, Any], start: str) -> set[str]:
    """Return the steps that may come behind one."""
    found: set[str] = set()
    waiting = [start]
    while waiting:
        step = steps[waiting.pop()]
        timeout = step.get("timeout")
        paths = [*step.get("events", ()), *step.get("branches", ()), *([timeout] if timeout else [])]
        ways = [path["next"] for path in paths] + [step.get(field) for field in ("next", "else", "on_error")]
        for way in ways:
            if way is not None and way not in found:
                found.add(way)
                waiting.append(way)
    return found


def _results_named(step: dict[str, Any]) -> Iterator[str]:
    for expression in _expressions(step):
        for path in expression.paths:
            if len(path) > 1 and path[0] == "steps":
                yield str(path[1])


def _expressions(step: dict[str, Any]) -> Iterator[Expression]:
    for path in (*step.get("events", ()), *step.get("branches", ())):
        if path.get("when") is not None:
            yield compile_expression(path["when"])
    for value in (*(step.get(field) for field in _TEMPLATES), (step.get("timeout") or {}).get("after")):
        for _, expression in compile_template(value).expressions:
            yield expression


async def go_on(instance: Instance) -> None:
    """Begin a new run in the version to which the instance is to be moved; nothing where it is to be moved nowhere.

    Raises:
        asyncio.CancelledError: An exit came before that.
        temporalio.workflow.ContinueAsNewError: The new run.
    """
    if (new := instance.moving) is None:
        return
    # What came in the same workflow task has its turn: an exit takes effect, all else is offered to the new wait.
    instance.heed()
    while instance.arrivals or instance.exits.holding:
        await instance.exits.decided()
        instance.heed()
    old, here = instance.definition, instance.position
    instance.moving, instance.definition = None, new
    if here.waiting_for:
        here.waiting_for = [listen["event"] for listen in new["steps"][here.step]["events"]]
    now = instance.now()
    words = f"from version {old['version']} to version {new['version']}"
    instance.trace.add(
        step=str(here.step),
        kind="move",
        visit=here.visit,
        began=now,
        ended=now,
        result=words,
        following=here.step,
    )
    carried = snapshot.carry(instance)
    if carried is None:
        # Only what came within this very task can have made it too large.
        instance.definition = old
        instance.note(f"could not be moved {words}: it is too large")
        return
    info = workflow.info()
    memo = workflow.memo()
    attributes = info.typed_search_attributes
    workflow.continue_as_new(
        carried,
        memo={**memo, names.MEMO_VERSION: new["version"]} if memo else None,
        search_attributes=attributes.updated(SearchAttributePair(_VERSION, new["version"]))
        if attributes.get(_VERSION) is not None
        else None,
    )
