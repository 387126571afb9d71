"""What goes wrong in a step: each kind that can fail, each code, and what the path behind it knows."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from temporalio import activity
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from sojourn.contract import names
from sojourn.plugin import JourneyPlugin
from tests.workflows.support import Runner, Shop, compiled, failure, project, running, steps


def journey(step: str, timezone: str = "UTC") -> str:
    """Return a journey whose first step goes wrong, and keeps what it knows of that."""
    return f"""
journey: j
entry: {{event: entered}}
timezone: "{timezone}"
steps:
  bad: {{{step}, on_error: wrong}}
  fine: {{end: fine}}
  wrong: {{set: {{error: "${{journey.last_error}}"}}}}
  done:
    condition:
      - {{when: "steps.wrong.error == journey.last_error", next: same}}
  same:
    end: "${{journey.last_error.step}}|${{journey.last_error.code}}|${{journey.last_error.status}}|${{journey.last_error.body}}"
"""


async def told(temporal: WorkflowEnvironment, text: str, shop: Shop | None = None) -> list[str]:
    """Run a journey whose text at the end is what it knows of the error; return step, code, status and body."""
    loaded = project(text, shop)
    async with running(temporal.client, loaded) as runner:
        result = await (await runner.start(compiled(loaded), {"customerId": "ann", "amount": 1})).result()
    assert steps(result)[0] == "bad"
    assert result["steps"][0]["result"].startswith(f"error {str(result['text']).split('|')[1]}: ")
    assert result["steps"][0]["next"] == "wrong"
    return str(result["text"]).split("|")


CALLS = ("action: send, with: {to: x, data: 1}", "fetch: crm, with: {id: a}")


@pytest.mark.parametrize(
    ("status", "body"), [(400, {"why": "a"}), (401, []), (404, {"why": "b"}), (409, None), (422, {"x": 1})]
)
@pytest.mark.parametrize("call", CALLS, ids=["action", "fetch"])
async def test_answers_that_say_no(
    temporal: WorkflowEnvironment, shop: Shop, call: str, status: int, body: Any
) -> None:
    """Step, code, status and the answer's body are known behind it."""
    shop.answers = lambda request: (status, body)
    found = await told(temporal, journey(call), shop)
    assert found[:3] == ["bad", f"http_{status}", str(status)]
    assert ("why" in found[3]) == ("why" in str(body))


@pytest.mark.parametrize("call", CALLS, ids=["action", "fetch"])
async def test_answers_that_are_none(temporal: WorkflowEnvironment, shop: Shop, call: str) -> None:
    """A server that is gone is `network`: there is neither status nor body."""
    # Long enough for a first answer on a machine that stands still for a moment: without one it is `timed_out`.
    text = journey(call).replace("entry:", "call_timeout: 3s\nentry:")
    shop.close()
    assert await told(temporal, text, shop) == ["bad", "network", "", ""]


@pytest.mark.parametrize("call", CALLS, ids=["action", "fetch"])
async def test_answers_that_do_not_come(temporal: WorkflowEnvironment, shop: Shop, call: str) -> None:
    """Behind the window of the call the code is `timed_out`."""
    release = shop.hang()
    text = journey(call).replace("entry:", "call_timeout: 1s\nentry:")
    assert await told(temporal, text, shop) == ["bad", "timed_out", "", ""]
    release.set()


@pytest.mark.parametrize(
    "step",
    [
        "action: send, with: {to: '${entry.due}', data: 1}",
        "fetch: crm, with: {id: '${entry.due}'}",
        "condition: [{when: entry.due == '', next: fine}], else: fine",
        "time_condition: {hours: 09:00-18:00}, else: fine",
    ],
)
async def test_what_cannot_be_evaluated(temporal: WorkflowEnvironment, shop: Shop, step: str) -> None:
    """A field that is missing is the code `expression` of each kind of step that may have an error path."""
    zone = "${entry.due}" if step.startswith("time") else "UTC"
    assert await told(temporal, journey(step, zone), shop) == ["bad", "expression", "", ""]
    assert not shop.calls


@pytest.mark.parametrize(
    "step",
    [
        "set: {x: '${entry.due}'}",
        "wait: {for: '${duration(entry.due)}'}",
        "wait: {until: '${entry.due}'}",
        "wait: {until_time: 09:00}",
        "wait_for: [{event: answered}], timeout: {after: '${duration(entry.due)}'}",
        "end: '${entry.due}'",
    ],
)
async def test_what_cannot_be_evaluated_where_no_path_leads_on(
    temporal: WorkflowEnvironment, step: str
) -> None:
    """The instance fails, and the failure says step, code and what is missing, without a customer's data."""
    loaded = project(
        f"{{journey: j, entry: {{event: entered}}, timezone: '${{entry.due}}', steps: {{bad: {{{step}}}}}}}"
    )
    async with running(temporal.client, loaded) as runner:
        details = (
            await failure(await runner.start(compiled(loaded), {"customerId": "ann@x.example"}))
        ).details
    assert details[0]["outcome"] == "failed"
    error = details[0]["error"]
    assert (error["step"], error["code"], error["status"]) == ("bad", "expression", None)
    assert "due" in error["message"]
    assert "ann@" not in str(details[0]["error"]) + str(details[0]["steps"])


@pytest.mark.parametrize(
    "code",
    ["http_503", "timed_out", "capped", "expired", "network", "invalid_response", "expression", "refused"],
)
async def test_every_code_of_a_call_reaches_the_path(
    temporal: WorkflowEnvironment, shop: Shop, unique: str, code: str
) -> None:
    """What a worker's activity says is told as it is: code, status, message and body."""
    status = 503 if code == "http_503" else None
    said = {"code": code, "status": status, "message": f"send: {code}", "body": {"n": [1]}}

    @activity.defn(name=names.ACTIVITY_ACTION)
    async def send(request: dict[str, Any]) -> dict[str, Any]:
        raise ApplicationError("no", said, type=names.ERROR_CALL, non_retryable=True)

    loaded = project(
        """
journey: j
entry: {event: entered}
steps:
  bad: {action: send, with: {to: x, data: 1}, on_error: wrong}
  fine: {end: fine}
  wrong: {set: {error: "${journey.last_error}"}}
  known:
    condition:
      - {when: "steps.wrong.error.message == 'send: ' + steps.wrong.error.code && steps.wrong.error.body.n[0] == 1", next: same}
  same: {end: "${journey.last_error.code} ${journey.last_error.status}"}
""",
        shop,
    )
    plugin = JourneyPlugin(register_activities=False)
    async with Worker(temporal.client, task_queue=unique, plugins=[plugin], activities=[send]):
        handle = await Runner(temporal.client, unique).start(compiled(loaded))
        result = await asyncio.wait_for(handle.result(), 30)
        assert result["text"] == f"{code} {'' if status is None else status}"

        definition = compiled(loaded)
        definition["steps"]["bad"]["on_error"] = None
        error = (await failure(await Runner(temporal.client, unique).start(definition))).details[0]["error"]
    assert error == {"step": "bad", "code": code, "status": status, "message": f"send: {code}"}


async def test_the_last_error_is_the_last(temporal: WorkflowEnvironment, shop: Shop) -> None:
    """A second error takes the place of the first, also on the error path itself; before any there is none."""
    shop.answers = lambda request: (404, {}) if request["method"] == "GET" else (409, {})
    loaded = project(
        """
journey: j
entry: {event: entered}
steps:
  none: {set: {before: "${journey.last_error == null}"}}
  ask: {fetch: crm, with: {id: a}, on_error: mail}
  mail: {action: send, with: {to: "${journey.last_error.code}", data: 1}, on_error: wrong}
  wrong: {end: "${steps.none.before} ${journey.last_error.step} ${journey.last_error.code}"}
""",
        shop,
    )
    async with running(temporal.client, loaded) as runner:
        result = await (await runner.start(compiled(loaded))).result()
    assert result["text"] == "true mail http_409"
    assert shop.calls[-1]["body"]["to"] == "http_404"


async def test_a_step_visited_too_often_is_refused_whatever_its_error_path(
    temporal: WorkflowEnvironment, shop: Shop
) -> None:
    """The bound of a loop ends the instance: an error path may lead back into it."""
    shop.answers = lambda request: (404, {})
    loaded = project(
        "{journey: j, entry: {event: entered}, steps: {mail: {action: send, with: {to: x, data: 1}, on_error: nap},"
        " nap: {wait: {for: 1h}, next: mail}}}",
        shop,
    )
    async with running(temporal.client, loaded) as runner:
        error = (await failure(await runner.start(compiled(loaded) | {"max_visits": 2}))).details[0]["error"]
    assert (error["step"], error["code"]) == ("mail", "refused")
    assert "more than 2 times" in error["message"]
