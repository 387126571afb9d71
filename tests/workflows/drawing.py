"""Random journeys, and what is sent to their instances."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

KINDS = (
    *("wait_for", "set", "wait_for", "condition", "split", "wait", "wait_for", "update_profile"),
    *("time_condition", "until_time", "fetch", "action", "throttled", "jump"),
)
NAMES = ("answered", "other")
ORDERS = ("pause", "resume")
CONDITIONS = (
    "default(event.amount, 0) > 2",
    "event.amount == entry.amount",
    'size(events) > 1 && has(event.amount) && event.amount > 0',
    "default(event.amount, 0) > default(profile.visits, 0)",
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A journey, and what is sent to its instance: bursts of (event id, name, amount)."""

    journey: dict[str, Any]
    bursts: list[list[tuple[str, str, int | None]]]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Draw a journey that is valid by construction.

    Steps lead forward only, but for one way back that passes a wait: from the last wait to a step before it. So every
    cycle has a wait in it, and each step is reached by falling through from the one before.
    """
    kinds = draw(
        st.lists(
            st.sampled_from(KINDS),
            min_size=2,
            max_size=14,
        )
    )
    ids = [f"s{index}" for index in range(len(kinds))] + ["last"]
    steps: dict[str, Any] = {}
    for index, kind in enumerate(kinds):
        ahead = ids[index + 1 :]
        # Always also a path to the next step, so that every step is reached.
        steps[ids[index]] = _step(draw, kind, ahead[0], st.sampled_from(ahead), ids[: index + 1])
    steps["last"] = {"end": "${string(size(steps))} ${events['entered'].amount}"}
    journey = {"journey": "j", "entry": {"event": "entered"}, "timeout": "40d", "steps": steps}
    if draw(st.booleans()):
        when = draw(
            st.sampled_from(["event.amount == 9", "event.amount == 9 && default(profile.visits, 0) > 0"])
        )
        journey["exit_when"] = [{"event": "other", "when": when}]
    # Few ids, so that many are sent again; the same id is always the same event.
    pool = [
        (f"e{number}", draw(st.sampled_from(NAMES)), draw(st.sampled_from([1, 3, 5, None, 0, 9])))
        for number in range(5)
    ]
    pool += [(order, order, None) for order in ORDERS]
    burst = st.lists(st.sampled_from(pool), min_size=2, max_size=6)
    return Case(journey, draw(st.lists(burst, min_size=1, max_size=4)))


ROUNDS = Case(
    {
        "journey": "j",
        "entry": {"event": "entered"},
        "steps": {
            "s0": {
                "wait_for": [{"event": "answered", "next": "s0"}, {"event": "other", "next": "last"}],
                "since": "entry",
                "timeout": {"after": "1h", "next": "last"},
            },
            "last": {"end": "${size(events)}"},
        },
    },
    [[(f"e{number}", "answered", number) for number in range(14)], [("e0", "answered", 0)] * 3],
)
"""Enough events for several runs of one instance, and then the first of them again."""


def _step(
    draw: st.DrawFn, kind: str, following: str, ahead: st.SearchStrategy[str], behind: list[str]
) -> dict[str, Any]:
    if kind == "update_profile":
        visits = draw(st.sampled_from(["${default(profile.visits, 0) + 1}", "${entry.amount}", None]))
        return {"update_profile": {"visits": visits}}
    if kind == "set":
        return {
            "set": {
                "n": draw(st.sampled_from(["${now}", "${entry.amount}", "text", "${events}", "${profile}"]))
            }
        }
    if kind == "condition":
        when = draw(
            st.sampled_from(
                [
                    "entry.amount > 2",
                    "size(steps) > 1",
                    "now > journey.entered_at",
                    "default(profile.visits, 0) > 1",
                ]
            )
        )
        return {"condition": [{"when": when, "next": draw(ahead)}], "else": following}
    if kind == "split":
        branches = [{"share": 30, "next": draw(ahead)}, {"share": 70, "next": following}]
        return {"split": {"branches": branches, "by": draw(st.sampled_from(["profile", "random"]))}}
    if kind in ("time_condition", "until_time", "wait"):
        return _timed(draw, kind, following, ahead)
    if kind == "jump":
        # The door refuses some of these.
        amount = draw(st.sampled_from([1, 9]))
        error = {"on_error": draw(ahead)} if draw(st.booleans()) else {}
        return {"jump": "k", "with": {"customerId": "c", "amount": amount}, **error}
    if kind in ("fetch", "action", "throttled"):
        return _calling(draw, kind, ahead)
    listens = [{"event": name, "next": draw(ahead)} for name in draw(st.sampled_from([NAMES, NAMES[:1]]))]
    for listen in listens:
        if draw(st.booleans()):
            listen["when"] = draw(st.sampled_from(CONDITIONS))
    extra = draw(st.sampled_from(["none", "restart", "back"]))
    if extra == "restart" and len(listens) > 1:
        listens[0] = {"event": listens[0]["event"], "restart": True}
    if extra == "back":
        listens[0]["next"] = draw(st.sampled_from(behind))
    step = {
        "wait_for": listens,
        "timeout": {"after": draw(st.sampled_from(["1h", "5d"])), "next": following},
    }
    return step | ({"since": "entry"} if draw(st.booleans()) else {})


def _timed(draw: st.DrawFn, kind: str, following: str, ahead: st.SearchStrategy[str]) -> dict[str, Any]:
    if kind == "time_condition":
        window = draw(
            st.sampled_from(
                [
                    {"hours": "22:00-06:00"},
                    {"days": ["mon", "tue", "sat"]},
                    {"hours": "08:00-12:00", "days": ["fri"]},
                ]
            )
        )
        return {"time_condition": window, "next": draw(ahead), "else": following}
    if kind == "until_time":
        days = draw(st.sampled_from([{}, {"on": ["mon", "thu"]}]))
        return {"wait": {"until_time": draw(st.sampled_from(["09:00", "02:30"])), **days}}
    return {"wait": {"for": draw(st.sampled_from(["1h", "2h", "3d"]))}}


def _calling(draw: st.DrawFn, kind: str, ahead: st.SearchStrategy[str]) -> dict[str, Any]:
    # Some of these answer with an error.
    amount = draw(st.sampled_from(["${entry.amount}", "bad"]))
    error = {"on_error": draw(ahead)} if draw(st.booleans()) else {}
    if kind == "fetch":
        return {"fetch": "crm", "with": {"id": amount if amount == "bad" else "good"}, **error}
    name = "send" if kind == "action" else "slowly"
    return {"action": name, "with": {"to": "x", "data": amount}, **error}
