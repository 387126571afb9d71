"""A snapshot of an instance: the answer to the query `state`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from temporalio import workflow

from sojourn.contract.profile_keys import key_text
from sojourn.workflows.engine.values import moment

if TYPE_CHECKING:
    from sojourn.workflows.engine.instance import Instance


def take(instance: Instance) -> dict[str, Any]:
    """Return where an instance is, what it waits for, and how it got there."""
    state, here = instance.state, instance.position
    answer = {
        "journey": instance.definition["name"],
        "version": instance.definition["version"],
        "instance": workflow.info().workflow_id,
        "profile": instance.start.key,
        **instance_key(instance),
        "status": "paused" if instance.paused else "running",
        "paused_by": state.pauses.reasons,
        "step": here.step,
        "kind": instance.definition["steps"].get(here.step, {}).get("kind", here.kind),
        "waiting_for": here.waiting_for,
        "until": moment(here.until) if here.until else None,
        "entered_at": moment(state.entered_at),
        "pending": len(state.inbox),
        "dropped": state.inbox.dropped,
        "steps": state.trace.dump(),
        "last_error": state.last_error,
    }
    return answer | {"scenario": _scenario(instance)} if state.clock.scripted else answer


def instance_key(instance: Instance) -> dict[str, str]:
    """Return the key of an instance within its profile as `{per}`, a text; empty if it has none."""
    text = None if instance.start.per is None else key_text(instance.start.per)
    return {} if text is None else {"per": text}


def _scenario(instance: Instance) -> dict[str, Any]:
    """Return what a scenario needs to go on: whether the instance is idle, and when its timer is due."""
    here, timer = instance.position, instance.state.clock.timer
    # A wait without a timer continues in the run that is about to begin, unless the instance is paused.
    waits = here.waits and (timer is not None or instance.paused)
    return {
        "now": moment(instance.now()),
        "ended": instance.arrivals.ending is not None,
        "idle": (waits or (instance.paused and here.visit == 0))
        and not (instance.arrivals.holding or instance.profile.reading),
        "timer": None if timer is None else {"due": timer[0].isoformat(), "fires": timer[1].isoformat()},
    }
