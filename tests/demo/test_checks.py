"""The comparisons of both demos: a true record agrees, and each single falsehood in it is found."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from sojourn.cli.demos import cart_check, purchases_check
from sojourn.cli.demos.cart_expected import OUTCOMES, Posted, expected_answers, expected_outcomes
from sojourn.cli.demos.cart_story import ITEM, story
from sojourn.cli.demos.people import PEOPLE
from sojourn.cli.demos.purchases_expected import expect, read_orders
from sojourn.cli.demos.verdict import Verdict
from tests.demo.test_purchases_expected import FILE

Record = dict[str, Any]


def cart_record() -> Record:
    """What a run of the cart demo finds when all is well."""
    posted = [
        Posted(
            e.id,
            e.name,
            e.data,
            99.0 if e.at is None else e.at,
            99.1 if e.at is None else e.at + 0.05,
            e.at is None,
        )
        for e in story()
    ]
    found = {person: list(one.outcomes) for person, one in expected_outcomes(posted, PEOPLE).items()}
    reminded = [person for person, outcomes in found.items() if outcomes == ["reminded"]]
    bodies = [{"to": f"{person}@customers.example", "data": {"items": [ITEM]}} for person in reminded]
    return {
        "posted": posted,
        "answers": expected_answers(posted),
        "found": found,
        "log": {
            "calls": [
                {"channel": "messages", "key": str(n), "status": 200, "repeat": False}
                for n in range(len(bodies))
            ],
            "effects": [
                {"channel": "messages", "key": str(n), "body": body} for n, body in enumerate(bodies)
            ],
        },
    }


def purchases_record() -> Record:
    """What a run of the second-purchase demo finds when all is well."""
    expectation = expect(read_orders(FILE))
    effects = [
        {"channel": channel, "key": f"{channel} {customer}", "body": {"customer": customer, "cents": cents}}
        for channel, people in (("members", expectation.members), ("coupons", expectation.coupons))
        for customer, cents in people.items()
    ]
    calls = [{**effect, "status": 200, "repeat": False} for effect in effects]
    return {
        "expectation": expectation,
        "effects": dict(expectation.effects),
        "found": dict(expectation.outcome),
        "log": {"calls": calls, "effects": effects},
    }


def _judge(record: Record) -> Verdict:
    return cart_check.judge(**record) if "posted" in record else purchases_check.judge(**record)


def _drop_effect(record: Record) -> None:
    del record["log"]["effects"][0]


def _double_effect(record: Record) -> None:
    record["log"]["effects"].append({**record["log"]["effects"][0], "key": "another"})


def _double_effect_of_one_key(record: Record) -> None:
    record["log"]["effects"].append(record["log"]["effects"][0])


def _replace_effect(record: Record) -> None:
    """One gets what another should have got; the totals are right."""
    record["log"]["effects"][0] = {**record["log"]["effects"][1], "key": "another"}


def _lose_key(record: Record) -> None:
    record["log"]["calls"][0]["key"] = None


def _change_items(record: Record) -> None:
    record["log"]["effects"][0]["body"]["data"]["items"] = []


def _change_cents(record: Record) -> None:
    record["log"]["effects"][0]["body"]["cents"] += 1


def _swap_outcomes(record: Record) -> None:
    """Two have each other's outcome; the totals are right."""
    found = record["found"]
    one = next(iter(found))
    other = next(person for person in found if found[person] != found[one])
    found[one], found[other] = found[other], found[one]


def _lose_instance(record: Record) -> None:
    record["found"].popitem()


def _add_instance(record: Record) -> None:
    record["found"]["zoe"] = ["reminded"] if "posted" in record else "invited"


def _enter_twice(record: Record) -> None:
    record["found"]["ada"] *= 2


def _keep_running(record: Record) -> None:
    record["found"]["ada"] = ["running"]


def _change_answer(record: Record) -> None:
    record["answers"][0] = "duplicate"


def _change_event_effect(record: Record) -> None:
    record["effects"][3] = "already_inside"


BOTH = [
    _drop_effect,
    _double_effect,
    _double_effect_of_one_key,
    _replace_effect,
    _lose_key,
    _swap_outcomes,
    _lose_instance,
]
BOTH += [_add_instance]
CART = [_change_items, _enter_twice, _keep_running, _change_answer]
PURCHASES = [_change_cents, _change_event_effect]


@pytest.mark.parametrize("make", [cart_record, purchases_record])
def test_a_true_record_agrees(make: Callable[[], Record]) -> None:
    """What the events demand, found as it is demanded, is no problem."""
    verdict = _judge(make())

    assert verdict.problems == []
    assert all(row.expected == row.found for rows in verdict.tables.values() for row in rows)


@pytest.mark.parametrize(
    ("make", "falsify"),
    [(cart_record, one) for one in BOTH + CART] + [(purchases_record, one) for one in BOTH + PURCHASES],
)
def test_each_falsehood_is_found(make: Callable[[], Record], falsify: Callable[[Record], None]) -> None:
    """The comparison can fail: one thing that is not as it must be makes it disagree."""
    record = copy.deepcopy(make())
    falsify(record)

    assert not _judge(record).agrees


def test_every_path_is_in_the_story() -> None:
    """The twenty customers take every path of the journey, and their events get every kind of answer."""
    record = cart_record()

    assert len(PEOPLE) == 20
    assert {outcome for outcomes in record["found"].values() for outcome in outcomes} == set(OUTCOMES)
    assert len(record["found"]) == 20
    assert set(record["answers"]) == {
        "accepted",
        "duplicate",
        "invalid",
        "rule_false",
        "reentry_refused",
        "no_journey",
    }


def test_either_outcome_of_a_close_race_agrees() -> None:
    """Where the events permit two outcomes, each of them agrees, with the mail that belongs to it, and is told."""
    record = cart_record()
    slow = [
        Posted(e.id, e.name, e.data, e.sent, 5.0 if e.id == "dora-order" else e.answered, e.over)
        for e in record["posted"]
    ]
    record["posted"] = slow
    assert _judge(record).agrees
    assert any("dora" in remark for remark in _judge(record).remarks)

    record["found"]["dora"] = ["reminded"]
    assert not _judge(record).agrees, "reminded, but no message was taken"
    record["log"]["effects"].append(
        {
            "channel": "messages",
            "key": "d",
            "body": {"to": "dora@customers.example", "data": {"items": [ITEM]}},
        }
    )
    assert _judge(record).agrees
