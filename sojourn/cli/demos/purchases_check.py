"""Whether the second-purchase demo came out as the file demands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from sojourn.cli.demos.purchases_expected import (
    INVITED,
    REACHES,
    REFUSED,
    REWARDED,
    STARTS,
    THANKED,
    WAITING,
    Expectation,
)
from sojourn.cli.demos.verdict import Verdict

INSTANCES, CALLS, EFFECTS = "Instances by outcome", "Calls the shop took", "Events by effect"
SHOWN = 10
"""Single customers and orders that are named, of each kind of problem."""


def judge(
    expectation: Expectation,
    effects: Mapping[int, str],
    found: Mapping[str, str],
    log: Mapping[str, Any],
) -> Verdict:
    """Compare what was found with what the file demands.

    Args:
        expectation: What must come of the orders that were posted.
        effects: For each order, by line, what the API says it did: `STARTS`, `REACHES` or `REFUSED`.
        found: The outcome of each customer's instance.
        log: What the demo shop was asked and did.
    """
    verdict = Verdict()
    order = (INVITED, REWARDED, THANKED, WAITING)
    counts = Counter(expectation.outcome.values())
    verdict.compare(INSTANCES, {outcome: counts[outcome] for outcome in order}, Counter(found.values()))
    _name(verdict, "customer", expectation.outcome, found)
    wanted = {"members": expectation.members, "coupons": expectation.coupons}
    taken = {channel: [e for e in log["effects"] if e["channel"] == channel] for channel in wanted}
    verdict.compare(
        CALLS,
        {
            "invitations": len(expectation.members),
            "coupons": len(expectation.coupons),
            "different idempotency keys": len(expectation.members) + len(expectation.coupons),
            "done twice": 0,
        },
        {
            "invitations": len(taken["members"]),
            "coupons": len(taken["coupons"]),
            "different idempotency keys": len({e["key"] for e in log["effects"]}),
            "done twice": sum(
                len(done) - len({e["body"]["customer"] for e in done}) for done in taken.values()
            ),
        },
    )
    for channel, people in wanted.items():
        got = {e["body"]["customer"]: e["body"]["cents"] for e in taken[channel]}
        _name(verdict, f"cents in the call to {channel} for", people, got)
    by_effect = Counter(expectation.effects.values())
    verdict.compare(
        EFFECTS,
        {effect: by_effect[effect] for effect in (STARTS, REACHES, REFUSED)},
        Counter(effects.values()),
    )
    _name(verdict, "line", expectation.effects, effects)
    _remark(verdict, log)
    return verdict


def _remark(verdict: Verdict, log: Mapping[str, Any]) -> None:
    verdict.problems += [
        f"a call to {call['channel']} carried no Idempotency-Key" for call in log["calls"] if not call["key"]
    ]
    failed = sum(call["status"] >= 500 for call in log["calls"])
    repeats = sum(call["repeat"] for call in log["calls"])
    verdict.remarks.append(
        f"The shop was called {len(log['calls']):,} times: it failed {failed:,} times on purpose and was asked again; "
        f"{repeats:,} of the calls repeated one that it had already done, recognised by its Idempotency-Key."
    )


def _name(verdict: Verdict, what: str, expected: Mapping[Any, Any], found: Mapping[Any, Any]) -> None:
    """Add a problem for each single thing that differs, up to a few."""
    differing = [thing for thing in expected.keys() | found.keys() if expected.get(thing) != found.get(thing)]
    for thing in sorted(differing)[:SHOWN]:
        one, other = expected.get(thing, "nothing"), found.get(thing, "nothing")
        verdict.problems.append(f"{what} {thing}: {one} expected, {other} found")
    if len(differing) > SHOWN:
        verdict.problems.append(f"{what}: {len(differing) - SHOWN:,} more differ")
