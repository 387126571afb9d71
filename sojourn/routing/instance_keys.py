"""Second keys: which instances of a profile an event concerns, in a journey that has one for each order, say."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sojourn import expressions
from sojourn.contract import names
from sojourn.contract.event_result import InstanceEffect, Refusal
from sojourn.contract.profile_keys import MAX_KEY, key_text
from sojourn.routing.admission import Admission, Outcome
from sojourn.routing.delivery import Value, Visit

if TYPE_CHECKING:
    from sojourn.routing.event_index import Listener

MOST_VALUES = 100
"""Most values of a second key in one event."""


@dataclass(frozen=True, slots=True)
class Carried:
    """What an event says of a second key.

    Attributes:
        values: The values that it carries, each once, in its order.
        problem: Why it carries none, or what is wrong with some that it carries; None where nothing is.
        wrong: There are values that cannot be keys: the event is not taken for one that carries none.
    """

    values: tuple[Value, ...] = ()
    problem: str | None = None
    wrong: bool = False


def carried(expression: expressions.Expression, data: Any) -> Carried:
    """Return what an event's data says of a second key.

    Args:
        expression: The journey's `per`.
        data: The event's data.
    """
    try:
        found = expression.evaluate({"event": data})
    except expressions.EvaluationError as error:
        return Carried(problem=f"has no value: {error}")
    several = isinstance(found, list)
    items = found if several else [found]
    if len(items) > MOST_VALUES:
        return Carried(
            problem=f"gives {len(items):,} values; at most {MOST_VALUES} are taken from an event", wrong=True
        )
    values: dict[str, Value] = {}
    problem, wrong = ("is an empty list" if several and not items else None), False
    for index, item in enumerate(items):
        text, which = key_text(item), f"has an item, the one at {index}, that" if several else ""
        if text is None:
            absent = item is None or isinstance(item, str)
            said = "is empty" if absent else "is neither a text nor a number"
            wrong = wrong or not absent
        elif len(text) > MAX_KEY:
            said, wrong = f"has {len(text):,} characters; a key has at most {MAX_KEY:,}", True
        else:
            values.setdefault(text, Value(text, item))
            continue
        problem = problem or f"{which} {said}".strip()
    return Carried(tuple(values.values()), problem, wrong)


async def apply(admission: Admission, visit: Visit) -> list[Outcome]:
    """Apply an event to the instances of its profile that it concerns: one without a second key, any number with.

    An event that starts instances starts one for each value that it carries. Any other reaches the instances whose
    values it carries, or, where it carries none, all of the profile's.

    Raises:
        Unreachable: Temporal cannot be reached; sending the event again completes what was begun.
        StoreUnavailable: The same of the database.
    """
    expression = visit.listener.per
    if expression is None:
        return [await admission.apply(visit)]
    found = carried(expression, visit.event.data)
    if found.values or found.wrong or visit.listener.entry:
        outcomes = [await _apply(admission, visit, value) for value in found.values]
        if found.problem is not None and (visit.listener.entry or found.wrong):
            outcomes.append(_no_key(visit.listener, found.problem, expression.source))
        return outcomes
    # One by one: they are few, and what comes first is done whatever becomes of the others.
    inside = await admission.inside(visit)
    return [await admission.apply(replace(visit, per=entry.per)) for entry in inside]


async def _apply(admission: Admission, visit: Visit, value: Value) -> Outcome:
    outcome = await admission.apply(replace(visit, per=names.per_part(value.text), value=value))
    return replace(outcome, per=value.text) if isinstance(outcome, InstanceEffect | Refusal) else outcome


def _no_key(listener: Listener, problem: str, source: str) -> Refusal:
    return Refusal(
        listener.name,
        "no_key",
        f"the second key of {listener.name}, {source!r}, {problem}; it must be a text, a number, or a list of them",
    )
