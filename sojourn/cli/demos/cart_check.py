"""Whether the cart demo came out as its events demand: instances, answers of the API, and the mailer's log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from sojourn.cli.demos.cart_expected import (
    OUTCOMES,
    REMINDED,
    Expected,
    Posted,
    expected_answers,
    expected_outcomes,
)
from sojourn.cli.demos.people import PEOPLE
from sojourn.cli.demos.verdict import Verdict

INSTANCES, MAIL, ANSWERS = "Instances by outcome", "Messages the mailer took", "Answers to events"


def judge(
    posted: Sequence[Posted],
    answers: Sequence[str],
    found: Mapping[str, Sequence[str]],
    log: Mapping[str, Any],
) -> Verdict:
    """Compare what was found with what the events demand.

    Args:
        posted: The events, in order.
        answers: What the API answered to each.
        found: The outcomes of each customer's instances.
        log: What the demo shop was asked and did.
    """
    expected = expected_outcomes(posted, PEOPLE)
    verdict = Verdict()
    # Where the events permit several outcomes, the one that was found is taken if it is among them.
    chosen = {
        person: _choose(person, one, found.get(person, ()), verdict) for person, one in expected.items()
    }
    for person in found.keys() - expected.keys():
        verdict.problems.append(f"{person}: no instance expected, found {', '.join(found[person])}")
    expected_counts = Counter(chosen.values())
    verdict.compare(
        INSTANCES,
        {outcome: expected_counts[outcome] for outcome in OUTCOMES},
        Counter(outcome for outcomes in found.values() for outcome in outcomes),
    )
    _judge_mail({p: expected[p].items for p, outcome in chosen.items() if outcome == REMINDED}, log, verdict)
    undecided = {person for person, one in expected.items() if len(one.outcomes) > 1}
    _judge_answers(posted, answers, undecided, verdict)
    return verdict


def _choose(person: str, expected: Expected, found: Sequence[str], verdict: Verdict) -> str:
    """Return the outcome that counts as expected for a customer."""
    wanted = " or ".join(sorted(expected.outcomes))
    if len(expected.outcomes) > 1:
        verdict.remarks.append(
            f"{person}: an event and the end of a wait came too close together on this machine to tell which was "
            f"first, so the events permit {wanted}."
        )
    if len(found) == 1 and found[0] in expected.outcomes:
        return found[0]
    verdict.problems.append(f"{person}: {wanted} expected, found {', '.join(found) or 'no instance'}")
    return min(expected.outcomes)


def _judge_mail(reminded: Mapping[str, int], log: Mapping[str, Any], verdict: Verdict) -> None:
    """Compare the messages that the mailer really took with the customers who must get one."""
    effects = [effect for effect in log["effects"] if effect["channel"] == "messages"]
    by_address = Counter(effect["body"]["to"] for effect in effects)
    addresses = {person.email: person.id for person in PEOPLE}
    verdict.compare(
        MAIL,
        {"messages": len(reminded), "different idempotency keys": len(reminded), "sent twice": 0},
        {
            "messages": len(effects),
            "different idempotency keys": len({effect["key"] for effect in effects}),
            "sent twice": sum(count - 1 for count in by_address.values()),
        },
    )
    for effect in effects:
        person, items = addresses.get(effect["body"]["to"], "nobody"), len(effect["body"]["data"]["items"])
        if person not in reminded:
            verdict.problems.append(f"{person}: got a message that nobody asked for")
        elif items != reminded[person]:
            verdict.problems.append(
                f"{person}: the message shows {items} items, the cart had {reminded[person]}"
            )
    verdict.problems += [
        f"{person}: got no message" for person in reminded if f"{person}@customers.example" not in by_address
    ]
    verdict.problems += [
        f"a call to {call['channel']} carried no Idempotency-Key" for call in log["calls"] if not call["key"]
    ]
    repeats = sum(call["repeat"] for call in log["calls"])
    failed = sum(call["status"] >= 500 for call in log["calls"])
    verdict.remarks.append(
        f"The mailer was called {len(log['calls'])} times: it failed {failed} times on purpose and was asked again; "
        f"{repeats} of the calls repeated a message that it had already taken, recognised by its Idempotency-Key."
    )


def _judge_answers(
    posted: Sequence[Posted], answers: Sequence[str], undecided: set[str], verdict: Verdict
) -> None:
    """Compare what the API answered to each event."""
    expected = expected_answers(posted)
    wanted: Counter[str] = Counter()
    for event, one, answer in zip(posted, expected, answers, strict=True):
        person = str(event.data.get("customerId"))
        # Of a customer who may have left already, the journey may be refused another event, or not.
        free = person in undecided and one == "accepted"
        wanted[answer if free else one] += 1
        if not free and answer != one:
            verdict.problems.append(f"event {event.id}: the answer must be {one}, and was {answer}")
    verdict.compare(ANSWERS, wanted, Counter(answers))
