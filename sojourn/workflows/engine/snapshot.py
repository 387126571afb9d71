"""An instance as plain JSON: what crosses a continue-as-new, and what queries are answered with."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from temporalio import workflow

from sojourn.contract.profile_keys import key_text
from sojourn.workflows.engine import limits
from sojourn.workflows.engine.position import Position
from sojourn.workflows.engine.trace import Trace
from sojourn.workflows.engine.values import moment, pack, unpack, weight

if TYPE_CHECKING:
    from sojourn.workflows.engine.instance import Instance


def carry(instance: Instance) -> dict[str, Any] | None:
    """Return the start input of the run that goes on with an instance, small enough for one payload.

    Each part has a bound of its own; where all of them are reached at once, the oldest of what can best be done without
    makes room: records of the trace, then earlier events, then pending ones.

    Returns:
        The input; nothing where even that is too large, which a definition of several hundred kB can bring about.
    """
    while weight(carried := message(instance)) > limits.CARRIED_BYTES:
        if not (instance.trace.shed(limits.TRACE_KEPT) or instance.inbox.shed() or instance.exits.shed()):
            return None
    return carried


def message(instance: Instance) -> dict[str, Any]:
    """Return that input as it would be now, whatever its size. Changes nothing."""
    # Every field that a step or a signal changes is in it: one that is forgotten here is lost with the run.
    event = instance.start.event
    clock = {"clock": instance.now().isoformat()} if instance.clock.scripted else {}
    per = {} if instance.start.per is None else {"per": instance.start.per}
    return {
        "definition": instance.definition,
        "event": {"id": event.id, "name": event.name, "time": event.time.isoformat(), "data": event.data},
        "key": instance.start.key,
        "mode": instance.start.mode,
        "local_fetch": instance.start.local_fetch,
        **clock,
        **per,
        "state": {
            "entered_at": instance.entered_at.isoformat(),
            "position": instance.position.dump(),
            "visits": instance.visits,
            "results": pack(instance.results),
            "last_error": pack(instance.last_error),
            "inbox": instance.inbox.dump(event),
            "undecided": instance.exits.dump(),
            "trace": instance.trace.dump(),
            "trace_count": instance.trace.count,
            "notes": instance.notes,
            "paused": instance.holds.dump(),
            "shown_step": instance.shown_step,
        },
    }


def restore(instance: Instance, state: dict[str, Any]) -> None:
    """Take over what `carry` wrote in the run before."""
    instance.entered_at = datetime.fromisoformat(state["entered_at"])
    instance.position = Position.load(state["position"])
    instance.visits = state["visits"]
    instance.results = unpack(state["results"])
    instance.last_error = unpack(state["last_error"])
    instance.inbox.load(state["inbox"], instance.start.event)
    # Runs of releases without profiles carried none.
    instance.exits.load(state.get("undecided", []))
    instance.trace = Trace.load(state["trace"], state["trace_count"])
    instance.notes = state["notes"]
    instance.holds.load(state["paused"])
    instance.shown_step = state["shown_step"]


def state(instance: Instance) -> dict[str, Any]:
    """Return what the query `state` answers: where the instance is and how it came there."""
    here = instance.position
    answer = {
        "journey": instance.definition["name"],
        "version": instance.definition["version"],
        "instance": workflow.info().workflow_id,
        "profile": instance.start.key,
        **second_key(instance),
        "status": "paused" if instance.paused else "running",
        "paused_by": instance.holds.reasons,
        "step": here.step,
        "kind": instance.definition["steps"].get(here.step, {}).get("kind", here.kind),
        "waiting_for": here.waiting_for,
        "until": moment(here.until) if here.until else None,
        "entered_at": moment(instance.entered_at),
        "pending": len(instance.inbox),
        "dropped": instance.inbox.dropped,
        "steps": instance.trace.dump(),
        "last_error": instance.last_error,
    }
    return answer | {"scenario": _scenario(instance)} if instance.clock.scripted else answer


def second_key(instance: Instance) -> dict[str, str]:
    """Return the second key as `per`, a text; nothing where the instance has none."""
    text = None if instance.start.per is None else key_text(instance.start.per)
    return {} if text is None else {"per": text}


def _scenario(instance: Instance) -> dict[str, Any]:
    """Return what moves a scenario on: whether anything is under way, and when the next timer is due."""
    here, timer = instance.position, instance.clock.timer
    # A wait without a timer goes on in the run that begins just now, unless the instance is paused.
    waits = here.waits and (timer is not None or instance.paused)
    return {
        "now": moment(instance.now()),
        "ended": instance.ending is not None,
        "idle": (waits or (instance.paused and here.visit == 0))
        and not (instance.exits.holding or instance.profile.reading),
        "timer": None if timer is None else {"due": timer[0].isoformat(), "fires": timer[1].isoformat()},
    }
