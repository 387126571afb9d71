"""What each kind of step does."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime, timedelta

import pytest
from temporalio.testing import WorkflowEnvironment

from tests.workflows.support import Shop, compiled, failure, project, running, signal, steps, until_waiting


async def run(
    temporal: WorkflowEnvironment, journey: str, data: dict | None = None, shop: Shop | None = None, **options
):
    """Run a journey to its end and return its result."""
    loaded = project(journey, shop)
    async with running(temporal.client, loaded) as runner:
        handle = await runner.start(compiled(loaded), data, **options)
        return await handle.result()


async def test_steps_run_in_the_order_written_and_end_by_themselves(temporal: WorkflowEnvironment) -> None:
    """Without `next` a step goes on with the one written below it; behind the last the journey is completed."""
    result = await run(
        temporal,
        """
journey: j
entry: {event: entered}
steps:
  a: {set: {x: 1}, next: c}
  b: {set: {x: 2}, next: d}
  c:
    condition: [{when: steps.a.x == 1, next: d}]
    else: b
  d: {set: {x: "${steps.a.x + 1}"}}
""",
    )
    assert steps(result) == ["a", "c", "d"]
    assert result["outcome"] == "completed"
    assert result["text"] is None
    assert [record["next"] for record in result["steps"]] == ["c", "d", None]


async def test_a_month_passes_in_a_wait(temporal: WorkflowEnvironment) -> None:
    """`wait: {for}` lets its time pass, neither less nor noticeably more."""
    result = await run(
        temporal,
        """
journey: j
entry: {event: entered}
steps:
  sleep: {wait: {for: 30d}}
  done: {end: "rested ${entry.customerId}"}
""",
        key="ann",
    )
    assert result["text"] == "rested ann"
    assert result["steps"][0]["duration"] == pytest.approx(30 * 86_400, abs=60)
    passed = datetime.fromisoformat(result["ended_at"]) - datetime.fromisoformat(result["entered_at"])
    assert passed >= timedelta(days=30)


async def test_a_wait_until_a_moment_takes_timestamps_and_text(temporal: WorkflowEnvironment) -> None:
    """`until` may compute a timestamp or hand on a text of the event; a moment that has passed is over at once."""
    result = await run(
        temporal,
        """
journey: j
entry: {event: entered}
steps:
  plan: {set: {due: '${now + duration("2h")}'}}
  later: {wait: {until: "${steps.plan.due}"}}
  past: {wait: {until: "${entry.due}"}}
""",
        {"customerId": "a", "due": "2020-01-01T00:00:00Z"},
    )
    assert result["steps"][1]["duration"] == pytest.approx(7200, abs=60)
    assert result["steps"][2]["duration"] < 60


async def test_conditions_take_the_first_that_is_true(temporal: WorkflowEnvironment) -> None:
    """Order decides; none true and no `else` ends the journey normally."""
    journey = """
journey: j
entry: {event: entered}
steps:
  worth:
    condition:
      - {when: entry.amount > 100, next: high}
      - {when: entry.amount > 10, next: middle}
  high: {end: high}
  middle: {end: middle}
"""
    for amount, text in ((500, "high"), (50, "middle"), (10.5, "middle"), (5, None)):
        result = await run(temporal, journey, {"customerId": "a", "amount": amount})
        assert (result["outcome"], result["text"]) == ("completed", text)


async def test_a_condition_that_cannot_be_evaluated_names_its_place(temporal: WorkflowEnvironment) -> None:
    """The failure says step, field and the path that was missing."""
    loaded = project(
        """
journey: j
entry: {event: entered}
steps:
  worth:
    condition:
      - {when: entry.amount > 100, next: high}
  high: {end: high}
"""
    )
    async with running(temporal.client, loaded) as runner:
        error = await failure(await runner.start(compiled(loaded), {"customerId": "ann@example.com"}))
    assert error.type == "sojourn.JourneyFailed"
    result = error.details[0]
    assert result["outcome"] == "failed"
    assert result["error"]["step"] == "worth"
    assert result["error"]["code"] == "expression"
    assert "steps.worth.condition[0].when" in result["error"]["message"]
    assert "amount" in result["error"]["message"]
    assert "ann@example.com" not in str(error)


async def test_a_condition_takes_its_error_path(temporal: WorkflowEnvironment) -> None:
    """On the error path `journey.last_error` tells what went wrong."""
    result = await run(
        temporal,
        """
journey: j
entry: {event: entered}
steps:
  worth:
    condition: [{when: entry.amount > 100, next: high}]
    on_error: sorry
  high: {end: high}
  sorry: {end: "${journey.last_error.step}: ${journey.last_error.code}"}
""",
    )
    assert result["text"] == "worth: expression"


SPLIT = """
journey: j
entry: {event: entered}
steps:
  halves:
    split:
      branches:
        - {share: 20, next: control}
        - {share: 80, next: treated}
  control: {end: control}
  treated: {end: treated}
"""


async def test_a_split_is_sticky_and_keeps_its_shares(temporal: WorkflowEnvironment) -> None:
    """The same profile always falls on the same side, and the sides come near their shares."""
    loaded = project(SPLIT)
    async with running(temporal.client, loaded) as runner:
        handles = [await runner.start(compiled(loaded), key=f"profile-{index % 100}") for index in range(200)]
        texts = [(await handle.result())["text"] for handle in handles]
    assert texts[:100] == texts[100:]
    # Binomial with n=100, p=0.2: outside 6..36 once in some 30,000 choices of keys; these keys are fixed.
    assert 6 <= Counter(texts[:100])["control"] <= 36


async def test_a_fetch_and_an_action_give_status_and_body(temporal: WorkflowEnvironment, shop: Shop) -> None:
    """Results are `steps.<id>.status` and `.body`; the action carries a key, the fetch's answer feeds it."""
    shop.answers = lambda call: (
        (200, {"email": "a@b.example"}) if call["method"] == "GET" else (201, {"id": "m1"})
    )
    result = await run(
        temporal,
        """
journey: j
entry: {event: entered}
steps:
  customer: {fetch: crm, with: {id: "${entry.customerId}"}, on_error: lost}
  mail: {action: send, with: {to: "${steps.customer.body.email}", data: {n: 1, who: "${entry.customerId}"}}, on_error: lost}
  done: {end: "${steps.mail.status} ${steps.mail.body.id}"}
  lost: {end: lost}
""",
        key="c 1/ü",
        shop=shop,
    )
    assert result["text"] == "201 m1"
    fetched, sent = shop.calls
    assert fetched["path"] == "/customers/c%201%2F%C3%BC"
    assert sent["body"] == {"to": "a@b.example", "data": {"n": 1, "who": "c 1/ü"}}
    assert sent["key"]


async def test_a_failed_call_takes_the_error_path_with_code_status_and_body(
    temporal: WorkflowEnvironment, shop: Shop
) -> None:
    """A 404 is not tried again; the path behind it may use all that is known of the error."""
    shop.answers = lambda call: (404, {"reason": "unknown"})
    result = await run(
        temporal,
        """
journey: j
entry: {event: entered}
steps:
  customer: {fetch: crm, with: {id: "${entry.customerId}"}, on_error: lost}
  done: {end: found}
  lost: {end: "${journey.last_error.code} ${journey.last_error.status} ${journey.last_error.body.reason}"}
""",
        shop=shop,
    )
    assert result["text"] == "http_404 404 unknown"
    assert len(shop.calls) == 1


async def test_a_failed_call_without_error_path_fails_the_instance(
    temporal: WorkflowEnvironment, shop: Shop
) -> None:
    """It is a failed workflow, so that operators find it, and its details are the result."""
    shop.answers = lambda call: (403, {})
    loaded = project(
        "{journey: j, entry: {event: entered}, steps: {mail: {action: send, with: {to: x, data: 1}}}}", shop
    )
    async with running(temporal.client, loaded) as runner:
        error = await failure(await runner.start(compiled(loaded)))
    assert error.non_retryable
    assert error.details[0]["error"]["code"] == "http_403"
    assert steps(error.details[0]) == ["mail"]


async def test_each_visit_of_an_action_has_a_key_of_its_own_and_retries_share_it(
    temporal: WorkflowEnvironment, shop: Shop
) -> None:
    """A loop sends three times with three keys; an attempt that failed and its retry have the same one."""
    shop.answers = lambda call: (503, {}) if len(shop.calls) == 1 else (200, {"ok": True})
    result = await run(
        temporal,
        """
journey: j
entry: {event: entered}
steps:
  mail: {action: send, with: {to: x, data: 1}, on_error: lost}
  nap: {wait: {for: 1h}}
  again:
    condition: [{when: 'now - journey.entered_at < duration("150m")', next: mail}]
  lost: {end: lost}
""",
        shop=shop,
    )
    assert steps(result).count("mail") == 3
    keys = [call["key"] for call in shop.calls]
    assert len(keys) == 4
    assert keys[0] == keys[1]
    assert len(set(keys)) == 3


async def test_an_event_a_timeout_and_a_restart(temporal: WorkflowEnvironment) -> None:
    """The event that fits decides; the timeout has a path of its own; a restart moves it."""
    loaded = project(
        """
journey: j
entry: {event: entered}
steps:
  listen:
    wait_for:
      - {event: answered, when: event.amount == entry.amount, next: yes-path}
      - {event: other, restart: true}
    timeout: {after: 1h, next: late}
  yes-path: {end: answered}
  late: {end: late}
"""
    )
    async with running(temporal.client, loaded) as runner:
        late = await (await runner.start(compiled(loaded), {"customerId": "a", "amount": 1})).result()
        assert late["text"] == "late"
        assert late["steps"][0]["duration"] == pytest.approx(3600, abs=60)

        with temporal.with_time_skipping_disabled():
            handle = await runner.start(compiled(loaded), {"customerId": "a", "amount": 1})
            first = await until_waiting(handle, "listen")
            await signal(handle, "answered", {"amount": 2})
            await signal(handle, "other")
            for _ in range(100):
                moved = await handle.query("state")
                if moved["until"] > first["until"]:
                    break
            assert moved["until"] > first["until"]
            await signal(handle, "answered", {"amount": 1})
            assert (await handle.result())["text"] == "answered"


async def test_an_end_may_be_without_text(temporal: WorkflowEnvironment) -> None:
    """Such an instance is completed, and has no text."""
    result = await run(temporal, "{journey: j, entry: {event: entered}, steps: {done: {end: }}}")
    assert (result["outcome"], result["text"]) == ("completed", None)
    assert result["steps"][0]["result"] == "ended"


async def test_a_template_that_gives_no_text_is_written_as_text(temporal: WorkflowEnvironment) -> None:
    """An outcome is a text, whatever its expression gives."""
    result = await run(temporal, "{journey: j, entry: {event: entered}, steps: {done: {end: '${1 < 2}'}}}")
    assert result["text"] == "true"


async def test_the_trace_of_forty_steps_is_complete(temporal: WorkflowEnvironment, shop: Shop) -> None:
    """Each step is in the result with its time, kind, result, duration and successor, also over several runs."""
    kinds = (
        "set: {x: 1}",
        "wait: {for: 1h}",
        "fetch: crm, with: {id: a}",
        "action: send, with: {to: x, data: 1}",
    )
    written = "".join(f"  s{number}: {{{kinds[number % 4]}}}\n" for number in range(40))
    loaded = project(f"journey: j\nentry: {{event: entered}}\nsteps:\n{written}", shop)
    async with running(temporal.client, loaded) as runner:
        handle = await runner.start(compiled(loaded))
        result = await handle.result()
        assert (await handle.describe()).run_id != handle.first_execution_run_id
    records = result["steps"]
    assert [record["step"] for record in records] == [f"s{number}" for number in range(40)]
    assert [record["next"] for record in records] == [*(f"s{number}" for number in range(1, 40)), None]
    assert [record["seq"] for record in records] == list(range(1, 41))
    assert [(record["kind"], record["result"]) for record in records[:4]] == [
        ("set", "set"),
        ("wait", "waited"),
        ("fetch", "200"),
        ("action", "200"),
    ]
    assert all(record["duration"] >= 3599 for record in records if record["kind"] == "wait")
    moments = [record["at"] for record in records]
    assert moments == sorted(moments)
    # What one record costs: the whole is far from the 2 MB that a result may take.
    assert len(json.dumps(records)) < 40 * 200
