"""The project that `sojourn init --python` writes: the same journey as Python, its action, and a test."""

from __future__ import annotations

_README = """\
# A first journey, in Python

`journeys.py` follows each new customer: it waits for a first order, and writes to those who place none.

    sojourn test                           # runs the scenarios in tests/
    python -m pytest tests                 # runs the tests in tests/
    sojourn dev                            # Temporal, a worker and the API, until Ctrl-C
    sojourn send --file events.jsonl       # in another terminal: three customers, one order
    sojourn instances                      # what became of them
    sojourn instances welcome:ada          # one of them, step by step

While `sojourn dev` runs, change the code and save: the worker starts again with it. Instances that are under way go on
with the new code, so a change of what they have done already needs `workflow.patched`; between tries, send events with
new ids and new customers. When the code of an instance fails, `sojourn dev` says so and names the line; the instance
goes on when it is mended.

| file | what it is |
|---|---|
| `journeys.py` | the events, the action and the journey |
| `tests/welcome.yaml` | scenarios: events at their moments, and what is expected of them |
| `tests/test_welcome.py` | the same from Python, with pytest |
| `events.jsonl` | events to try it with |
"""

_JOURNEYS = '''\
"""Waits for the first order of a new customer."""

from __future__ import annotations

from datetime import timedelta

from sojourn import Event, action, journey


class SignedUp(Event, name="customer.signed-up", key="customer_id"):
    """Somebody opened an account."""

    customer_id: str
    name: str


class OrderPlaced(Event, name="order.placed", key="customer_id"):
    """A customer bought something."""

    customer_id: str
    total: float


@action.defn(name="email.send")
async def send_email(to: str, template: str) -> None:
    """Write to a customer. Runs in the worker, outside of the workflow; a test plays its part."""
    print(f"writes {template} to {to}")


@journey.defn(name="welcome", entry=SignedUp, reentry=False, timeout=timedelta(days=7))
class Welcome:
    """Waits for the first order of a new customer."""

    @journey.run
    async def run(self, customer: SignedUp) -> str:
        with journey.step("first-order"):
            # Short, for trying it; in earnest perhaps three days.
            order = await journey.wait_for(OrderPlaced, timeout=timedelta(seconds=20))
        if order is not None:
            return "large first order" if order.total >= 100 else "first order"
        with journey.step("come-back"):
            await journey.act(send_email, to=customer.customer_id, template="come-back")
        return "reminded"
'''

_SCENARIOS = """\
# What the journey is to do. `sojourn test` runs it: days take no time, and nothing is called.
scenario: a large first order
events:
  - {at: 0s, event: customer.signed-up, data: {customer_id: ada, name: Ada}}
  - {at: 15s, event: order.placed, data: {customer_id: ada, total: 120}}
expect:
  outcome: completed
  text: large first order
  steps: [{step: first-order, result: order.placed, at: 15s}]
---
scenario: whoever orders nothing
events:
  - {at: 0s, event: customer.signed-up, data: {customer_id: cleo, name: Cleo}}
expect:
  text: reminded
  steps: [{step: first-order, result: timeout, at: 20s}, come-back]
"""

_CONFTEST = 'pytest_plugins = ["sojourn.testing.plugin"]\n'

_TEST = '''\
"""The journey, moved from moment to moment."""

from pathlib import Path

PROJECT = Path(__file__).parent.parent


def test_whoever_orders_nothing_is_reminded(journeys):
    test = journeys(PROJECT)
    test.send("customer.signed-up", {"customer_id": "ada", "name": "Ada"})
    test.instance("ada").assert_waits_at("first-order")
    test.advance(seconds=20)
    test.instance("ada").assert_outcome("completed", "reminded")
    (call,) = test.calls_of("email.send")
    assert call.parameters == {"to": "ada", "template": "come-back"}
'''

_SAMPLE = """\
{"id": "signed-up-ada", "name": "customer.signed-up", "data": {"customer_id": "ada", "name": "Ada"}}
{"id": "signed-up-ben", "name": "customer.signed-up", "data": {"customer_id": "ben", "name": "Ben"}}
{"id": "signed-up-cleo", "name": "customer.signed-up", "data": {"customer_id": "cleo", "name": "Cleo"}}
{"id": "order-1", "name": "order.placed", "data": {"customer_id": "ada", "total": 120}}
"""

FILES = {
    "README.md": _README,
    "journeys.py": _JOURNEYS,
    "tests/welcome.yaml": _SCENARIOS,
    "tests/conftest.py": _CONFTEST,
    "tests/test_welcome.py": _TEST,
    "events.jsonl": _SAMPLE,
}
"""The starter project in Python: text by path, beside the `.gitignore`."""
