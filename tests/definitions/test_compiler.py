"""The compiled journey: self-contained, every `next` resolved, durations in seconds."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sojourn.definitions import content_hash, load_texts
from tests.definitions.projects import BASE, project, steps


def compiled(text: str, head: str = "", base: str = BASE) -> dict[str, Any]:
    """Return the compiled journey of some steps."""
    found = project(steps(text, head), base)
    assert found.errors == []
    return found.compiled()["j"]


def test_whole_journey() -> None:
    """The compiled form of a journey is exactly the one that workflows read."""
    journey = compiled(
        """
        listen:
          label: Waits
          wait_for:
            - {event: order.placed, when: event.cartId == entry.cartId, next: bought}
            - {event: cart.updated, restart: true}
          timeout: {after: 1h30m}
          since: entry
        customer:
          fetch: crm.customer
          with: {id: "${entry.customerId}"}
          on_error: bought
        opted-in:
          condition:
            - {when: steps.customer.body.optIn, next: part}
            - {when: true}
          else: part
        rest: {wait: {for: 250ms}}
        later: {wait: {until: "${now + duration('1h')}"}}
        part:
          split: {branches: [{share: 12.5, next: bought}, {share: 87.5}], by: random}
        note: {set: {total: "${entry.total * 2.0}", deep: {list: [1, "${now}", null]}}}
        send:
          action: email.send
          with: {to: "${steps.customer.body.email}", template: cart}
        bought: {end: "bought ${entry.cartId}"}
        """,
        """
        description: A journey with everything.
        reentry: {allow: false, after: 1d}
        timezone: Europe/Paris
        timeout: 30d
        call_timeout: 1500ms
        start: 2026-07-01
        end: 2026-07-31
        exit_when: [{event: profile.unsubscribed}, {event: order.placed, when: event.total > 100.0}]
        """,
        BASE.replace("auth: {type: bearer", "throttle: {calls: 1, per: 1s}\nauth: {type: bearer").replace(
            "throttle: {calls: 1, per: 1s}\n", ""
        ),
    )
    assert journey == {
        "format": 1,
        "name": "j",
        "description": "A journey with everything.",
        "timezone": "Europe/Paris",
        "timeout": 2_592_000,
        "call_timeout": 1.5,
        "max_visits": 1000,
        "max_pending": 100,
        "max_wait": 7776000,
        "entry": {"event": "cart.updated"},
        "reentry": {"allow": False, "after": 86_400},
        "start": "2026-06-30T22:00:00Z",
        "end": "2026-07-31T22:00:00Z",
        "exit_when": [
            {"event": "profile.unsubscribed", "when": None},
            {"event": "order.placed", "when": "event.total > 100.0"},
        ],
        "listens": ["cart.updated", "order.placed", "profile.unsubscribed"],
        "uses_since_entry": True,
        "first": "listen",
        "endpoints": {
            "crm.customer": {"kind": "source", "throttled": False, "capped": False},
            "email.send": {"kind": "action", "throttled": False, "capped": False},
        },
        "steps": {
            "listen": {
                "kind": "wait_for",
                "label": "Waits",
                "events": [
                    {
                        "event": "order.placed",
                        "when": "event.cartId == entry.cartId",
                        "next": "bought",
                        "restart": False,
                    },
                    {"event": "cart.updated", "when": None, "next": None, "restart": True},
                ],
                "timeout": {"after": 5400, "next": "customer"},
                "since": "entry",
            },
            "customer": {
                "kind": "fetch",
                "label": None,
                "on_error": "bought",
                "endpoint": "crm.customer",
                "with": {"id": "${entry.customerId}"},
                "next": "opted-in",
            },
            "opted-in": {
                "kind": "condition",
                "label": None,
                "on_error": None,
                "branches": [
                    {"when": "steps.customer.body.optIn", "next": "part"},
                    {"when": "true", "next": "rest"},
                ],
                "else": "part",
            },
            "rest": {"kind": "wait", "label": None, "for": 0.25, "next": "later"},
            "later": {"kind": "wait", "label": None, "until": "${now + duration('1h')}", "next": "part"},
            "part": {
                "kind": "split",
                "label": None,
                "branches": [{"share": 12.5, "next": "bought"}, {"share": 87.5, "next": "note"}],
                "by": "random",
            },
            "note": {
                "kind": "set",
                "label": None,
                "values": {"total": "${entry.total * 2.0}", "deep": {"list": [1, "${now}", None]}},
                "next": "send",
            },
            "send": {
                "kind": "action",
                "label": None,
                "on_error": None,
                "endpoint": "email.send",
                "with": {"to": "${steps.customer.body.email}", "template": "cart"},
                "next": "bought",
            },
            "bought": {"kind": "end", "label": None, "outcome": "bought ${entry.cartId}"},
        },
    }
    assert json.loads(json.dumps(journey)) == journey


def test_defaults() -> None:
    """What a journey does not say has the documented defaults."""
    journey = compiled("a: {set: {x: 1}}")
    assert journey["timezone"] == "UTC"
    assert journey["timeout"] == 91 * 86_400
    assert journey["call_timeout"] == 30
    assert journey["reentry"] == {"allow": True, "after": 300}
    assert (journey["start"], journey["end"], journey["exit_when"], journey["listens"]) == (
        None,
        None,
        [],
        [],
    )
    assert journey["uses_since_entry"] is False
    assert journey["steps"]["a"]["next"] is None


def test_flow_goes_on_to_the_next_written_step() -> None:
    """A branch, an event or a timeout without `next` takes the step's `next`, else the step that is written next."""
    journey = compiled(
        """
        a:
          wait_for: [{event: order.placed}, {event: cart.updated, next: c}]
          timeout: {after: 1h}
        b:
          condition: [{when: true}, {when: false, next: d}]
          next: d
        c: {wait: {for: 1h}}
        d: {split: {branches: [{share: 50}, {share: 50, next: e}]}}
        e: {end: }
        """
    )["steps"]
    assert [event["next"] for event in journey["a"]["events"]] == ["b", "c"]
    assert journey["a"]["timeout"]["next"] == "b"
    assert [branch["next"] for branch in journey["b"]["branches"]] == ["d", "d"]
    assert journey["b"]["else"] is None
    assert [branch["next"] for branch in journey["d"]["branches"]] == ["e", "e"]
    assert journey["e"]["outcome"] is None


def test_limited_endpoint_is_marked() -> None:
    """The compiled journey says which of its endpoints are capped or throttled, and when what queues expires."""
    base = BASE.replace(
        "action: email.send\n",
        "action: email.send\nthrottle: {calls: 5, per: 1s}\ncap: {calls: 9, per: 1m}\n",
    )
    journey = compiled('a: {action: email.send, with: {to: "x", template: cart}}', base=base)
    assert journey["endpoints"] == {
        "email.send": {"kind": "action", "throttled": True, "capped": True, "expire": 21_600}
    }


@pytest.mark.parametrize(
    ("change", "same"),
    [
        (("# nothing", "# a comment"), True),
        (("after: 1h", "after: 60m"), True),
        (("template: cart}", "template: welcome}"), False),
        (("{end: done}", "{end: done, label: Bye}"), False),
    ],
)
def test_content_hash(change: tuple[str, str], same: bool) -> None:
    """Two journeys that mean the same have one hash; a change of meaning changes it."""
    text = steps(
        "a: {wait_for: [{event: order.placed}], timeout: {after: 1h}} # nothing\n"
        'b: {action: email.send, with: {to: "x", template: cart}}\nc: {end: done}'
    )
    one, two = (
        load_texts({"b.yaml": BASE, "j.yaml": t}).compiled()["j"] for t in (text, text.replace(*change))
    )
    assert (content_hash(one) == content_hash(two)) is same


def test_content_hash_of_json() -> None:
    """Order of keys and the way a number is written do not matter; types and order of lists do."""
    assert content_hash({"a": 1, "b": [1.0, None]}) == content_hash({"b": [1, None], "a": 1.0})
    different = [{"a": 1}, {"a": "1"}, {"a": True}, {"a": None}, {"a": [1, 2]}, {"a": [2, 1]}, {"b": 1}]
    assert len({content_hash(value) for value in different}) == len(different)
