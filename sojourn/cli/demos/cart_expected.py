"""What must come of the events of the cart demo.

It is worked out from the events as they were posted, and from what the shop knows of its customers, and from
nothing else. Nothing of the engine is used here.

The journey in words: a filled cart starts it, unless the customer has been in it during the last day. An order of
that cart within three seconds ends it (`purchased`); a changed cart starts the three seconds again; unsubscribing
ends it at once (`exited`). After the three seconds the customer is looked up: unknown ends it (`lookup failed`);
who never agreed to mail gets none (`no consent`); everybody else gets one message (`reminded`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sojourn.cli.demos.people import Person

WAIT_SECONDS = 3.0
"""How long the journey waits for the order. A test compares it with the example's file."""

PURCHASED, EXITED, REMINDED = "purchased", "exited", "reminded"
NO_CONSENT, LOOKUP_FAILED = "no consent", "lookup failed"
OUTCOMES = (PURCHASED, REMINDED, NO_CONSENT, LOOKUP_FAILED, EXITED)

REQUIRED = {
    "cart.updated": ("customerId", "cartId", "items"),
    "order.placed": ("customerId", "cartId"),
    "profile.unsubscribed": ("customerId",),
}


@dataclass(frozen=True, slots=True)
class Posted:
    """An event that was posted.

    Attributes:
        id: The event's id.
        name: Which event.
        data: Its data.
        sent: When the request was sent, in seconds of any clock that does not jump.
        answered: When its answer had arrived. The event took effect somewhere between the two.
        over: It was posted after every instance had ended.
    """

    id: str
    name: str
    data: Mapping[str, Any]
    sent: float
    answered: float
    over: bool = False


@dataclass(frozen=True, slots=True)
class Expected:
    """What the events demand of one customer.

    Attributes:
        outcomes: The outcomes that they permit. More than one only where an event and the end of a wait came
            so close together that either may have been first: on a machine that was very slow just then.
        items: How many lines the cart of the message has, if one is sent.
    """

    outcomes: frozenset[str]
    items: int


def expected_answers(events: Sequence[Posted]) -> list[str]:
    """Return what the API must answer to each event, in order: `accepted`, `duplicate` or a reason."""
    seen: set[str] = set()
    entered: set[str] = set()
    answers: list[str] = []
    for event in events:
        person = event.data.get("customerId")
        answer = "accepted"
        if any(field not in event.data for field in REQUIRED[event.name]):
            answer = "invalid"
        elif event.name == "cart.updated" and not event.data["items"]:
            answer = "rule_false"
        elif event.id in seen:
            answer = "duplicate"
        elif event.name == "cart.updated" and person not in entered:
            entered.add(str(person))
        elif event.over:
            answer = "reentry_refused" if event.name == "cart.updated" else "no_journey"
        if answer == "accepted":
            seen.add(event.id)
        answers.append(answer)
    return answers


def expected_outcomes(events: Sequence[Posted], people: Iterable[Person]) -> dict[str, Expected]:
    """Return what must become of each customer who enters the journey."""
    answers = expected_answers(events)
    effective = [event for event, answer in zip(events, answers, strict=True) if answer == "accepted"]
    expected: dict[str, Expected] = {}
    for person in people:
        own = [event for event in effective if event.data["customerId"] == person.id]
        while own and own[0].name != "cart.updated":
            own.pop(0)
        if own:
            outcomes = _outcomes(own[0], own[0], own[1:], person)
            expected[person.id] = Expected(frozenset(outcomes), len(own[0].data["items"]))
    return expected


def _outcomes(entry: Posted, timer: Posted, events: Sequence[Posted], person: Person) -> set[str]:
    """Return the outcomes that the rest of the events permits, the timer having started with `timer`."""
    for place, event in enumerate(events):
        if event.over or event.sent > timer.answered + WAIT_SECONDS + 2.0:
            break
        if event.name == "order.placed" and event.data["cartId"] != entry.data["cartId"]:
            continue
        if event.name == "cart.updated":
            found = _outcomes(entry, event, events[place + 1 :], person)
        else:
            found = {PURCHASED if event.name == "order.placed" else EXITED}
        certainly_in_time = event.answered < timer.sent + WAIT_SECONDS
        return found if certainly_in_time else found | _unless_ordered(entry, events[place + 1 :], person)
    return {_after_wait(person)}


def _unless_ordered(entry: Posted, events: Sequence[Posted], person: Person) -> set[str]:
    """Return what may come of a wait that was perhaps over: unsubscribing ends it also later."""
    later = {EXITED} if any(event.name == "profile.unsubscribed" for event in events) else set()
    return {_after_wait(person)} | later


def _after_wait(person: Person) -> str:
    if not person.known:
        return LOOKUP_FAILED
    return REMINDED if person.opt_in else NO_CONSENT
