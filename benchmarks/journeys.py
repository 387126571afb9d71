"""The three journeys that are measured (DESIGN.md, section 10), as Sojourn's project.

`benchmarks.plain` has the same three written by hand. The URL's port is filled in by whoever runs them.
"""

from __future__ import annotations

from typing import Any

from sojourn.definitions import Project, load_texts

PROJECT = """
event: bench.started
key: event.customerId
schema: {type: object, properties: {customerId: {type: string}}}
---
event: bench.answered
key: event.customerId
schema: {type: object, properties: {customerId: {type: string}}}
---
event: bench.passed-by
key: event.customerId
schema: {type: object, properties: {customerId: {type: string}}}
---
action: bench.send
method: POST
url: http://127.0.0.1:1/send
parameters: {to: {type: string}, template: {type: string}}
body: {to: "${to}", template: "${template}"}
---
journey: one-action
entry: {event: bench.started}
steps:
  send:
    action: bench.send
    with: {to: "${entry.customerId}", template: hello}
  done: {end: sent}
---
journey: two-actions
entry: {event: bench.started}
steps:
  first:
    action: bench.send
    with: {to: "${entry.customerId}", template: first}
  pause:
    wait: {for: 1s}
  halves:
    split:
      branches:
        - {share: 50, next: second}
        - {share: 50, next: second}
  second:
    action: bench.send
    with: {to: "${entry.customerId}", template: second}
  done: {end: sent}
---
journey: wait-for-event
entry: {event: bench.started}
reentry: {allow: true, after: 0s}
steps:
  listen:
    wait_for:
      - {event: bench.answered, next: send}
      - {event: bench.started, restart: true}
      - {event: bench.passed-by, when: event.customerId == "nobody", next: send}
    timeout: {after: 1h, next: late}
  late: {end: late}
  send:
    action: bench.send
    with: {to: "${entry.customerId}", template: answered}
  done: {end: answered}
"""


def project(port: int) -> Project:
    """Return the loaded project, its action aimed at a local port.

    Raises:
        RuntimeError: The project above has an error.
    """
    loaded = load_texts({"bench.yaml": PROJECT.replace("http://127.0.0.1:1/", f"http://127.0.0.1:{port}/")})
    if not loaded.ok:
        raise RuntimeError("\n".join(map(str, loaded.problems)))
    return loaded


def compiled(port: int) -> dict[str, dict[str, Any]]:
    """Return the compiled journeys by name, as version 1."""
    return {name: {**definition, "version": 1} for name, definition in project(port).compiled().items()}
