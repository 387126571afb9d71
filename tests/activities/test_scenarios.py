"""The reference's scenarios about calls, each as a journey that runs: S5, S6, S8, S9, S26 and S30."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from temporalio.testing import WorkflowEnvironment

from sojourn.activities import Secrets
from sojourn.activities.caps import LocalCaps
from sojourn.definitions import load_texts
from tests.activities.server import Reply, Server, answer, late
from tests.workflows.support import compiled, running

OPEN = "---\nevent: entered\nkey: event.id\nschema: {type: object, properties: {id: {type: string}}, additionalProperties: true}\n"


async def run(
    temporal: WorkflowEnvironment, files: str, data: dict[str, Any] | None = None, **calls: Any
) -> dict[str, Any]:
    """Run a journey of these definitions once; return its result, also where it failed."""
    loaded = load_texts({"all.yaml": files + (OPEN if "\nevent: " not in files else "")})
    assert loaded.ok, "\n".join(map(str, loaded.problems))
    async with running(temporal.client, loaded, **calls) as runner:
        handle = await runner.start(compiled(loaded), data or {})
        return await handle.result()


ORDER = """\
journey: j
entry: {event: ordered}
steps:
  mail:
    action: campaign.mail
    with: {email: "${entry.email}", firstName: "${entry.firstName}", purchaseOrderNumber: "${entry.orderNumber}"}
  done: {end: "${steps.mail.status}"}
---
event: ordered
key: event.email
schema:
  type: object
  properties: {email: {type: string}, firstName: {type: string}, orderNumber: {type: integer}}
---
action: campaign.mail
url: URL/mail
parameters: {email: {type: string}, firstName: {type: string}, purchaseOrderNumber: {type: integer}}
body:
  channel: email
  eventType: journey-event
  email: "${email}"
  ctx: {firstName: "${firstName}", purchaseOrderNumber: "${purchaseOrderNumber}"}
"""


async def test_s5_an_order_mail_is_sent_byte_for_byte(temporal: WorkflowEnvironment) -> None:
    """The body is the definition's, in its order and types; what an event holds cannot change a constant."""
    data = {"email": "ann@example.com", "firstName": 'Ann "${x}"', "orderNumber": 4711, "channel": "sms"}
    async with Server([answer(None, 204)]) as server:
        result = await run(temporal, ORDER.replace("URL", server.url("")), data)
    assert result["text"] == "204"
    assert server.requests[0].body == (
        b'{"channel":"email","eventType":"journey-event","email":"ann@example.com",'
        b'"ctx":{"firstName":"Ann \\"${x}\\"","purchaseOrderNumber":4711}}'
    )


def test_s5_constants_are_no_parameters() -> None:
    """A journey that gives a value for what the definition fixes is refused before it is published."""
    files = ORDER.replace("URL", "https://mail.example.com").replace(
        'email: "${entry.email}",', 'email: "${entry.email}", channel: sms,'
    )
    loaded = load_texts({"all.yaml": files})
    assert any("channel" in problem.message for problem in loaded.problems if problem.severity == "error")


COLLECTIONS = """\
journey: j
entry: {event: entered}
steps:
  send:
    action: shop.feed
    with:
      products: "${entry.products.filter(p, p['product id'] in entry.wanted)}"
      mixed: "${[1, 'two', {'three': 3}, [4, [5]], null]}"
      nothing: null
  done: {end: sent}
---
action: shop.feed
url: URL/feed
parameters:
  products: {type: array, items: {type: object, required: [product id]}}
  mixed: {type: array}
  nothing: {type: array, optional: true}
  never: {type: array, optional: true}
body:
  ctxt:
    products: >-
      ${products.map(p, {'id': p['product id'], 'name': default(p.name, null), 'price': default(p.price, null),
      'locations': default(p.locations, [])})}
    first: "${products[0]['product id']}"
    mixed: "${mixed}"
    nothing: "${nothing}"
    never: "${never}"
"""


async def test_s6_collections_are_mapped_and_filtered(temporal: WorkflowEnvironment) -> None:
    """Objects are chosen, renamed and sent with what they lack; mixed and nested lists keep types and nulls."""
    products = [
        {"product id": "a", "name": "Ball", "price": 9.5, "locations": [{"city": "Kyiv", "stock": [1, 2]}]},
        {"product id": "b", "name": "no"},
        {"product id": "c", "color": None},
    ]
    data = {"id": "x", "products": products, "wanted": ["a", "c"]}
    async with Server([answer({})]) as server:
        await run(temporal, COLLECTIONS.replace("URL", server.url("")), data)
    assert server.requests[0].json() == {
        "ctxt": {
            "products": [
                {"id": "a", "name": "Ball", "price": 9.5, "locations": [{"city": "Kyiv", "stock": [1, 2]}]},
                {"id": "c", "name": None, "price": None, "locations": []},
            ],
            "first": "a",
            "mixed": [1, "two", {"three": 3}, [4, [5]], None],
            "nothing": None,
        }
    }


async def test_s6_what_does_not_fit_is_refused_before_the_call(temporal: WorkflowEnvironment) -> None:
    """A list whose items lack what the action asks for is `refused`, and nothing is sent."""
    data = {"id": "x", "products": [{"product id": "a"}, {"name": "no id"}], "wanted": ["a"]}
    files = (
        COLLECTIONS.replace("entry.products.filter(p, p['product id'] in entry.wanted)", "entry.products")
        .replace("  done:", '    on_error: wrong\n  wrong: {end: "${journey.last_error.code}"}\n  done:')
        .replace("      nothing: null\n    on_error", "      nothing: null\n    next: done\n    on_error")
    )
    async with Server([answer({})]) as server:
        result = await run(temporal, files.replace("URL", server.url("")), data)
        assert (result["text"], server.requests) == ("refused", [])


WEATHER = """\
journey: j
entry: {event: entered}
steps:
  city: {fetch: weather.city, with: {city: "London,uk"}}
  place: {fetch: weather.place, with: {lat: 35, long: 139.5}}
  posted: {fetch: weather.posted, with: {identifier: "id 1"}}
  hot: {condition: [{when: steps.city.body.main.temperature > 30.0, next: ice}], else: tea}
  ice: {end: ice}
  tea: {end: tea}
---
source: weather.city
url: URL/weather
parameters: {city: {type: string}}
auth: {type: api_key, query: appid, value: {secret: KEY}}
response: {type: object, required: [main], properties: {main: {type: object, properties: {temperature: {type: number}}}}}
---
source: weather.place
url: URL/weather
parameters: {long: {type: number}, lat: {type: number}}
auth: {type: api_key, query: appid, value: {secret: KEY}}
---
source: weather.posted
method: POST
url: URL/weather
parameters: {identifier: {type: string}}
body: {id: "${identifier}"}
auth: {type: api_key, query: appid, value: {secret: KEY}}
"""


@pytest.mark.parametrize(("temperature", "end"), [(31, "ice"), (30, "tea"), (29.9, "tea")])
async def test_s8_weather(temporal: WorkflowEnvironment, temperature: float, end: str) -> None:
    """Two look-ups of one source with different parameters, a posted one, the key in the query, and the branch."""
    secrets = Secrets(["KEY"], environment={"KEY": "1234-key"})
    async with Server([answer({"main": {"temperature": temperature}})]) as server:
        result = await run(temporal, WEATHER.replace("URL", server.url("")), {"id": "x"}, secrets=secrets)
    assert result["text"] == end
    city, place, posted = server.requests
    queries = [parse_qsl(urlsplit(request.target).query) for request in (city, place, posted)]
    assert queries == [
        [("city", "London,uk"), ("appid", "1234-key")],
        [("long", "139.5"), ("lat", "35"), ("appid", "1234-key")],
        [("appid", "1234-key")],
    ]
    assert (city.method, posted.method, posted.json()) == ("GET", "POST", {"id": "id 1"})


LOYALTY = """\
journey: j
entry: {event: entered}
call_timeout: 2s
steps:
  loyalty:
    action: loyalty
    with: {customer: "${entry.id}"}
    on_error: failed
  gold: {condition: [{when: "steps.loyalty.body.status == 'gold'", next: push}], else: other}
  push: {end: "push with ${default(steps.loyalty.body.points, 0)} points"}
  other: {end: no push}
  failed:
    condition:
      - {when: "journey.last_error.code == 'http_400'", next: admin}
      - {when: "journey.last_error.code == 'capped'", next: logged}
      - {when: "journey.last_error.code == 'timed_out'", next: alert}
      - {when: "journey.last_error.code.startsWith('http_5')", next: server}
    else: unknown
  admin: {action: tell, with: {what: "${journey.last_error.body.errorResponse.reason}"}, next: told}
  told: {end: admin told}
  logged: {end: logged}
  alert: {end: "alert at ${journey.last_error.step}"}
  server: {end: "server ${journey.last_error.status}"}
  unknown: {end: "unknown ${journey.last_error.code}"}
---
action: loyalty
url: URL/loyalty?customerID={customer}
parameters: {customer: {type: string}}
cap: {calls: CAP, per: 1h}
response: {type: object, required: [status], properties: {status: {type: string}, points: {type: integer}}}
---
action: tell
url: URL/admin
parameters: {what: {type: string}}
"""

WHY = {"errorResponse": {"reason": "no such member"}}
# Scenarios S9 and S30: what the endpoint does, its cap, the end of the journey, requests to it.
LOYALTY_CASES: dict[str, tuple[list[Reply], int, str, int]] = {
    "gold": ([answer({"status": "gold", "points": 7})], 9, "push with 7 points", 1),
    "gold without points": ([answer({"status": "gold"})], 9, "push with 0 points", 1),
    "silver": ([answer({"status": "silver", "points": 7})], 9, "no push", 1),
    "400 with a body": ([answer(WHY, 400), answer({})], 9, "admin told", 2),
    "too late": ([late(30, answer({}))], 9, "alert at loyalty", 1),
    "capped": ([answer({"status": "gold"})], 0, "logged", 0),
    "500": ([answer({}, 500)], 9, "server 500", 4),
    "another answer than promised": ([answer({"points": 7})], 9, "unknown invalid_response", 1),
}


@pytest.mark.parametrize("name", LOYALTY_CASES)
async def test_s9_and_s30_a_journey_branches_on_answers_and_errors(
    temporal: WorkflowEnvironment, name: str
) -> None:
    """Answers, defaults, and each kind of error take their own path, with what the error says."""
    replies, cap, end, requests = LOYALTY_CASES[name]
    caps = LocalCaps()
    async with Server(replies) as server:
        files = LOYALTY.replace("URL", server.url("")).replace("CAP", str(max(cap, 1)))
        if cap == 0:  # used up by somebody else
            used = load_texts({"all.yaml": files + OPEN}).endpoints["action:loyalty"].cap
            assert used is not None
            await caps.take("action", "loyalty", used)
        result = await run(temporal, files, {"id": "Ann & Bob"}, caps=caps)
        assert result["text"] == end, json.dumps(result["steps"])
        assert len(server.requests) == requests
        if requests:
            assert server.requests[0].target == "/loyalty?customerID=Ann%20%26%20Bob"
        if name == "400 with a body":
            assert server.requests[1].json() == {"what": "no such member"}


TIMING = """\
journey: j
entry: {event: entered}
call_timeout: 2s
steps:
  call: {KIND: other, on_error: failed}
  done: {end: "ok ${steps.call.body.n}"}
  failed: {end: "${journey.last_error.code} ${journey.last_error.status}"}
---
KIND: other
url: URL
"""
S26: dict[str, tuple[list[Reply], str, int]] = {
    "an answer in time": ([late(1.0, answer({"n": 1}))], "ok 1", 1),
    "an answer too late": ([late(9, answer({"n": 1}))], "timed_out ", 1),
    "an error, then an answer": ([late(0.5, answer({}, 500)), answer({"n": 2})], "ok 2", 2),
    "errors for ever": ([answer({}, 500)], "http_500 500", 4),
    "an error, then nothing": ([answer({}, 500), late(9, answer({}))], "timed_out 500", 2),
    "401": ([answer({}, 401)], "http_401 401", 1),
    "403": ([answer({}, 403)], "http_403 403", 1),
    "404": ([answer({}, 404)], "http_404 404", 1),
}


@pytest.mark.parametrize("kind", ["fetch", "action"])
@pytest.mark.parametrize("name", S26)
async def test_s26_the_window_as_a_journey_sees_it(
    temporal: WorkflowEnvironment, kind: str, name: str
) -> None:
    """The window and its retries are the same for look-ups and actions, and the journey learns what happened."""
    replies, end, requests = S26[name]
    files = TIMING.replace(
        "KIND: other\nurl", f"{'source' if kind == 'fetch' else kind}: other\nurl"
    ).replace("KIND", kind)
    async with Server(replies) as server:
        result = await run(temporal, files.replace("URL", server.url("/x")), {"id": "x"})
        assert result["text"] == end, json.dumps(result["steps"])
        assert len(server.requests) == requests
